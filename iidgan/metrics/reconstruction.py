"""How well the generator and its inverse undo each other."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from iidgan.core import Metric, Protocol, Samples
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Metric):
    r"""Measures the absolute errors of both cycles, averaged over samples and elements.

    * `z_error`: mean of |z - F(G(z))| over samples of the prior, if `z` and `z_cycled` are there.
    * `x_error`: mean of |x - G(F(x))| over real samples, if `x_errors` is there.

    Both have shape (S,) and the units of z and x. A seed whose samples are not finite has an error
    that is not.
    """

    def missing(self, samples: Samples) -> str | None:
        return None if _errors(samples) else "F(G(z)) and G(F(x)): the method has no inverse F"

    def protocol(self, samples: Samples) -> Protocol:
        return {f"num_{name}": errors.shape[1] for name, errors in _errors(samples).items()}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names.
        """
        if lack := self.missing(samples):
            raise InputError(f"reconstruction: the samples lack {lack}")
        return {
            f"{name}_error": errors.cpu().double().mean(1)
            for name, errors in _errors(samples).items()
        }


def _errors(samples: Samples) -> dict[str, Tensor]:
    """Gathers what there is of the two cycles: the error of each sample, with shape (S, m)."""
    errors = {}
    if samples.z is not None and samples.z_cycled is not None:
        start = samples.z[:, : samples.z_cycled.shape[1]]
        errors["z"] = (start - samples.z_cycled).abs().double().mean(2)
    if samples.x_errors is not None:
        errors["x"] = samples.x_errors
    return errors
