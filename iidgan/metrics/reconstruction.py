"""How well the generator and its inverse undo each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import Metric, Protocol, Samples
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Metric):
    r"""Measures the absolute errors of both cycles, averaged over samples and elements.

    * `z_error`: mean of |z - F(G(z))| over samples of the prior, if `z` and `z_cycled` are there.
    * `x_error`: mean of |x - G(F(x))| over real samples, if `x_cycled` is there.

    Both have shape (S,) and the units of z and x. A seed whose samples are not finite has an error
    that is not.
    """

    def missing(self, samples: Samples) -> str | None:
        return None if _cycles(samples) else "F(G(z)) and G(F(x)): the method has no inverse F"

    def protocol(self, samples: Samples) -> Protocol:
        return {f"num_{name}": end.shape[1] for name, (_, end) in _cycles(samples).items()}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names.
        """
        if lack := self.missing(samples):
            raise InputError(f"reconstruction: the samples lack {lack}")
        return {f"{name}_error": _error(*pair) for name, pair in _cycles(samples).items()}


def _cycles(samples: Samples) -> dict[str, tuple[Tensor, Tensor]]:
    """Gathers what there is of start and end of the two cycles, each with shape (S, N, ...)."""
    cycles = {}
    if samples.z is not None and samples.z_cycled is not None:
        cycles["z"] = samples.z[:, : samples.z_cycled.shape[1]], samples.z_cycled
    if samples.x_cycled is not None:
        start = samples.real[: samples.x_cycled.shape[1]]
        cycles["x"] = start.expand_as(samples.x_cycled), samples.x_cycled
    return cycles


def _error(start: Tensor, end: Tensor) -> Tensor:
    """Averages |start - end| of each seed, one at a time, for images are large."""
    errors = ((a - b).abs().cpu().double().mean() for a, b in zip(start, end))
    return torch.stack(tuple(errors))
