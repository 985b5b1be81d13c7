"""Modes that have at least a share of the samples that are their due."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from iidgan.core import GaussianMixture, Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram
from iidgan.metrics.coverage import ModeCoverage, assign_modes


@dataclass(frozen=True, kw_only=True)
class ModeShares(Metric):
    """Number of modes with at least a share of their own weight, however small that is.

    A threshold in samples, as of `ModeCoverage`, asks more of rare modes than of frequent ones.
    Here mode i counts if n_i >= a w_i n, where n_i of n good samples are in it, and w_i is its
    weight in the mixture. Value, with shape (S,), for each share a in `shares`, in percent:

    * `modes_due_50`, `modes_due_20`: modes with at least half, or a fifth, of their due.

    As for the divergences, shares are of the good samples alone; without any, the values are 0.

    Raises:
        InputError: `k` is not positive, or a share is not in (0, 1].

    Examples:
        >>> import torch
        >>> truth = GaussianMixture(
        ...     torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), std=0.1, weights=(0.99, 0.01)
        ... )
        >>> modes = torch.tensor([0] * 997 + [1] * 3)  # 0.3 % of the samples instead of 1 %
        >>> samples = Samples(truth.centres[modes][None], truth.centres, truth=truth)
        >>> values = ModeShares()(samples)
        >>> values["modes_due_50"].item(), values["modes_due_20"].item()
        (1.0, 2.0)
    """

    k: float = 3.0
    """Largest distance of a good sample from its centre in the plane, in standard deviations."""

    shares: tuple[float, ...] = (0.5, 0.2)
    """Smallest shares of its due for which a mode counts."""

    def __post_init__(self) -> None:
        if not self.k > 0:
            raise InputError(f"k: must be > 0, got {self.k}; the default is 3 standard deviations")
        for share in self.shares:
            if not 0 < share <= 1:
                raise InputError(f"shares: must be in (0, 1], got {share}")

    def missing(self, samples: Samples) -> str | None:
        return ModeCoverage().missing(samples)

    def protocol(self, samples: Samples) -> MetricProtocol:
        """Return that of `ModeCoverage`, with the shares instead of the thresholds."""
        protocol = dict(ModeCoverage(k=self.k).protocol(samples))
        return protocol | {"thresholds": ",".join(f"{share:g}" for share in self.shares)}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        truth, missing_input = samples.truth, self.missing(samples)
        if not isinstance(truth, GaussianMixture) or missing_input:
            raise InputError(f"mode-shares: missing {missing_input}")
        modes = assign_modes(samples.generated, truth, self.k)
        counts = histogram.count_bins(modes, len(truth.centres)).double()
        due = truth.probabilities * counts.sum(-1, keepdim=True)
        return {
            f"modes_due_{round(100 * share)}": ((counts >= share * due) & (counts > 0))
            .sum(-1)
            .double()
            for share in self.shares
        }
