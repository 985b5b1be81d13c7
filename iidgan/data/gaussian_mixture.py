r"""Gaussian mixtures with known modes, so that missing modes can be counted.

Mode \(k\) has the samples \(x = c_k + \sigma \varepsilon\) with \(\varepsilon \sim N(0, I)\).
The training set is finite and fixed. Mixtures in the plane have the same number of samples from
each mode.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, section 5.1: standard deviations and counts.
    VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava et al.,
    2017), https://arxiv.org/abs/1705.07761: the two layouts in the plane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from iidgan.core import Dataset, GaussianMixture, Source
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Ring(Source):
    """Gaussian modes on a circle, at (r cos(2 pi i / m), r sin(2 pi i / m)).

    References:
        VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava,
        Valkov, Russell, Gutmann and Sutton, 2017), https://arxiv.org/abs/1705.07761

    Examples:
        >>> data = Ring(modes=4, size=8).load()
        >>> data.truth.centres.round().int().tolist()
        [[2, 0], [0, 2], [-2, 0], [0, -2]]
        >>> data.x.shape, data.y.tolist()
        (torch.Size([8, 2]), [0, 1, 2, 3, 0, 1, 2, 3])
    """

    modes: int = 8
    """Number m of modes."""
    radius: float = 2.0
    """Radius r of the circle."""
    std: float = 0.001
    """Standard deviation of each mode, in each dimension."""
    size: int = 100_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the training samples."""

    num_evaluated: ClassVar[int] = 50_000

    def __post_init__(self) -> None:
        check_at_least("modes", self.modes, 1)
        check_positive("radius", self.radius)
        check_sampling(self.std, self.size, self.seed, self.modes)

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, 2), labelled with the mode's index i."""
        truth = GaussianMixture(place_on_ring(self.modes, self.radius), self.std)
        return draw_training_set(truth, self.size, self.seed)


@dataclass(frozen=True, kw_only=True)
class Grid(Source):
    """Gaussian modes on a square lattice, at (s (i - (m - 1) / 2), s (j - (m - 1) / 2)).

    References:
        VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava,
        Valkov, Russell, Gutmann and Sutton, 2017), https://arxiv.org/abs/1705.07761

    Examples:
        >>> data = Grid(side=5, size=100).load()
        >>> len(data.truth.centres), data.truth.centres[0].tolist()
        (25, [-4.0, -4.0])
    """

    side: int = 5
    """Number m of modes in each row and column: m * m in all."""
    spacing: float = 2.0
    """Distance s between neighbours."""
    std: float = 0.0025
    """Standard deviation of each mode, in each dimension."""
    size: int = 100_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the training samples."""

    num_evaluated: ClassVar[int] = 100_000

    def __post_init__(self) -> None:
        check_at_least("side", self.side, 1)
        check_positive("spacing", self.spacing)
        check_sampling(self.std, self.size, self.seed, self.side**2)

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, 2), labelled with i * side + j."""
        truth = GaussianMixture(place_on_grid(self.side, self.spacing), self.std)
        return draw_training_set(truth, self.size, self.seed)


@dataclass(frozen=True, kw_only=True)
class TwoGaussians(Source):
    """Two Gaussian modes of unequal weights along the first axis of a space of many dimensions.

        x = c_y + σ ε, with ε ~ N(0, I), c_0 = (near, 0, ..., 0), c_1 = (far, 0, ..., 0)

    This is the synthetic data set in the code of IVGAN, which its paper does not mention: 10,000
    samples in 128 dimensions, three quarters of them around 1 and the others around 5, with
    standard deviation 1, so that both modes overlap a little (2 % of each are nearer to the other
    centre). The modes differ in one direction among 128 of equal variance, all but one of which
    are noise. Each sample's mode is drawn independently. The code looks at histograms of the first
    coordinate; the metrics of mixtures are ours. A generator needs at least as many latents as it
    is to vary in directions: that code has 64, with two hidden layers of 64 and 128 units.

    References:
        Intervention Generative Adversarial Networks (Liang, Zhang, Zhang and Zhang, 2020),
        https://arxiv.org/abs/2008.03712; https://github.com/zhangliangyu32/IVGAN, folder
        IVGAN_synthetic_data

    Examples:
        >>> data = TwoGaussians(size=1000).load()
        >>> data.x.shape, data.truth.centres[:, 0].tolist(), data.truth.weights
        (torch.Size([1000, 128]), [1.0, 5.0], (0.75, 0.25))
    """

    dim: int = 128
    """Number d of dimensions."""
    near: float = 1.0
    """First coordinate of the first centre."""
    far: float = 5.0
    """First coordinate of the second centre."""
    near_weight: float = 0.75
    """Probability of the first mode, between 0 and 1."""
    std: float = 1.0
    """Standard deviation of each mode, in each dimension."""
    size: int = 10_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the training samples."""

    num_evaluated: ClassVar[int] = 10_000

    def __post_init__(self) -> None:
        check_at_least("dim", self.dim, 1)
        if not -math.inf < self.near < self.far < math.inf:
            raise InputError(f"far: must be finite and above near, {self.near}, got {self.far}")
        if not 0 < self.near_weight < 1:
            raise InputError(f"near_weight: must be between 0 and 1, got {self.near_weight}")
        check_sampling(self.std, self.size, self.seed, 2)

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, dim), labelled with 0 (near) and 1 (far)."""
        centres = torch.zeros(2, self.dim)
        centres[:, 0] = torch.tensor([self.near, self.far])
        truth = GaussianMixture(centres, self.std, (self.near_weight, 1 - self.near_weight))
        generator = torch.Generator("cpu").manual_seed(self.seed)
        y = (torch.rand(self.size, generator=generator) >= self.near_weight).long()
        return Dataset(truth.sample_modes(y, generator), y, truth)


def place_on_ring(modes: int, radius: float) -> Tensor:
    """Return the centres (r cos(2 pi i / m), r sin(2 pi i / m)).

    Arguments:
        modes: Number m of modes.
        radius: Radius r of the circle.

    Returns:
        float32 with shape (m, 2).
    """
    angles = 2 * math.pi / modes * torch.arange(modes, dtype=torch.float64)
    return (radius * torch.stack((angles.cos(), angles.sin()), dim=1)).float()


def place_on_grid(side: int, spacing: float) -> Tensor:
    """Return the centres (s (i - (m - 1) / 2), s (j - (m - 1) / 2)).

    Arguments:
        side: Number m of modes in each row and column.
        spacing: Distance s between neighbours.

    Returns:
        float32 with shape (m², 2).
    """
    axis = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    return (spacing * torch.cartesian_prod(axis, axis)).float()


def draw_training_set(truth: GaussianMixture, size: int, seed: int) -> Dataset:
    """Draw a data set in which the shares of the modes are their weights, up to one sample.

    Each mode has at least one sample. The modes are spread evenly over the data set: with equal
    weights, any K consecutive samples have all K modes.

    Arguments:
        truth: The mixture.
        size: Number of samples, at least that of the modes.
        seed: Seed of the samples within the modes.

    Examples:
        >>> truth = GaussianMixture(torch.zeros(2, 2), 0.1, weights=(0.75, 0.25))
        >>> draw_training_set(truth, size=8, seed=0).y.tolist()
        [0, 0, 1, 0, 0, 0, 1, 0]
    """
    y = _spread_modes(truth.probabilities, size)
    x = truth.sample_modes(y, torch.Generator("cpu").manual_seed(seed))
    return Dataset(x, y, truth)


def _spread_modes(weights: Tensor, size: int) -> Tensor:
    """Assign a mode to each sample: sample j of mode i is due at (j + 1/2) / w_i."""
    counts = _apportion(weights, size)
    modes = torch.arange(len(weights)).repeat_interleave(counts)
    first_of_mode = counts.cumsum(0) - counts
    due = (torch.arange(size) - first_of_mode[modes] + 0.5) / weights[modes]
    return modes[due.argsort(stable=True)]


def _apportion(weights: Tensor, size: int) -> Tensor:
    """Split `size` samples by weights, at least one for each, by the largest remainders."""
    exact_counts = weights * size
    counts = exact_counts.floor().long().clamp_min(1)
    order = (exact_counts - counts).argsort(descending=True, stable=True)
    num_left = size - int(counts.sum())
    counts[order[: max(num_left, 0)]] += 1
    for _ in range(-num_left):  # modes of less than one sample took those of others
        counts[counts.argmax()] -= 1
    return counts


def check_sampling(std: float, size: int, seed: int, num_modes: int) -> None:
    """Raise an `InputError` if an option of a mixture's samples is out of range."""
    check_positive("std", std)
    check_at_least("size", size, num_modes, f" (one sample for each of {num_modes} modes)")
    check_seed("seed", seed)


def check_seed(field: str, value: int) -> None:
    """Raise an `InputError` if `value` is no seed of a generator."""
    if not 0 <= value < 2**63:
        raise InputError(f"{field}: must be between 0 and {2**63 - 1}, got {value}")


def check_at_least(field: str, value: int, minimum: int, explanation: str = "") -> None:
    """Raise an `InputError` if `value` is below `minimum`."""
    if value < minimum:
        raise InputError(f"{field}: must be >= {minimum}{explanation}, got {value}")


def check_positive(field: str, value: float) -> None:
    """Raise an `InputError` if `value` is not a finite number > 0."""
    if not 0 < value < math.inf:
        raise InputError(f"{field}: must be positive and finite, got {value}")
