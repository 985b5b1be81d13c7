"""Mode coverage on a known Gaussian mixture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import GaussianMixture, Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram

_MAX_DISTANCES = 2**23  # float64: 64 MB


def good_radius(mixture: GaussianMixture, k: float = 3.0) -> float:
    """Return the largest distance of a good sample from its centre, by `mode_distances`.

    It is k σ in one and two dimensions. In d > 2 it is r σ such that a ball of it has as large a
    share of a mode as one of k σ has in two:

        P(chi²_d <= r²) = 1 - exp(-k² / 2)

    since hardly any sample of a mode of many dimensions is within 3 σ: their distances are about
    sqrt(d) σ.

    Arguments:
        mixture: Centres (K, d) and standard deviation σ of the modes.
        k: The radius in the plane, in standard deviations.

    Examples:
        >>> round(good_radius(GaussianMixture(torch.zeros(1, 2), std=0.5)), 2)
        1.5
        >>> round(good_radius(GaussianMixture(torch.zeros(1, 128), std=1.0)), 2)
        12.94
    """
    num_dimensions = mixture.centres.shape[-1]
    if num_dimensions <= 2:
        return k * mixture.std
    from scipy.special import gammainccinv  # on use, since every training imports this module

    return math.sqrt(2 * gammainccinv(num_dimensions / 2, math.exp(-(k**2) / 2))) * mixture.std


def assign_modes(samples: Tensor, mixture: GaussianMixture, k: float = 3.0) -> Tensor:
    """Find the mode of each good sample: the nearest centre, if at most `good_radius` away.

    Distances are in units of a mode's own width (`GaussianMixture.mode_distances`): they are
    Euclidean where all modes are isotropic and equally wide.

    Arguments:
        samples: Points, with shape (S, N, d).
        mixture: Centres (K, d) and standard deviation of the modes.
        k: The radius of good samples in the plane, in std.

    Returns:
        Index of the centre, int64 with shape (S, N), on the CPU; -1 for bad samples, including
        those that are not finite.

    Examples:
        >>> mixture = GaussianMixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), std=0.1)
        >>> samples = torch.tensor([[[-1.0, 0.0], [1.2, 0.0], [1.4, 0.0]]])
        >>> assign_modes(samples, mixture)  # the last one is 4 std away from its centre
        tensor([[ 0,  1, -1]])
    """
    chunk_size = max(1, _MAX_DISTANCES // len(mixture.centres))
    radius = good_radius(mixture, k)
    chunks = torch.split(samples.cpu().flatten(0, -2), chunk_size)
    chunk_modes = [_assign_chunk(chunk, mixture, radius) for chunk in chunks]
    return torch.cat(chunk_modes).reshape(samples.shape[:-1])


def _assign_chunk(points: Tensor, mixture: GaussianMixture, radius: float) -> Tensor:
    min_distances, nearest_modes = mixture.mode_distances(points).min(-1)
    return nearest_modes.where(min_distances <= radius, -1)


@dataclass(frozen=True, kw_only=True)
class ModeCoverage(Metric):
    """Number of covered modes, good samples and imbalance between modes of a known mixture.

    A sample is good if its Euclidean distance to the nearest of the K centres is at most `k` std,
    or in more than two dimensions what leaves out as few samples of a mode (`good_radius`). Of N
    samples, n_i good ones have centre i as the nearest. Values, each with shape (S,):

    * `modes_T` for each T in `thresholds`: modes with n_i >= T.
    * `quality`: good samples in percent. The mixture itself has 100 (1 - exp(-k²/2)) in two
      dimensions or more: 98.9 for k = 3.
    * `reverse_kl`: KL(p ‖ w) of the good samples alone, p_i = n_i / sum n, from the weights w of
      the modes, 1 / K unless the mixture has others. Modes that do not overlap have
      (K - 1) / (2N) on average, not 0: 0.00007 for 8 modes and 50,000 samples.
    * `reverse_kl_raw`: the same sum with p_i = n_i / N, as IID-GAN defines it. It may be negative
      and decreases with quality: read it together with `reverse_kl`.
    * `forward_kl`: KL(w ‖ p) with p_i = (n_i + ½) / (sum n + K/2), Jeffreys' estimate,
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
    """Largest distance of a good sample from its centre in the plane, in standard deviations."""

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
        if not isinstance(truth, GaussianMixture):
            return "the true mixture of the source: centres and std"
        num_dimensions = truth.centres.shape[-1]
        if generated.ndim != 3 or generated.shape[-1] != num_dimensions:
            return f"samples of shape (S, N, {num_dimensions}), got {tuple(generated.shape)}"
        return None

    def protocol(self, samples: Samples) -> MetricProtocol:
        truth = self._require_truth(samples)
        protocol: dict[str, int | float | str] = {
            "k": self.k,
            "thresholds": ",".join(map(str, self.thresholds)),
            "num_generated": samples.generated.shape[1],
            "num_modes": len(truth.centres),
            "std": truth.std,
        }
        if truth.centres.shape[-1] > 2:
            protocol["radius"] = good_radius(truth, self.k)
        if truth.weights:
            protocol["weights"] = ",".join(map(str, truth.weights))
        return protocol

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        truth = self._require_truth(samples)
        assigned_modes = assign_modes(samples.generated, truth, self.k)
        counts = histogram.count_bins(assigned_modes, len(truth.centres))
        num_samples = samples.generated.shape[1]
        weights = torch.tensor(truth.weights, dtype=torch.float64) if truth.weights else None
        modes = {f"modes_{t}": (counts >= t).sum(-1).double() for t in self.thresholds}
        return modes | {
            "quality": 100 * counts.sum(-1).double() / num_samples,
            "reverse_kl": histogram.kl_to_weights(counts, weights),
            "reverse_kl_raw": histogram.kl_to_weights_raw(counts, num_samples, weights),
            "forward_kl": histogram.kl_from_weights(counts, weights),
        }

    def _require_truth(self, samples: Samples) -> GaussianMixture:
        missing_input = self.missing(samples)
        if not isinstance(samples.truth, GaussianMixture) or missing_input:
            raise InputError(f"coverage: missing {missing_input}")
        return samples.truth
