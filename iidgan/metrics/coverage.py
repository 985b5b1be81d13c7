"""Mode coverage on a known Gaussian mixture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import GaussianMixture, Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram

_MAX_DISTANCES = 2**23  # float64: 64 MB


def assign_modes(samples: Tensor, mixture: GaussianMixture, k: float = 3.0) -> Tensor:
    """Find the mode of each good sample: the nearest centre, if at most `k` std away.

    Arguments:
        samples: Points, with shape (S, N, d).
        mixture: Centres (K, d) and standard deviation of the modes.
        k: Largest Euclidean distance of a good sample from its centre, in std.

    Returns:
        Index of the centre, int64 with shape (S, N), on the CPU; -1 for bad samples, including
        those that are not finite.

    Examples:
        >>> mixture = GaussianMixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), std=0.1)
        >>> samples = torch.tensor([[[-1.0, 0.0], [1.2, 0.0], [1.4, 0.0]]])
        >>> assign_modes(samples, mixture)  # the last one is 4 std away from its centre
        tensor([[ 0,  1, -1]])
    """
    centres = mixture.centres.cpu().double()
    chunk_size = max(1, _MAX_DISTANCES // len(centres))
    chunks = torch.split(samples.cpu().flatten(0, -2), chunk_size)
    chunk_modes = [_assign_chunk(chunk.double(), centres, k * mixture.std) for chunk in chunks]
    return torch.cat(chunk_modes).reshape(samples.shape[:-1])


def _assign_chunk(points: Tensor, centres: Tensor, radius: float) -> Tensor:
    # Distances by matrix products lose digits, and the radius is small relative to the centres.
    distances = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist")
    min_distances, nearest_modes = distances.min(-1)
    return nearest_modes.where(min_distances <= radius, -1)


@dataclass(frozen=True, kw_only=True)
class ModeCoverage(Metric):
    """Number of covered modes, good samples and imbalance between modes of a known mixture.

    A sample is good if its Euclidean distance to the nearest of the K centres is at most `k` std.
    Of N samples, n_i good ones have centre i as the nearest. Values, each with shape (S,):

    * `modes_T` for each T in `thresholds`: modes with n_i >= T.
    * `quality`: good samples in percent. The mixture itself has 100 (1 - exp(-k²/2)) in two
      dimensions: 98.9 for k = 3.
    * `reverse_kl`: KL(p ‖ uniform) of the good samples alone, p_i = n_i / sum n. The mixture
      itself has (K - 1) / (2N) on average, not 0: 0.00007 for 8 modes and 50,000 samples.
    * `reverse_kl_raw`: the same sum with p_i = n_i / N, as IID-GAN defines it. It may be negative
      and decreases with quality: read it together with `reverse_kl`.
    * `forward_kl`: KL(uniform ‖ p) with p_i = (n_i + ½) / (sum n + K/2), Jeffreys' estimate,
      since one empty mode would make it infinite.

    Logarithms are natural. Without good samples, the three divergences are NaN, and `quality` and
    the modes are 0. Samples that are not finite are bad.

    Raises:
        InputError: `k` or a threshold is not positive.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, for the quality and the raw reverse KL;
        VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava et
        al., 2017), https://arxiv.org/abs/1705.07761, for modes and good samples

    Examples:
        >>> truth = GaussianMixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), std=0.1)
        >>> collapsed = truth.centres[:1].expand(1, 1000, 2)  # one seed, all samples in one mode
        >>> samples = Samples(generated=collapsed, real=truth.centres, truth=truth)
        >>> values = ModeCoverage(thresholds=(1,))(samples)
        >>> values["modes_1"].item(), values["quality"].item()
        (1.0, 100.0)
        >>> values["reverse_kl"]  # ln(2 / 1)
        tensor([0.6931], dtype=torch.float64)
    """

    k: float = 3.0
    """Largest distance of a good sample from its centre, in standard deviations."""

    thresholds: tuple[int, ...] = (1, 20, 100)
    """Smallest numbers of good samples for which a mode counts as covered."""

    def __post_init__(self) -> None:
        if not self.k > 0:
            raise InputError(f"k: must be > 0, got {self.k}; the default is 3 standard deviations")
        for threshold in self.thresholds:
            if threshold < 1:
                raise InputError(f"thresholds: must be >= 1, got {threshold}")

    def missing(self, samples: Samples) -> str | None:
        truth, generated = samples.truth, samples.generated
        if truth is None:
            return "the true mixture of the source: centres and std"
        num_dimensions = truth.centres.shape[-1]
        if generated.ndim != 3 or generated.shape[-1] != num_dimensions:
            return f"samples of shape (S, N, {num_dimensions}), got {tuple(generated.shape)}"
        return None

    def protocol(self, samples: Samples) -> MetricProtocol:
        truth = self._require_truth(samples)
        return {
            "k": self.k,
            "thresholds": ",".join(map(str, self.thresholds)),
            "num_generated": samples.generated.shape[1],
            "num_modes": len(truth.centres),
            "std": truth.std,
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        truth = self._require_truth(samples)
        assigned_modes = assign_modes(samples.generated, truth, self.k)
        counts = histogram.count_bins(assigned_modes, len(truth.centres))
        num_samples = samples.generated.shape[1]
        modes = {f"modes_{t}": (counts >= t).sum(-1).double() for t in self.thresholds}
        return modes | {
            "quality": 100 * counts.sum(-1).double() / num_samples,
            "reverse_kl": histogram.kl_to_uniform(counts),
            "reverse_kl_raw": histogram.kl_to_uniform_raw(counts, num_samples),
            "forward_kl": histogram.kl_from_uniform(counts),
        }

    def _require_truth(self, samples: Samples) -> GaussianMixture:
        missing_input = self.missing(samples)
        if samples.truth is None or missing_input:
            raise InputError(f"coverage: missing {missing_input}")
        return samples.truth
