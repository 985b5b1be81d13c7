"""Choice of the precision in which the networks of a run compute."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from iidgan.core import Backbone
from iidgan.engine.step import Precision
from iidgan.training.migration import read_facts
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import has_bfloat16_units, resolve_device
from iidgan.utils.files import damage_as_input_error


def choose_precision(arch: Backbone, device: str = "auto") -> Precision:
    """Choose bfloat16 for convolutional networks on devices that have units for it.

    The precision is a part of a run and of its id, so that it stays the same where the run is
    resumed: choose it once, when the run is created.

    Arguments:
        arch: Backbone of the run.
        device: Device of the training: `cpu`, `cuda`, ..., or `auto`.

    Returns:
        `bfloat16` or `float32`.

    Raises:
        InputError: The device does not exist on this machine.

    Examples:
        >>> import iidgan
        >>> iidgan.choose_precision(iidgan.MLP())  # points need float32 on all devices
        'float32'
    """
    is_fast = has_bfloat16_units(resolve_device(device))
    return "bfloat16" if arch.is_convolutional and is_fast else "float32"


def read_precision(path: Path) -> Precision | None:
    """Read the precision of the run in a directory; None if there is no run.

    Arguments:
        path: Run directory, which may not exist.

    Raises:
        InputError: Its `run.json` is damaged or of a newer version.
    """
    file = RunDir(path).run_file
    if not file.exists():
        return None
    facts = read_facts(file)
    with damage_as_input_error(file):
        return cast(Precision, facts["run"].get("precision", "float32"))
