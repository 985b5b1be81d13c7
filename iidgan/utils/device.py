"""Devices by name."""

from __future__ import annotations

import platform

import torch

from iidgan.errors import InputError


def describe_device(device: torch.device) -> str:
    """Describe a device for logs: the model of a GPU, or the CPU architecture and threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"


def resolve_device(name: str) -> torch.device:
    """Return the device of a name; `auto` selects an accelerator if there is one.

    Raises:
        InputError: The device does not exist on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, NotImplementedError, ImportError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device: {name!r} is not available ({reason}); use cpu") from None
    return device
