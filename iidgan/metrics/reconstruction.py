"""Reconstruction errors of the generator and its inverse."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from iidgan.core import Metric, MetricProtocol, Samples
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Metric):
    """Absolute errors of both cycles, averaged over samples and elements.

    * `z_error`: mean of |z - F(G(z))| over samples of the prior, if `z` and `z_cycled` are given.
    * `x_error`: mean of |x - G(F(x))| over real samples, if `x_errors` is given.

    Both have shape (S,) and the units of z and x. The errors of a seed whose samples are not
    finite are not finite either.

    Examples:
        >>> import torch
        >>> z = torch.zeros(1, 100, 2)
        >>> z_cycled = z + torch.tensor([3.0, -4.0])
        >>> samples = Samples(generated=z, real=z[0], z=z, z_cycled=z_cycled)
        >>> Reconstruction()(samples)  # (3 + 4) / 2
        {'z_error': tensor([3.5000], dtype=torch.float64)}
    """

    def missing(self, samples: Samples) -> str | None:
        if _available_cycles(samples):
            return None
        return "F(G(z)) and G(F(x)): the method has no inverse F"

    def protocol(self, samples: Samples) -> MetricProtocol:
        cycles = _available_cycles(samples)
        return {f"num_{name}": values.shape[1] for name, values in cycles.items()}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        if missing_input := self.missing(samples):
            raise InputError(f"reconstruction: missing {missing_input}")
        errors = _available_cycles(samples)
        if samples.z is not None and "z" in errors:
            errors["z"] = (samples.z[:, : errors["z"].shape[1]] - errors["z"]).abs()
        return {
            f"{name}_error": error.cpu().double().flatten(1).mean(1)
            for name, error in errors.items()
        }


def _available_cycles(samples: Samples) -> dict[str, Tensor]:
    """Return F(G(z)) and the errors of G(F(x)), where they are given."""
    z_cycled = None if samples.z is None else samples.z_cycled
    cycles = {"z": z_cycled, "x": samples.x_errors}
    return {name: values for name, values in cycles.items() if values is not None}
