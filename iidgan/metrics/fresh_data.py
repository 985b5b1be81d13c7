"""Comparison with fresh samples of a known distribution, and what these score themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from iidgan.core import Distribution, GaussianMixture, Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.functional.scores.manifold import clipped_density_and_coverage
from iidgan.functional.scores.sliced_wasserstein import NUM_DIRECTIONS, sliced_wasserstein
from iidgan.metrics.coverage import ModeCoverage
from iidgan.metrics.mode_shares import ModeShares
from iidgan.records import FRESH_SUFFIX

REFERENCE_SEED, FRESH_SEED = 2**62, 2**62 + 1
"""Seeds that no data set has."""


class _TruthMetric(Metric):
    """A metric of points whose true distribution is known."""

    def missing(self, samples: Samples) -> str | None:
        if samples.truth is None:
            return "the true distribution of the source"
        if samples.generated.ndim != 3:
            return f"samples of shape (S, N, d), got {tuple(samples.generated.shape)}"
        return None

    def protocol(self, samples: Samples) -> MetricProtocol:
        return {**vars(self), "num_generated": samples.generated.shape[1]}

    def _require_truth(self, name: str, samples: Samples) -> Distribution:
        missing_input = self.missing(samples)
        if samples.truth is None or missing_input:
            raise InputError(f"{name}: missing {missing_input}")
        return samples.truth


@dataclass(frozen=True, kw_only=True)
class SlicedWasserstein(_TruthMetric):
    """Sliced 2-Wasserstein distance of the samples to the true distribution.

    The value `sliced_w2`, with shape (S,), is `iidgan.metrics.sliced_wasserstein` of the N
    samples to as many fresh ones in which the parts of the distribution, such as modes, have
    their exact shares. So what is random in it is the generated samples: with 50,000 samples in
    the plane, other fresh ones or more directions change it by less than 0.001. The distance of
    the true distribution itself is not 0, see `FreshData`.

    Examples:
        >>> from iidgan import Ring
        >>> truth = Ring().load().truth
        >>> x, _ = truth.draw(50_000, seed=1)
        >>> shifted = (x + torch.tensor([0.6, 0.8]))[None]  # by 1, which is 1 / sqrt(2) sliced
        >>> SlicedWasserstein()(Samples(shifted, x, truth=truth))["sliced_w2"].round(decimals=2)
        tensor([0.7100], dtype=torch.float64)
    """

    directions: int = NUM_DIRECTIONS
    """Smallest number of directions."""

    def __post_init__(self) -> None:
        if self.directions < 1:
            raise InputError(f"directions: must be >= 1, got {self.directions}")

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the value above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        truth = self._require_truth("sliced-wasserstein", samples)
        num_samples = samples.generated.shape[1]
        reference, _ = truth.draw_evenly(num_samples, REFERENCE_SEED)
        distances = sliced_wasserstein(
            reference, samples.generated.cpu(), num_directions=self.directions
        )
        return {"sliced_w2": distances}


@dataclass(frozen=True, kw_only=True)
class PointCoverage(_TruthMetric):
    """Clipped coverage and density of points of a known distribution without modes.

    Where modes cannot be counted, the data themselves are the partition: balls around fresh
    samples that reach to their k-th neighbours. Values, with shape (S,):

    * `point_coverage`, `point_density`: those of `iidgan.metrics.clipped_density_and_coverage` of
      the first `max_samples` samples and as many fresh ones. About the share of the distribution
      that is covered, and of the samples that lie on it; both are about 1 of the distribution.

    Examples:
        >>> from iidgan import Moons
        >>> moons = Moons()
        >>> x, labels = moons.draw(5_000, seed=1)
        >>> upper = x[labels == 0][None, :2_000]
        >>> values = PointCoverage()(Samples(upper, x, truth=moons))
        >>> values["point_coverage"].round(decimals=1), values["point_density"].round(decimals=1)
        (tensor([0.5000], dtype=torch.float64), tensor([1.], dtype=torch.float64))
    """

    k: int = 5
    """Number of neighbours."""
    max_samples: int = 2_500
    """Largest number of samples, and of fresh ones."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InputError(f"k: must be >= 1, got {self.k}")
        if self.max_samples <= self.k:
            raise InputError(
                f"max_samples: must be above k, which is {self.k}, got {self.max_samples}"
            )

    def missing(self, samples: Samples) -> str | None:
        if isinstance(samples.truth, GaussianMixture):
            return "a distribution without modes: those of mixtures are counted"
        if samples.generated.shape[1] <= self.k:
            return f"at least {self.k + 1} samples"
        return super().missing(samples)

    def protocol(self, samples: Samples) -> MetricProtocol:
        return {"k": self.k, "num_generated": self._count(samples)}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        truth = self._require_truth("point-coverage", samples)
        num_samples = self._count(samples)
        reference, _ = truth.draw(num_samples, REFERENCE_SEED)
        scores = clipped_density_and_coverage(
            reference, samples.generated[:, :num_samples].cpu().float(), self.k
        )
        return {"point_coverage": scores.coverage, "point_density": scores.density}

    def _count(self, samples: Samples) -> int:
        return min(samples.generated.shape[1], self.max_samples)


_COMPARED: tuple[Metric, ...] = (
    ModeCoverage(),
    ModeShares(),
    SlicedWasserstein(),
    PointCoverage(),
)
_COMPARED_VALUES = (
    *("quality", "reverse_kl", "forward_kl", "modes_due_50", "modes_due_20"),
    *("sliced_w2", "point_coverage", "point_density"),
)


@dataclass(frozen=True, kw_only=True)
class FreshData(_TruthMetric):
    """What independent samples of the true distribution score, as many as the generated ones.

    No generator can be told from a perfect one beyond these values: below them for divergences
    and distances, above them for quality and coverage. They are named after the values of other
    metrics, such as `reverse_kl_fresh` and `sliced_w2_fresh`, and are equal for all seeds, with
    shape (S,): means of `draws` sets of samples.

    Examples:
        >>> from iidgan import Ring
        >>> truth = Ring().load().truth
        >>> samples = Samples(torch.zeros(1, 50_000, 2), truth.centres, truth=truth)
        >>> values = FreshData()(samples)
        >>> values["quality_fresh"].round(), values["modes_due_50_fresh"]
        (tensor([99.], dtype=torch.float64), tensor([8.], dtype=torch.float64))
    """

    draws: int = 3
    """Number of sets of samples whose values are averaged."""

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise InputError(f"draws: must be >= 1, got {self.draws}")

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        truth = self._require_truth("fresh-data", samples)
        num_seeds, num_samples, _ = samples.generated.shape
        draws = [truth.draw(num_samples, FRESH_SEED + i)[0] for i in range(self.draws)]
        fresh_samples = replace(samples, generated=torch.stack(draws))
        values: dict[str, Tensor] = {}
        for metric in _COMPARED:
            if metric.missing(fresh_samples) is None:
                values |= metric(fresh_samples)
        return {
            f"{name}{FRESH_SUFFIX}": values[name].mean().repeat(num_seeds)
            for name in _COMPARED_VALUES
            if name in values
        }
