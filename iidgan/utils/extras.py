"""Optional packages, which the extras of the package install."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import util

from iidgan.errors import InputError

EXTRAS = {
    "hub": ("datasets", "huggingface_hub"),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "tensorboard": ("tensorboard",),
    "wandb": ("wandb",),
    "explore": ("starlette", "uvicorn"),
    "lmdb": ("lmdb",),
    "dinov2": ("transformers",),
    "ray": ("ray",),
}
"""The modules that each extra adds."""


def list_missing_modules(modules: Iterable[str]) -> list[str]:
    """List the modules that are not installed.

    Arguments:
        modules: Names of top-level modules.
    """
    return [module for module in modules if util.find_spec(module) is None]


def pip_command(extra: str) -> str:
    """Return the command that installs an extra.

    Arguments:
        extra: Name of the extra.

    Examples:
        >>> pip_command("onnx")
        "pip install 'iidgan[onnx]'"
    """
    return f"pip install 'iidgan[{extra}]'"


def require_extra(extra: str, *modules: str, field: str) -> None:
    """Check that modules of an extra are installed.

    Arguments:
        extra: Name of the extra.
        *modules: The modules that are needed; by default all of the extra.
        field: The option that needs them, for the message.

    Raises:
        InputError: One is missing.
    """
    if missing_modules := list_missing_modules(modules or EXTRAS[extra]):
        raise InputError(f"{field}: needs {', '.join(missing_modules)}: {pip_command(extra)}")
