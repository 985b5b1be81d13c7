"""Devices by name."""

from __future__ import annotations

import platform

import torch

from iidgan.errors import InputError


def describe(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"


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
