"""Provenance of a number: versions, device, commit, time."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from iidgan._version import __version__
from iidgan.utils.device import describe_device


def collect_provenance(device: torch.device) -> dict[str, str]:
    """Collect the versions, device, commit and time that a result is computed with.

    Arguments:
        device: Device of the computation.

    Returns:
        Texts by name: `iidgan`, `commit`, `python`, `torch`, `numpy`, `device` and `date`.
    """
    return {
        "iidgan": __version__,
        "commit": git_commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "device": describe_device(device),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def git_commit() -> str:
    """Return the commit of the checkout with this package, followed by `+` if it has changes.

    Returns:
        Twelve hexadecimal digits; `unknown` outside a checkout.
    """
    checkout = Path(__file__).resolve().parents[2]
    # The search for a repository must not reach one that contains the checkout.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(checkout.parent.parent)}
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        completed = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return completed.stdout.strip()
