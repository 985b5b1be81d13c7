"""Optional packages, which the extras of the package install."""

from __future__ import annotations

from importlib import util

from iidgan.errors import InputError

EXTRAS = {
    "hub": ("datasets", "huggingface_hub"),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "tensorboard": ("tensorboard",),
    "wandb": ("wandb",),
    "lmdb": ("lmdb",),
    "dinov2": ("transformers",),
}
"""The modules that each extra adds."""


def list_missing_modules(extra: str) -> list[str]:
    """List the modules of an extra that are not installed.

    Arguments:
        extra: Name of the extra.
    """
    return [module for module in EXTRAS[extra] if util.find_spec(module) is None]


def pip_command(extra: str) -> str:
    """Return the command that installs an extra.

    Arguments:
        extra: Name of the extra.

    Examples:
        >>> pip_command("onnx")
        "pip install 'iidgan[onnx]'"
    """
    return f"pip install 'iidgan[{extra}]'"


def require_extra(extra: str, *, field: str) -> None:
    """Check that the modules of an extra are installed.

    Arguments:
        extra: Name of the extra.
        field: The option that needs it, for the message.

    Raises:
        InputError: One is missing.
    """
    if missing_modules := list_missing_modules(extra):
        raise InputError(f"{field}: needs {', '.join(missing_modules)}: {pip_command(extra)}")
