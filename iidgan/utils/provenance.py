"""Where a number comes from: versions, device, commit, time."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

from iidgan._version import __version__
from iidgan.utils.device import describe


def provenance(device: torch.device) -> dict[str, str]:
    """Describes what made a number."""
    return {
        "iidgan": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": metadata.version("numpy"),
        "device": describe(device),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def commit() -> str:
    """Gives the commit of the checkout that the package runs from, `+` if it has changes."""
    folder = Path(__file__).resolve().parents[2]
    near = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent.parent)}  # no one else's
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10, env=near
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()
