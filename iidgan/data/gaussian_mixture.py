r"""Gaussian mixtures in the plane, with known modes, so that missing modes can be counted.

Mode \(k\) has the samples \(x = c_k + \sigma \varepsilon\) with \(\varepsilon \sim N(0, I)\).
The training set is finite and fixed, with the same number of samples from each mode.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, section 5.1: standard deviations and counts.
    VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava et al.,
    2017), https://arxiv.org/abs/1705.07761: the two layouts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

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
        _check_at_least("modes", self.modes, 1)
        _check_positive("radius", self.radius)
        _check_sampling(self.std, self.size, self.seed, self.modes)

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, 2), labelled with the mode's index i."""
        angles = 2 * math.pi / self.modes * torch.arange(self.modes, dtype=torch.float64)
        centres = self.radius * torch.stack((angles.cos(), angles.sin()), dim=1)
        return _draw_samples(GaussianMixture(centres.float(), self.std), self.size, self.seed)


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
        _check_at_least("side", self.side, 1)
        _check_positive("spacing", self.spacing)
        _check_sampling(self.std, self.size, self.seed, self.side**2)

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, 2), labelled with i * side + j."""
        axis = torch.arange(self.side, dtype=torch.float64) - (self.side - 1) / 2
        centres = self.spacing * torch.cartesian_prod(axis, axis)
        return _draw_samples(GaussianMixture(centres.float(), self.std), self.size, self.seed)


def _draw_samples(truth: GaussianMixture, size: int, seed: int) -> Dataset:
    """Draw equally many samples of each mode, up to one; any K consecutive have all K modes."""
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn(size, 2, generator=generator, dtype=torch.float32, device="cpu")
    y = torch.arange(size) % len(truth.centres)
    return Dataset(truth.centres[y] + truth.std * noise, y, truth)


def _check_sampling(std: float, size: int, seed: int, num_modes: int) -> None:
    _check_positive("std", std)
    _check_at_least("size", size, num_modes, f" (one sample for each of {num_modes} modes)")
    if not 0 <= seed < 2**63:
        raise InputError(f"seed: must be between 0 and {2**63 - 1}, got {seed}")


def _check_at_least(field: str, value: int, minimum: int, explanation: str = "") -> None:
    if value < minimum:
        raise InputError(f"{field}: must be >= {minimum}{explanation}, got {value}")


def _check_positive(field: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise InputError(f"{field}: must be positive and finite, got {value}")
