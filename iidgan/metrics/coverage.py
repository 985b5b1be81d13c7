"""How many modes of a known mixture the generator covers, how well, and how evenly."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import Metric, Mixture, Protocol, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram

_DISTANCES_AT_ONCE = 2**23  # float64: 64 MB


def assign(samples: Tensor, mixture: Mixture, k: float = 3.0) -> Tensor:
    """Finds the mode of each good sample: the nearest centre, if at most `k` std away.

    Arguments:
        samples: Points, with shape (S, N, d).
        mixture: Centres (K, d) and standard deviation of the modes.
        k: Largest Euclidean distance of a good sample from its centre, in std.

    Returns:
        Index of the centre, int64 with shape (S, N), on the CPU; -1 for a bad sample. A sample
        that is not finite is bad.
    """
    centres = mixture.centres.cpu().double()
    rows = max(1, _DISTANCES_AT_ONCE // len(centres))
    parts = torch.split(samples.cpu().flatten(0, -2), rows)
    index = [_nearest(part.double(), centres, k * mixture.std) for part in parts]
    return torch.cat(index).reshape(samples.shape[:-1])


def _nearest(points: Tensor, centres: Tensor, radius: float) -> Tensor:
    # Distances by matrix product cancel digits, and a radius is tiny beside a centre.
    distances = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist")
    nearest, index = distances.min(-1)
    return index.where(nearest <= radius, -1)


@dataclass(frozen=True, kw_only=True)
class ModeCoverage(Metric):
    r"""Counts modes, good samples and the imbalance between modes on a known mixture.

    A sample is good if its Euclidean distance to the nearest of the K centres is at most `k` std.
    Of N samples, n_i good ones have centre i as the nearest. Values, each with shape (S,):

    * `modes_T` for each T in `thresholds`: modes with n_i >= T.
    * `quality`: good samples in percent. The mixture itself has 100 (1 - exp(-k^2 / 2)) in two
      dimensions: 98.9 for k = 3.
    * `reverse_kl`: KL(p || uniform) of the good samples alone, p_i = n_i / sum n. The mixture
      itself has (K - 1) / (2N) on average, not 0: 0.00007 for 8 modes and 50,000 samples.
    * `reverse_kl_raw`: the same sum with p_i = n_i / N, as IID-GAN defines it. It may be negative
      and falls when quality falls: read it beside `reverse_kl`.
    * `forward_kl`: KL(uniform || p) with p_i = (n_i + 1/2) / (sum n + K/2), Jeffreys' estimate,
      since an empty mode would make it infinite.

    Logarithms are natural. Without any good sample there is no histogram: the three divergences
    are NaN, `quality` and the modes are 0. Samples that are not finite are bad.

    Sources: IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse, Li, Shi and Yan,
    2023, https://www.ijcai.org/proceedings/2023/437 (quality, raw reverse KL); VEEGAN: Reducing
    Mode Collapse in GANs using Implicit Variational Learning, Srivastava et al., 2017,
    https://arxiv.org/abs/1705.07761 (modes, good samples).

    Raises:
        InputError: `k` or a threshold is not positive.
    """

    k: float = 3.0
    """Largest distance of a good sample from its centre, in standard deviations."""

    thresholds: tuple[int, ...] = (1, 20, 100)
    """Numbers of good samples from which on a mode counts as covered."""

    def __post_init__(self) -> None:
        if not self.k > 0:
            raise InputError(f"k: {self.k} is not positive; good samples lie within k = 3 std")
        for threshold in self.thresholds:
            if threshold < 1:
                raise InputError(f"thresholds: {threshold} counts empty modes; the least is 1")

    def missing(self, samples: Samples) -> str | None:
        truth, generated = samples.truth, samples.generated
        if truth is None:
            return "the truth of the source: centres and std of a Gaussian mixture"
        dim = truth.centres.shape[-1]
        if generated.ndim != 3 or generated.shape[-1] != dim:
            return f"flat samples (S, N, {dim}) like the truth; they are {tuple(generated.shape)}"
        return None

    def protocol(self, samples: Samples) -> Protocol:
        truth = self._truth(samples)
        return {
            "k": self.k,
            "thresholds": ",".join(map(str, self.thresholds)),
            "num_generated": samples.generated.shape[1],
            "num_modes": len(truth.centres),
            "std": truth.std,
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names.
        """
        truth = self._truth(samples)
        counts = histogram.count(assign(samples.generated, truth, self.k), len(truth.centres))
        total = samples.generated.shape[1]
        modes = {f"modes_{t}": (counts >= t).sum(-1).double() for t in self.thresholds}
        return modes | {
            "quality": 100 * counts.sum(-1).double() / total,
            "reverse_kl": histogram.kl_to_uniform(counts),
            "reverse_kl_raw": histogram.kl_to_uniform_raw(counts, total),
            "forward_kl": histogram.kl_from_uniform(counts),
        }

    def _truth(self, samples: Samples) -> Mixture:
        lack = self.missing(samples)
        if samples.truth is None or lack:
            raise InputError(f"coverage: the samples lack {lack}")
        return samples.truth
