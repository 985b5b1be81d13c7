"""The kernel distance: the squared maximum mean discrepancy with a polynomial kernel."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.functional.scores.seeds import check_sets, score_seeds


class KernelDistance(NamedTuple):
    """Mean and spread of the kernel distance over subsets.

    Arguments:
        mean: Mean over the subsets.
        std: Standard deviation over the subsets, which divides by their number; NaN of one.
    """

    mean: Tensor
    std: Tensor


def kernel_distance(
    real: Tensor,
    fake: Tensor,
    *,
    subset_size: int | None = 1000,
    num_subsets: int = 100,
    seed: int = 0,
) -> KernelDistance:
    """Compute the unbiased squared maximum mean discrepancy with the kernel (⟨x, y⟩ / D + 1)³.

        mean of k(x, x') over x ≠ x'  +  mean of k(y, y') over y ≠ y'  -  2 mean of k(x, y)

    averaged over random subsets. Its mean is 0 for equal distributions, whatever the number of
    samples, so that it may be negative. On the features of an Inception network it is the KID.

    The subsets of each side are drawn without replacement by an own generator. They overlap, so
    that the standard deviation over them is no standard error: `parts_interval` gives an interval.

    It sees moments up to the third, and neither copies nor the modes that are missing in detail.
    The kernel is not invariant to shifts: with features of a large mean, the differences of large
    values are mostly noise. Time is O(num_subsets subset_size² D), in float64.

    Arguments:
        real: Features of real samples, with shape (N, D).
        fake: Features of generated samples, with shape (N', D) or (S, N', D).
        subset_size: Samples of each side in a subset, at least 2; None for a single subset of
            all samples.
        num_subsets: Number of subsets.
        seed: Seed of the subsets, which are the same for all seeds of `fake`.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite.

    Raises:
        InputError: There are fewer samples than `subset_size`, or the features do not fit.

    References:
        Demystifying MMD GANs (Bińkowski et al., 2018), https://arxiv.org/abs/1801.01401

    Examples:
        >>> real, fake = torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [1.0]])
        >>> kernel_distance(real, fake, subset_size=None).mean  # 1 + 2³ - 2
        tensor(7., dtype=torch.float64)
    """
    check_sets(real, fake, min_count=2)
    num_samples = min(len(real), fake.shape[-2])
    if subset_size is not None and not 2 <= subset_size <= num_samples:
        raise InputError(
            f"subset_size: must be in [2, {num_samples}], the smaller number of samples, got "
            f"{subset_size}; None takes all"
        )
    if num_subsets < 1:
        raise InputError(f"num_subsets: must be >= 1, got {num_subsets}")

    def score(features: Tensor) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        distances = [
            _squared_mmd(
                _draw_subset(real, subset_size, generator),
                _draw_subset(features, subset_size, generator),
            )
            for _ in range(1 if subset_size is None else num_subsets)
        ]
        values = torch.stack(distances)
        std = values.std(correction=0) if len(values) > 1 else values[0] * torch.nan
        return values.mean(), std

    return KernelDistance(*score_seeds(score, fake))


def _draw_subset(features: Tensor, size: int | None, generator: torch.Generator) -> Tensor:
    if size is None:
        return features
    return features[torch.randperm(len(features), generator=generator)[:size].to(features.device)]


def _squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    x, y = x.double(), y.double()
    return _mean_within(x) + _mean_within(y) - 2 * _kernel_sum(x, y) / (len(x) * len(y))


def _mean_within(x: Tensor) -> Tensor:
    """Compute the mean of the kernel over pairs of different samples."""
    own = (x.square().sum(1) / x.shape[1] + 1).pow(3).sum()
    return (_kernel_sum(x, x) - own) / (len(x) * (len(x) - 1))


def _kernel_sum(x: Tensor, y: Tensor) -> Tensor:
    """Compute the sum of the kernel over all pairs, in blocks."""
    block_sums = [(block @ y.mT / x.shape[1] + 1).pow(3).sum() for block in x.split(1024)]
    return torch.stack(block_sums).sum()
