"""Disentanglement of codes: whether each factor of variation has a dimension of its own.

All scores read a histogram of each dimension of the codes, with bins of equal width between its
smallest and its largest value.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from iidgan.errors import InputError
from iidgan.functional.histogram import count_bins

NUM_BINS = 20
"""Bins of a dimension of the codes, as of Locatello et al. (2019)."""
_ROUNDING = 1e-12  # nats; smaller information is that of independent numbers
_RIDGE = 1.0  # as if each bin had one more code, with the mean of the factor


class DCI(NamedTuple):
    """Disentanglement, completeness and informativeness, float64 scalars.

    Arguments:
        disentanglement: 1 if each dimension depends on one factor only, 0 on all of them equally.
        completeness: 1 if one dimension has all information on each factor, 0 if all have equally
            much.
        informativeness: Share of the variance of factors that the codes predict, at least 0.
    """

    disentanglement: Tensor
    completeness: Tensor
    informativeness: Tensor


def mutual_information_gap(codes: Tensor, factors: Tensor, num_bins: int = NUM_BINS) -> Tensor:
    """Compute the mutual information gap (MIG) of codes z and factors v.

        1/F sum_j (I(z_i; v_j) - max_{k ≠ i} I(z_k; v_j)) / H(v_j), with i = argmax_k I(z_k; v_j)

    It is 1 if each factor is a function of one dimension, and no other dimension depends on it; it
    is 0 if the two dimensions that know most of a factor know equally much. Information is that of
    the histogram, which is biased upwards by about (`num_bins` - 1) (K - 1) / (2n) nats for a
    factor of K values, for dimensions that know it and for others.

    Arguments:
        codes: Finite codes, with shape (n, M), M >= 2.
        factors: Values of factors, int64 with shape (n, F), at least 0; those that do not vary are
            left out.
        num_bins: Number of bins of each dimension.

    Returns:
        float64 scalar on the CPU.

    Raises:
        InputError: The shapes or values are others, or no factor varies.

    References:
        Isolating Sources of Disentanglement in Variational Autoencoders (Chen, Li, Grosse and
        Duvenaud, 2018), https://arxiv.org/abs/1802.04942; Challenging Common Assumptions in the
        Unsupervised Learning of Disentangled Representations (Locatello et al., 2019),
        https://arxiv.org/abs/1811.12359, for the histogram

    Examples:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(6))
        >>> mutual_information_gap(factors.float(), factors)
        tensor(1., dtype=torch.float64)
        >>> mutual_information_gap(factors.float()[:, [0, 0, 1]], factors)  # the first one twice
        tensor(0.5000, dtype=torch.float64)
    """
    bins, factors = _prepare(codes, factors, num_bins, min_factors=1)
    best, second = _relative_information(bins, factors, num_bins).topk(2, dim=0).values
    return (best - second).mean()


def dci_scores(codes: Tensor, factors: Tensor, num_bins: int = NUM_BINS) -> DCI:
    """Compute disentanglement, completeness and informativeness (DCI) of codes z and factors v.

    The importance of a dimension for a factor is R_ij = I(z_i; v_j) / H(v_j). With the entropies H
    of its rows and columns, divided by their sums,

        D = sum_i w_i (1 - H(R_i.) / log F), with w_i = sum_j R_ij / sum_kj R_kj
        C = 1/F sum_j (1 - H(R_.j) / log M)

    Informativeness is the share R² of the variance of a factor, as a number, that a sum of one
    function of each dimension explains on half of the codes: one value for each bin, fitted to the
    other half by ridge regression. It is 0 where the mean is closer, and averaged over factors.

    The publication trains a lasso, or a random forest, for each factor, takes importances from it,
    and its error for informativeness: values of another regressor cannot be compared. Mutual
    information needs no training, and is the same at every call. Its bias, that of
    `mutual_information_gap`, lowers D and C of good codes, and raises those of bad ones.

    Arguments:
        codes: Finite codes in any order, with shape (n, M), M >= 2.
        factors: Values of factors, int64 with shape (n, F), at least 0; those that do not vary are
            left out.
        num_bins: Number of bins of each dimension.

    Returns:
        The three scores, on the CPU. D and C are 0 if no dimension depends on a factor.

    Raises:
        InputError: The shapes or values are others, or fewer than two factors vary.

    References:
        A Framework for the Quantitative Evaluation of Disentangled Representations (Eastwood and
        Williams, 2018), https://openreview.net/forum?id=By-7dz-AZ

    Examples:
        >>> factors = torch.cartesian_prod(torch.arange(20), torch.arange(20))
        >>> [round(score.item(), 3) for score in dci_scores(factors.float(), factors)]
        [1.0, 1.0, 0.98]
        >>> total = factors.sum(1, keepdim=True) / 38  # depends on both
        >>> scores = dci_scores(torch.cat((total, 0 * total), 1), factors)
        >>> [round(score.item(), 3) for score in scores]
        [0.0, 1.0, 0.395]
    """
    bins, factors = _prepare(codes, factors, num_bins, min_factors=2)
    importance = _relative_information(bins, factors, num_bins)
    weights = importance.sum(1) / importance.sum().clamp_min(_ROUNDING)
    return DCI(
        (weights * _concentration(importance)).sum(),
        _concentration(importance.mT).mean(),
        _predictable_share(bins, factors, num_bins),
    )


def to_polar(codes: Tensor) -> Tensor:
    """Replace pairs of dimensions (0, 1), (2, 3), ... by their radius and angle.

    Arguments:
        codes: Codes, with shape (..., M) and an even M.

    Returns:
        Radius and angle, in (-π, π], of each pair in turn, with the same shape.

    Examples:
        >>> to_polar(torch.tensor([[0.0, 2.0, -3.0, 0.0]]))
        tensor([[2.0000, 1.5708, 3.0000, 3.1416]])
    """
    first, second = codes.unflatten(-1, (-1, 2)).unbind(-1)
    polar = torch.stack((torch.hypot(first, second), torch.atan2(second, first)), -1)
    return polar.flatten(-2)


def _prepare(
    codes: Tensor, factors: Tensor, num_bins: int, min_factors: int
) -> tuple[Tensor, Tensor]:
    """Return bins of codes (n, M), and the factors that vary, on the CPU."""
    if codes.ndim != 2 or codes.shape[1] < 2:
        raise InputError(f"codes: must have shape (n, M) with M >= 2, got {tuple(codes.shape)}")
    if factors.ndim != 2 or len(factors) != len(codes):
        raise InputError(
            f"factors: must have shape ({len(codes)}, F), as many rows as codes, got "
            f"{tuple(factors.shape)}"
        )
    codes, factors = codes.detach().cpu().double(), factors.cpu()
    if not codes.isfinite().all():
        raise InputError("codes: must be finite; leave out the others, and their factors")
    if (factors < 0).any():
        raise InputError(f"factors: must be >= 0, got {int(factors.min())}")
    varying = factors[:, (factors != factors[:1]).any(0)]
    if varying.shape[1] < min_factors:
        raise InputError(
            f"factors: {min_factors} or more must vary between the codes, but "
            f"{varying.shape[1]} of {factors.shape[1]} do"
        )
    offsets = codes - codes.amin(0)
    width = offsets.amax(0) / num_bins
    bins = (offsets / width.where(width > 0, 1)).long().clamp_max(num_bins - 1)
    return bins, varying


def _relative_information(bins: Tensor, factors: Tensor, num_bins: int) -> Tensor:
    """Compute I(z_i; v_j) / H(v_j): (n, M), (n, F) -> (M, F)."""
    return torch.stack([_information_on(bins, factor, num_bins) for factor in factors.mT], 1)


def _information_on(bins: Tensor, factor: Tensor, num_bins: int) -> Tensor:
    """Compute I(z_i; v) / H(v) of one factor: (n, M), (n,) -> (M,)."""
    num_values = int(factor.max()) + 1
    counts = count_bins((bins * num_values + factor[:, None]).mT, num_bins * num_values)
    joint = counts.unflatten(-1, (num_bins, num_values)).double() / len(factor)
    of_bins, of_values = joint.sum(-1, keepdim=True), joint.sum(-2, keepdim=True)
    information = (torch.xlogy(joint, joint) - torch.xlogy(joint, of_bins * of_values)).sum((1, 2))
    entropy = -torch.xlogy(of_values, of_values).sum((1, 2))
    return information.where(information > _ROUNDING, 0) / entropy


def _concentration(weights: Tensor) -> Tensor:
    """Compute 1 - H(p) / log K of weights (..., K), over their sum; 0 if all are 0."""
    total = weights.sum(-1, keepdim=True)
    p = weights / total.where(total > 0, 1)
    relative_entropy = -torch.xlogy(p, p).sum(-1) / math.log(weights.shape[-1])
    return (1 - relative_entropy).where(total.squeeze(-1) > 0, 0)


def _predictable_share(bins: Tensor, factors: Tensor, num_bins: int) -> Tensor:
    """Compute R² of factors on held-out codes, mean over factors, from indicators of bins."""
    order = torch.randperm(len(bins), generator=torch.Generator().manual_seed(0))
    fitted, held_out = order.chunk(2)
    indicators, values = one_hot(bins, num_bins).flatten(1).double(), factors.double()
    mean = values[fitted].mean(0)
    x, y = indicators[fitted], values[fitted] - mean
    ridge = _RIDGE * torch.eye(x.shape[1], dtype=x.dtype)
    predicted = mean + indicators[held_out] @ torch.linalg.solve(x.mT @ x + ridge, x.mT @ y)
    actual = values[held_out]
    squared_errors = (actual - predicted).square().sum(0)
    variances = (actual - actual.mean(0)).square().sum(0)
    return (1 - squared_errors / variances).clamp_min(0).mean()
