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
        return None if _ends(samples) else "F(G(z)) and G(F(x)): the method has no inverse F"

    def protocol(self, samples: Samples) -> Protocol:
        return {f"num_{name}": end.shape[1] for name, end in _ends(samples).items()}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names.
        """
        if lack := self.missing(samples):
            raise InputError(f"reconstruction: the samples lack {lack}")
        errors = _ends(samples)
        if samples.z is not None and "z" in errors:
            errors["z"] = (samples.z[:, : errors["z"].shape[1]] - errors["z"]).abs()
        return {
            f"{name}_error": error.cpu().double().flatten(1).mean(1)
            for name, error in errors.items()
        }


def _ends(samples: Samples) -> dict[str, Tensor]:
    """Gathers what there is of the two cycles: F(G(z)), and the errors of G(F(x))."""
    z_cycled = None if samples.z is None else samples.z_cycled
    ends = {"z": z_cycled, "x": samples.x_errors}
    return {name: end for name, end in ends.items() if end is not None}
