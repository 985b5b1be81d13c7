"""Histograms over bins of real samples: statistically different bins and their divergence."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.functional.histogram import count_bins
from iidgan.functional.scores.neighbours import nearest_neighbours
from iidgan.functional.scores.seeds import check_features, check_sets, score_seeds

_MAX_ROUNDS = 10  # of ten iterations of k-means
_MAX_CHUNK_ELEMENTS = 2**16  # float64: 0.5 MB


class BinScores(NamedTuple):
    """Comparison of real and generated samples over bins.

    Arguments:
        different_bins: Share of bins with significantly different proportions (NDB / K).
        js_divergence: Jensen-Shannon divergence of the histograms, in nats.
    """

    different_bins: Tensor
    js_divergence: Tensor


def bin_scores(
    real: Tensor,
    fake: Tensor,
    *,
    num_bins: int = 100,
    significance: float = 0.05,
    seed: int = 0,
) -> BinScores:
    """Compute the share of statistically different bins, and the Jensen-Shannon divergence.

    K-means of the real samples gives K bins, the Voronoi cells of the centres. A bin with the
    proportions p of N real samples and q of N' generated ones is different if

        |p - q| / √(P (1 - P) (1/N + 1/N')) > z, with P = (N p + N' q) / (N + N')

    for the two-sided quantile z of the normal distribution. The divergence is `js_divergence` of
    the two histograms.

    Of equal distributions, the share is about `significance`, and the divergence about
    (K - 1) (1/N + 1/N') / 8, not 0. The share grows with the number of samples, until any
    difference is significant: compare equal numbers only. Both depend on the bins, and thus on
    the features and the seed; they see nothing of the distribution within a bin, and no copies.
    Time is O(N D K) an iteration of k-means, which works in float64: in float32 it ends at other
    bins.

    Arguments:
        real: Features of real samples, with shape (N, D), N of at least `num_bins`.
        fake: Features of generated samples, with shape (N', D) or (S, N', D).
        num_bins: Number of bins K, at least 2.
        significance: Probability of a different bin for equal distributions, in (0, 1).
        seed: Seed of k-means, by an own generator.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite. The share
        lies in [0, 1], the divergence in [0, ln 2].

    Raises:
        InputError: The arguments are not as described.

    References:
        On GANs and GMMs (Richardson and Weiss, 2018), https://arxiv.org/abs/1805.12462

    Examples:
        >>> real = torch.tensor([[0.0], [10.0]]).repeat(50, 1)
        >>> collapsed = torch.zeros(100, 1)
        >>> bin_scores(real, collapsed, num_bins=2)
        BinScores(different_bins=tensor(1., dtype=torch.float64), js_divergence=tensor(0.2158, \
dtype=torch.float64))
    """
    check_sets(real, fake)
    centres = cluster(real, num_bins, seed=seed)
    real_counts = count_bins(assign_bins(real, centres), num_bins)

    def score(features: Tensor) -> BinScores:
        counts = count_bins(assign_bins(features, centres), num_bins)
        return compare_bins(real_counts, counts, significance=significance)

    return BinScores(*score_seeds(score, fake))


def compare_bins(
    real_counts: Tensor, fake_counts: Tensor, *, significance: float = 0.05
) -> BinScores:
    """Compute the scores of `bin_scores` from the numbers of samples in the bins.

    Arguments:
        real_counts: Numbers of real samples, int64 with shape (K,).
        fake_counts: Numbers of generated samples, int64 with shape (K,).
        significance: Probability of a different bin for equal distributions, in (0, 1).

    Returns:
        float64 with shape ().

    Raises:
        InputError: `significance` is not in (0, 1).

    Examples:
        >>> compare_bins(torch.tensor([50, 50]), torch.tensor([50, 50])).different_bins
        tensor(0., dtype=torch.float64)
    """
    if not 0 < significance < 1:
        raise InputError(f"significance: must be in (0, 1), got {significance}")
    quantile = torch.special.ndtri(torch.tensor(1 - significance / 2, dtype=torch.float64))
    is_different = compare_proportions(real_counts, fake_counts).abs() > quantile
    return BinScores(is_different.double().mean(), js_divergence(real_counts, fake_counts))


def assign_bins(features: Tensor, centres: Tensor) -> Tensor:
    """Assign each sample to the bin of the nearest centre.

    Arguments:
        features: Features, with shape (N, D).
        centres: Centres of the bins, such as those of `cluster`, with shape (K, D).

    Returns:
        Indices of the bins, int64 with shape (N,), on the CPU.

    Examples:
        >>> assign_bins(torch.tensor([[0.2], [0.9]]), torch.tensor([[0.0], [1.0]]))
        tensor([0, 1])
    """
    _, indices = nearest_neighbours(features, centres.to(features.device))
    return indices[:, 0].cpu()


def js_divergence(counts: Tensor, other_counts: Tensor) -> Tensor:
    """Compute the Jensen-Shannon divergence between two normalised histograms.

        ½ KL(p ‖ r) + ½ KL(q ‖ r), with r = ½ (p + q)

    It is symmetric, in [0, ln 2], and finite also where bins are empty. Its root is a distance,
    which is what `scipy.spatial.distance.jensenshannon` returns.

    Arguments:
        counts: Counts or proportions, with shape (..., K).
        other_counts: Those of the other histogram, with a shape that broadcasts with it.

    Returns:
        float64 with the shape of both, without K, in nats; NaN where all counts of one are zero.

    References:
        Divergence Measures Based on the Shannon Entropy (Lin, 1991),
        https://doi.org/10.1109/18.61115

    Examples:
        >>> js_divergence(torch.tensor([5, 0]), torch.tensor([0, 7]))  # ln 2
        tensor(0.6931, dtype=torch.float64)
    """
    p, q = (x.double() / x.sum(-1, keepdim=True) for x in (counts, other_counts))
    mixture = (p + q) / 2
    terms = torch.xlogy(p, p) + torch.xlogy(q, q) - 2 * torch.xlogy(mixture, mixture)
    return terms.sum(-1).clamp_min(0) / 2


def cluster(features: Tensor, num_clusters: int, *, seed: int = 0) -> Tensor:
    """Compute the centres of k-means clusters, in float64.

    Lloyd's iterations, at most 100, from centres by k-means++: each is a sample, drawn with a
    probability proportional to the squared distance to the nearest centre before it. The result
    is a local optimum, which depends on the seed.

    Arguments:
        features: Finite features, with shape (N, D).
        num_clusters: Number of clusters, at least 2 and at most N.
        seed: Seed of the initial centres, by an own generator.

    Returns:
        Centres, float64 with shape (`num_clusters`, D), on the CPU. If there are fewer different
        samples than clusters, some centres are equal.

    Raises:
        InputError: The arguments are not as described.

    References:
        k-means++: The Advantages of Careful Seeding (Arthur and Vassilvitskii, 2007),
        https://dl.acm.org/doi/10.5555/1283383.1283494

    Examples:
        >>> features = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
        >>> cluster(features, 2).sort(0).values
        tensor([[ 0.5000],
                [10.5000]], dtype=torch.float64)
    """
    from scipy.cluster.vq import kmeans2  # takes half a second to import

    check_features("features", features)
    if not 2 <= num_clusters <= len(features):
        raise InputError(
            f"num_bins: must be in [2, {len(features)}], the number of samples, got {num_clusters}"
        )
    data = features.detach().double().cpu().numpy()
    mean = data.mean(0)
    data = data - mean
    centres = _initial_centres(data, num_clusters, np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One of the clusters is empty")  # equal samples
        previous_error = math.inf  # sum of squared distances
        for _ in range(_MAX_ROUNDS):
            centres, labels = kmeans2(data, centres, iter=10, minit="matrix")
            error = float(np.square(data - centres[labels]).sum())
            if error >= previous_error * (1 - 1e-6):
                break
            previous_error = error
    return torch.from_numpy(centres + mean)


def _initial_centres(
    data: np.ndarray, num_clusters: int, generator: np.random.Generator
) -> np.ndarray:
    centres = [data[generator.integers(len(data))]]
    min_distances = np.full(len(data), math.inf)
    for _ in range(num_clusters - 1):
        min_distances = np.minimum(min_distances, _squared_distances(data, centres[-1]))
        total = min_distances.sum()
        probabilities = min_distances / total if total > 0 else None
        centres.append(data[generator.choice(len(data), p=probabilities)])
    return np.stack(centres)


def _squared_distances(data: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Compute squared distances from a point, in chunks that stay in the cache."""
    chunks = np.array_split(data, math.ceil(data.size / _MAX_CHUNK_ELEMENTS))
    differences = (chunk - centre for chunk in chunks)
    return np.concatenate([np.einsum("nd,nd->n", chunk, chunk) for chunk in differences])


def compare_proportions(counts: Tensor, other_counts: Tensor) -> Tensor:
    """Compute the z statistics of equal proportions of each bin in two histograms.

        (q - p) / √(P (1 - P) (1/N + 1/N')), with P = (N p + N' q) / (N + N')

    Arguments:
        counts: Counts of N samples, with shape (K,).
        other_counts: Counts of N' samples, with shape (K,).

    Returns:
        float64 with shape (K,), positive where the second has more; 0 for bins that are empty, or
        hold everything, in both.

    Examples:
        >>> compare_proportions(torch.tensor([50, 50]), torch.tensor([60, 40])).round(decimals=4)
        tensor([ 1.4213, -1.4213], dtype=torch.float64)
    """
    n, m = counts.sum(), other_counts.sum()
    pooled = (counts + other_counts) / (n + m)
    variances = pooled.double() * (1 - pooled) * (1 / n + 1 / m)
    differences = (other_counts / m - counts / n).double()
    return (differences / variances.sqrt()).where(variances > 0, 0)
