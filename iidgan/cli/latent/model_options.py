"""Which networks a command on the latent space reads, and where it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from torch import Tensor

from iidgan.cli.options import PluginOptions
from iidgan.errors import InputError
from iidgan.training.export import load
from iidgan.training.model import Model
from iidgan.utils.files import write_file


@dataclass(frozen=True, kw_only=True)
class ModelOptions(PluginOptions):
    """The networks of one seed."""

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory."""
    seed: int | None = None
    """Seed of the training; by default the first that did not diverge."""

    def load_model(self) -> Model:
        """Load the networks.

        Raises:
            InputError: There is no such run or seed.
        """
        return load(self.run, self.seed, plugins=self.plugin)


@dataclass(frozen=True, kw_only=True)
class ClassOptions(ModelOptions):
    """The class that a conditional generator is asked for."""

    label: str | None = None
    """Class of a conditional run, by name or number."""

    def add_class(self, z: Tensor, model: Model) -> Tensor:
        """Append the class to latents of a conditional model; others are returned as they are.

        Arguments:
            z: Latents, (..., M).
            model: The model.

        Raises:
            InputError: The model is conditional and no class was named, or the reverse, or there
                is no such class.
        """
        if self.label is not None:
            return model.encode(z, self.label)
        if model.classes is not None:
            names = ", ".join(model.classes.names[:MAX_LISTED_NAMES])
            dots = ", ..." if len(model.classes) > MAX_LISTED_NAMES else ""
            raise InputError(f"label: this run is conditional; choose one of {names}{dots}")
        return z


MAX_LISTED_NAMES = 20


def check_suffix(file_name: str, allowed_suffixes: tuple[str, ...], *, field: str = "out") -> Path:
    """Return the path of an output whose format is named by its suffix.

    Arguments:
        file_name: The file.
        allowed_suffixes: The suffixes, such as `.npz`.
        field: Name of the option in the error.

    Raises:
        InputError: It has another suffix.
    """
    path = Path(file_name)
    if path.suffix not in allowed_suffixes:
        raise InputError(
            f"{field}: must end in {' or '.join(allowed_suffixes)}, got {file_name!r}"
        )
    return path


def save_arrays(path: Path, **tensors: Tensor) -> None:
    """Write tensors to a compressed .npz archive.

    Arguments:
        path: The archive.
        tensors: Tensors by the names of their arrays.
    """
    named_arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_file(
        path, lambda partial: np.savez_compressed(partial, allow_pickle=False, **named_arrays)
    )
