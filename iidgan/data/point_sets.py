"""Sets of points without modes: rings, spirals, moons, a checkerboard and a roll.

Samples are exact and independent. The labels are parts of the set, for conditional methods.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from iidgan.core import Dataset, Distribution, Source
from iidgan.data.gaussian_mixture import check_at_least, check_positive, check_sampling
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SyntheticSet(Source, Distribution):
    """Base of the sets: each is a source, and the distribution that its samples are drawn from."""

    size: int = 100_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the training samples."""

    num_evaluated: ClassVar[int] = 50_000

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, d), labelled with their part of the set."""
        x, y = self.draw(self.size, self.seed)
        return Dataset(x, y, truth=self)

    def sample_at(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        points, labels = self._place(u, generator)
        return points.float(), labels

    @abstractmethod
    def _place(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw samples as of `sample_at`, float64."""


def _split(u: Tensor, num_parts: int) -> tuple[Tensor, Tensor]:
    """Split numbers in [0, 1) into one of equally likely parts, and a number within the part."""
    scaled = u * num_parts
    parts = scaled.floor().clamp_max(num_parts - 1)
    return parts.long(), scaled - parts


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack((radius * angle.cos(), radius * angle.sin()), dim=-1)


def _noise_like(points: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(points.shape, generator=generator, dtype=torch.float64)


@dataclass(frozen=True, kw_only=True)
class Rings(SyntheticSet):
    """Concentric circles in the plane, equally often, each with Gaussian noise of its own width.

        x = r_i (cos t, sin t) + σ_i ε, with t uniform and ε ~ N(0, I)

    The label is the circle i.

    Examples:
        >>> data = Rings(radii=(1.0, 2.0), std=(0.01, 0.1), size=1000).load()
        >>> data.x[data.y == 1].norm(dim=1).mean().round(decimals=1)
        tensor(2.)
    """

    radii: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Radius of each circle."""
    std: tuple[float, ...] = (0.02, 0.05, 0.1)
    """Standard deviation σ of each circle, in each dimension; fewer numbers repeat in turn."""

    def __post_init__(self) -> None:
        check_at_least("radii", len(self.radii), 1)
        for radius in self.radii:
            check_positive("radii", radius)
        if not 1 <= len(self.std) <= len(self.radii):
            raise InputError(
                f"std: must be one to {len(self.radii)} numbers, at most one for each radius, got "
                f"{len(self.std)}"
            )
        for std in self.std:
            check_sampling(std, self.size, self.seed, len(self.radii))

    @property
    def _scales(self) -> tuple[Tensor, Tensor]:
        """Radii and standard deviations of all circles."""
        stds = [self.std[i % len(self.std)] for i in range(len(self.radii))]
        return torch.tensor(self.radii, dtype=torch.float64), torch.tensor(stds).double()

    def _place(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        rings, v = _split(u, len(self.radii))
        radii, stds = self._scales
        points = _polar(radii[rings], 2 * math.pi * v)
        return points + stds[rings, None] * _noise_like(points, generator), rings

    def log_density(self, points: Tensor) -> Tensor:
        """Compute the logarithm of the density, with the modified Bessel function I_0.

            p(x) = 1/m sum_i I_0(|x| r_i / σ_i²) exp(-(|x|² + r_i²) / (2 σ_i²)) / (2 pi σ_i²)

        Arguments:
            points: Points, with shape (n, 2).

        Returns:
            float64 with shape (n,).
        """
        radii, stds = self._scales
        distances = points.double().norm(dim=-1, keepdim=True)
        variances = stds.square()
        # i0e is I_0(t) exp(-t), so that nothing overflows.
        log_bessel = torch.special.i0e(distances * radii / variances).log()
        exponents = -(distances - radii).square() / (2 * variances)
        log_terms = log_bessel + exponents - (2 * math.pi * variances).log()
        return log_terms.logsumexp(-1) - math.log(len(radii))


@dataclass(frozen=True, kw_only=True)
class Spiral(SyntheticSet):
    """Arms of an Archimedean spiral in the plane, with Gaussian noise.

        x = r √v (cos t, sin t) + σ ε, with t = 2 pi (turns √v + i / arms), v uniform

    so that samples are about equally dense along an arm. The label is the arm i.

    Examples:
        >>> Spiral(arms=3, size=300).load().y.unique().tolist()
        [0, 1, 2]
    """

    arms: int = 2
    """Number of arms."""
    turns: float = 1.5
    """Turns of each arm around the origin."""
    radius: float = 2.0
    """Distance r of the ends from the origin."""
    std: float = 0.05
    """Standard deviation σ of the noise, in each dimension."""

    def __post_init__(self) -> None:
        check_at_least("arms", self.arms, 1)
        check_positive("turns", self.turns)
        check_positive("radius", self.radius)
        check_sampling(self.std, self.size, self.seed, self.arms)

    def _place(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        arms, v = _split(u, self.arms)
        angles = 2 * math.pi * (self.turns * v.sqrt() + arms / self.arms)
        points = _polar(self.radius * v.sqrt(), angles)
        return points + self.std * _noise_like(points, generator), arms


@dataclass(frozen=True, kw_only=True)
class Checkerboard(SyntheticSet):
    """Uniform on the dark squares of a board in the plane, around 0.

    The dark squares are those of even row plus column, and the label is the number of the square,
    row by row.

    Examples:
        >>> board = Checkerboard(squares=2, side=1.0, size=100)
        >>> board.load().x.prod(1).min() >= 0  # both coordinates have the same sign
        tensor(True)
        >>> board.log_density(torch.tensor([[0.5, 0.5], [0.5, -0.5]])).exp()
        tensor([0.5000, 0.0000], dtype=torch.float64)
    """

    squares: int = 4
    """Number of squares in each row and column."""
    side: float = 1.0
    """Side of a square."""

    def __post_init__(self) -> None:
        check_at_least("squares", self.squares, 1)
        check_positive("side", self.side)
        check_sampling(self.side, self.size, self.seed, self._num_dark)

    @property
    def _num_dark(self) -> int:
        return (self.squares**2 + 1) // 2

    @property
    def _dark_squares(self) -> Tensor:
        """Column and row of each dark square, row by row: int64 with shape (m, 2)."""
        axis = torch.arange(self.squares)
        rows, columns = torch.cartesian_prod(axis, axis).T
        is_dark = (rows + columns) % 2 == 0
        return torch.stack((columns, rows), dim=1)[is_dark]

    def _place(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        labels, _ = _split(u, self._num_dark)
        offsets = torch.rand(len(u), 2, generator=generator, dtype=torch.float64)
        corners = self._dark_squares[labels] - self.squares / 2
        return self.side * (corners + offsets), labels

    def log_density(self, points: Tensor) -> Tensor:
        """Compute the logarithm of the density: the same on all dark squares, -inf elsewhere.

        Arguments:
            points: Points, with shape (n, 2).

        Returns:
            float64 with shape (n,).
        """
        position = (points.double() / self.side + self.squares / 2).floor()
        is_on_board = ((position >= 0) & (position < self.squares)).all(-1)
        is_dark = is_on_board & (position.sum(-1) % 2 == 0)
        log_density = -math.log(self._num_dark * self.side**2)
        return torch.full_like(position[..., 0], -math.inf).where(~is_dark, log_density)


@dataclass(frozen=True, kw_only=True)
class SwissRoll(SyntheticSet):
    """A rolled-up strip in three dimensions, with Gaussian noise.

        x = (r s cos t, h (w - 1/2), r s sin t) + σ ε, with s = (1 + 2 v) / 3, t = 1.5 pi (1 + 2 v)

    and v, w uniform: the roll of scikit-learn with other units, around the origin. The label is
    the half turn, of three.

    References:
        Scikit-learn: Machine Learning in Python (Pedregosa et al., 2011),
        https://jmlr.org/papers/v12/pedregosa11a.html, function make_swiss_roll

    Examples:
        >>> SwissRoll(size=300).load().shape
        (3,)
    """

    radius: float = 2.0
    """Distance r of the outer end from the axis."""
    height: float = 2.0
    """Width h of the strip."""
    std: float = 0.05
    """Standard deviation σ of the noise, in each dimension."""

    def __post_init__(self) -> None:
        check_positive("radius", self.radius)
        check_positive("height", self.height)
        check_sampling(self.std, self.size, self.seed, 3)

    def _place(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        labels, _ = _split(u, 3)
        heights = torch.rand(len(u), generator=generator, dtype=torch.float64) - 0.5
        plane = _polar(self.radius * (1 + 2 * u) / 3, 1.5 * math.pi * (1 + 2 * u))
        points = torch.stack((plane[:, 0], self.height * heights, plane[:, 1]), dim=1)
        return points + self.std * _noise_like(points, generator), labels


@dataclass(frozen=True, kw_only=True)
class Moons(SyntheticSet):
    """Two half circles in the plane that reach into each other, with Gaussian noise.

        x = ±(cos t - 1/2, sin t - 1/4) + σ ε, with t uniform in [0, pi)

    These are the moons of scikit-learn, around the origin. The label is the half circle.

    References:
        Scikit-learn: Machine Learning in Python (Pedregosa et al., 2011),
        https://jmlr.org/papers/v12/pedregosa11a.html, function make_moons

    Examples:
        >>> data = Moons(std=0.01, size=1000).load()
        >>> data.x[data.y == 0][:, 1].min() > -0.3  # the upper one
        tensor(True)
    """

    std: float = 0.05
    """Standard deviation σ of the noise, in each dimension."""

    def __post_init__(self) -> None:
        check_sampling(self.std, self.size, self.seed, 2)

    def _place(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        labels, v = _split(u, 2)
        upper = _polar(torch.ones_like(v), math.pi * v) - torch.tensor([0.5, 0.25])
        points = (1 - 2 * labels[:, None]) * upper
        return points + self.std * _noise_like(points, generator), labels
