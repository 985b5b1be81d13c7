"""Where a number comes from: versions, device, commit, time."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

from iidgan import __version__
from iidgan.errors import InputError


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


def describe(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"


def commit() -> str:
    """Gives the commit of the checkout that the package runs from, `+` if it has changes."""
    folder = Path(__file__).resolve().parent.parent
    near = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent.parent)}  # no one else's
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10, env=near
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()


def device_from(name: str) -> torch.device:
    """Chooses the device: `auto` takes an accelerator if there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, NotImplementedError, ImportError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device: {name!r} is not available ({reason}); use cpu") from None
    return device
