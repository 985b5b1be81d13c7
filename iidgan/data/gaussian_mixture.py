r"""Gaussian mixtures in the plane: the modes are known, so that dropped ones can be counted.

A mode \(k\) has the samples \(x = c_k + \sigma \varepsilon\) with \(\varepsilon \sim N(0, I)\).
The training set is finite and fixed, the same number of samples from each mode.

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

from iidgan.core import Dataset, Mixture, Source
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Ring(Source):
    """Modes on a circle, at (r cos(2 pi i / m), r sin(2 pi i / m))."""

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
        _at_least("modes", self.modes, 1)
        _positive("radius", self.radius)
        _check_draw(self.std, self.size, self.seed, self.modes)

    def load(self) -> Dataset:
        """Draws the samples, float32 with shape (size, 2), labelled with the mode's index i."""
        angle = 2 * math.pi / self.modes * torch.arange(self.modes, dtype=torch.float64)
        centres = self.radius * torch.stack((angle.cos(), angle.sin()), dim=1)
        return _draw(Mixture(centres.float(), self.std), self.size, self.seed)


@dataclass(frozen=True, kw_only=True)
class Grid(Source):
    """Modes on a square lattice, at (s (i - (m - 1) / 2), s (j - (m - 1) / 2))."""

    side: int = 5
    """Number m of modes in a row and in a column: m * m in all."""
    spacing: float = 2.0
    """Distance s of neighbours."""
    std: float = 0.0025
    """Standard deviation of each mode, in each dimension."""
    size: int = 100_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the training samples."""

    num_evaluated: ClassVar[int] = 100_000

    def __post_init__(self) -> None:
        _at_least("side", self.side, 1)
        _positive("spacing", self.spacing)
        _check_draw(self.std, self.size, self.seed, self.side**2)

    def load(self) -> Dataset:
        """Draws the samples, float32 with shape (size, 2), labelled with i * side + j."""
        axis = torch.arange(self.side, dtype=torch.float64) - (self.side - 1) / 2
        centres = self.spacing * torch.cartesian_prod(axis, axis)
        return _draw(Mixture(centres.float(), self.std), self.size, self.seed)


def _draw(truth: Mixture, size: int, seed: int) -> Dataset:
    """Draws as many samples of each mode, up to one; any run of K samples has all K modes."""
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn(size, 2, generator=generator, dtype=torch.float32, device="cpu")
    y = torch.arange(size) % len(truth.centres)
    return Dataset(truth.centres[y] + truth.std * noise, y, truth)


def _check_draw(std: float, size: int, seed: int, modes: int) -> None:
    _positive("std", std)
    _at_least("size", size, modes, f" to give each of {modes} modes a sample")
    if not 0 <= seed < 2**63:
        raise InputError(f"seed: {seed} is out of range; from 0 to {2**63 - 1}")


def _at_least(field: str, value: int, least: int, why: str = "") -> None:
    if value < least:
        raise InputError(f"{field}: {value} is too small; at least {least}{why}")


def _positive(field: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise InputError(f"{field}: {value} is not a positive finite number")
