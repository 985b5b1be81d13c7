"""Disentanglement of the codes of real data with known factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from iidgan.core import Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.functional.scores.disentanglement import (
    NUM_BINS,
    dci_scores,
    mutual_information_gap,
    to_polar,
)


@dataclass(frozen=True, kw_only=True)
class Disentanglement(Metric):
    """Whether single dimensions of the codes F(x) of real data are single factors of the data.

    Values, each with shape (S,), from about 0 to 1, of n codes with M dimensions:

    * `mig`: the mutual information gap, as of `iidgan.metrics.mutual_information_gap`: by how much
      the dimension that knows most of a factor knows more of it than any other.
    * `dci_disentanglement`, `dci_completeness`, `dci_informativeness`: as of
      `iidgan.metrics.dci_scores`: whether a dimension depends on one factor only, whether a factor
      is in one dimension only, and how well the codes predict the factors.

    In polar coordinates, the dimensions are radius and angle of pairs of latents (0, 1), (2, 3),
    ..., and the names end in `_polar`. Random codes have about 0 everywhere, and codes that
    are the factors 1. For other codes, many latents make larger values of `mig` less likely:
    compare equal M only.

    Factors that do not vary are left out; everything is NaN for a seed whose codes are not finite.

    Raises:
        InputError: `bins` is below 2.

    References:
        Isolating Sources of Disentanglement in Variational Autoencoders (Chen, Li, Grosse and
        Duvenaud, 2018), https://arxiv.org/abs/1802.04942; A Framework for the Quantitative
        Evaluation of Disentangled Representations (Eastwood and Williams, 2018),
        https://openreview.net/forum?id=By-7dz-AZ; IID-GAN: an IID Sampling Perspective for
        Regularizing Mode Collapse (Li, Shi and Yan, 2023),
        https://www.ijcai.org/proceedings/2023/437, for polar coordinates

    Examples:
        >>> from iidgan.core import Factors
        >>> values = torch.cartesian_prod(torch.arange(10), torch.arange(10))
        >>> radius, angle = 1 + values[:, 0], values[:, 1] / 2
        >>> codes = torch.stack((radius * angle.cos(), radius * angle.sin()), 1)[None]
        >>> samples = Samples(
        ...     generated=codes,
        ...     real=torch.zeros(100, 1, 8, 8),
        ...     codes=codes,
        ...     real_factors=Factors(("width", "height"), values),
        ... )
        >>> Disentanglement(coordinates="polar")(samples)["mig_polar"].round(decimals=3)
        tensor([1.], dtype=torch.float64)
        >>> bool(Disentanglement()(samples)["mig"] < 0.1)
        True
    """

    coordinates: Literal["cartesian", "polar"] = "cartesian"
    """Coordinates of the codes; `polar` takes radius and angle of each pair of latents."""

    bins: int = NUM_BINS
    """Number of bins of equal width of the histogram of a dimension."""

    def __post_init__(self) -> None:
        if self.bins < 2:
            raise InputError(f"bins: must be >= 2, got {self.bins}; the default is {NUM_BINS}")

    def missing(self, samples: Samples) -> str | None:
        if samples.codes is None:
            return "codes F(x) of real data: the method has no inverse F"
        if samples.real_factors is None:
            return "factors of the real samples: those of the data are not known"
        _, num_codes, latent = samples.codes.shape
        if latent < 2 or (self.coordinates == "polar" and latent % 2):
            expected = "an even number of" if self.coordinates == "polar" else "at least two"
            return f"{expected} latents, got {latent}"
        if num_codes < 2 * self.bins:
            return f"{2 * self.bins} codes per seed, two for each bin, got {num_codes}"
        values = samples.real_factors.values[:num_codes]
        num_varying = int((values != values[:1]).any(0).sum())
        return f"two factors that vary, got {num_varying}" if num_varying < 2 else None

    def protocol(self, samples: Samples) -> MetricProtocol:
        codes, _ = self._require_inputs(samples)
        assert samples.real_factors is not None
        return {
            **vars(self),
            "num_codes": codes.shape[1],
            "latent": codes.shape[2],
            "factors": ", ".join(samples.real_factors.names),
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        codes, factors = self._require_inputs(samples)
        scores = torch.stack([self._score_seed(seed_codes, factors) for seed_codes in codes])
        suffix = "_polar" if self.coordinates == "polar" else ""
        names = "mig", "dci_disentanglement", "dci_completeness", "dci_informativeness"
        return {f"{name}{suffix}": values for name, values in zip(names, scores.mT)}

    def _score_seed(self, codes: Tensor, factors: Tensor) -> Tensor:
        if not codes.isfinite().all():
            return torch.full((4,), torch.nan, dtype=torch.float64)
        gap = mutual_information_gap(codes, factors, self.bins)
        return torch.stack((gap, *dci_scores(codes, factors, self.bins)))

    def _require_inputs(self, samples: Samples) -> tuple[Tensor, Tensor]:
        """Return the codes in the coordinates of the metric, and their factors."""
        missing_input = self.missing(samples)
        if samples.codes is None or samples.real_factors is None or missing_input:
            raise InputError(f"disentanglement: missing {missing_input}")
        codes = to_polar(samples.codes) if self.coordinates == "polar" else samples.codes
        return codes, samples.real_factors.values[: codes.shape[1]]


def polar_disentanglement() -> Disentanglement:
    """Disentanglement of the codes in polar coordinates: radius and angle of pairs of latents."""
    return Disentanglement(coordinates="polar")
