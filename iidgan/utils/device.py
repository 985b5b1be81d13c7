"""Devices by name."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from iidgan.errors import InputError


def describe_device(device: torch.device) -> str:
    """Describe a device for logs: the model of a GPU, or the CPU architecture and threads.

    Arguments:
        device: The device.

    Returns:
        Text such as `NVIDIA H200`, or `cpu (x86_64, 8 threads)`.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"


def has_bfloat16_units(device: torch.device) -> bool:
    """Return whether a device multiplies in bfloat16 faster than in float32.

    Others emulate it, which is slower. x86 processors have AVX-512 BF16 or AMX, NVIDIA's GPUs
    have it since Ampere.

    Arguments:
        device: The device.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in BFLOAT16_UNITS)
    return False


BFLOAT16_UNITS = ("avx512_bf16", "amx_bf16")
"""Names of the extensions of x86 processors that multiply in bfloat16."""


@contextmanager
def forked_rng(device: torch.device) -> Iterator[None]:
    """Restore the state of the global random generators on exit.

    Arguments:
        device: Device whose generator is restored besides that of the CPU.

    Examples:
        >>> state = torch.get_rng_state()
        >>> with forked_rng(torch.device("cpu")):
        ...     noise = torch.randn(2)
        >>> bool((torch.get_rng_state() == state).all())
        True
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def resolve_device(name: str) -> torch.device:
    """Return the device of a name; `auto` selects an accelerator if there is one.

    Arguments:
        name: `auto`, or a name that `torch.device` accepts, such as `cpu` or `cuda:1`.

    Raises:
        InputError: The device does not exist on this machine.

    Examples:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):  # its message lists the devices of all machines
        raise _unusable_device_error(name) from None
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, NotImplementedError, ImportError, AssertionError) as error:
        raise _unusable_device_error(name, str(error).splitlines()[0]) from None
    return device


def _unusable_device_error(name: object, reason: str = "") -> InputError:
    own_devices = ", ".join(_list_devices())
    reason_text = f" ({reason})" if reason else ""
    return InputError(
        f"device: {name!r} is not a device of this machine{reason_text}; --device takes auto, or "
        f"one of {own_devices}"
    )


def _list_devices() -> list[str]:
    """List the devices that training can use on this machine, by name."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    num_accelerators = torch.accelerator.device_count() if accelerator else 0
    return ["cpu", *(f"{accelerator.type}:{i}" for i in range(num_accelerators) if accelerator)]
