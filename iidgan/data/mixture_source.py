"""Gaussian mixtures with unequal weights and widths, in a plane of a space of any dimension."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from iidgan.core import Dataset, GaussianMixture, Source
from iidgan.data.gaussian_mixture import (
    check_at_least,
    check_positive,
    check_sampling,
    check_seed,
    draw_training_set,
    place_on_grid,
    place_on_ring,
)
from iidgan.errors import InputError

EXPECTED_WEIGHTS = (
    "equal, zipf:EXPONENT with an exponent >= 0, rare:SHARE with a share in (0, 1), or one "
    "positive number for each mode, such as 3,1,1"
)


MIN_WEIGHT = 1e-12
"""Smallest probability of a mode: divergences divide by it."""


@dataclass(frozen=True, kw_only=True)
class Mixture(Source):
    """Gaussian modes on a ring or a grid: unequal weights and widths, and any dimension.

    The modes are those of `Ring` and `Grid`, in the same order. In more than two dimensions, the
    plane of the centres is mapped to a random plane through 0, which the samples leave a little:

        x = Q (c_i + σ_i ε) + τ (I - Q Qᵀ) ε'

    with Q of orthonormal columns, and ε, ε' ~ N(0, I). With equal weights and widths, and in the
    plane, the samples are those of `Ring` and `Grid`.

    Raises:
        InputError: A field is out of range, or weights or widths do not fit the number of modes.

    Examples:
        >>> data = Mixture(layout="grid", modes=9, weights="zipf:1", std=(0.05, 0.1)).load()
        >>> data.y.bincount().tolist()[:3]
        [35349, 17674, 11783]
        >>> Mixture(modes=3, weights="2,1,1", dim=10).load().shape
        (10,)
    """

    layout: Literal["ring", "grid"] = "ring"
    """Where the centres are: on a circle, or on a square lattice."""
    modes: int = 8
    """Number of modes; if it is no square number, a grid lacks its last ones."""
    spacing: float = 2.0
    """Radius of the circle, or distance of neighbours on the lattice."""
    std: tuple[float, ...] = (0.05,)
    """Standard deviation of each mode in the plane; fewer numbers than modes repeat in turn."""
    weights: str = "equal"
    """Probabilities of the modes: equal; zipf:A, proportional to 1, 2^-A, 3^-A, ...; rare:W, a
    share W of the first mode and equal ones of the others; or numbers proportional to them, such
    as 3,1,1."""
    dim: int = 2
    """Number of dimensions."""
    off_plane_std: float = 0.01
    """Standard deviation τ off the plane of the centres, in each dimension."""
    plane_seed: int = 0
    """Seed of the plane, in more than two dimensions."""
    size: int = 100_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the training samples."""

    num_evaluated: ClassVar[int] = 50_000

    def __post_init__(self) -> None:
        check_at_least("modes", self.modes, 1)
        check_positive("spacing", self.spacing)
        if not 1 <= len(self.std) <= self.modes:
            raise InputError(
                f"std: must be one to {self.modes} numbers, at most one for each mode, got "
                f"{len(self.std)}"
            )
        for std in self.std:
            check_sampling(std, self.size, self.seed, self.modes)
        check_at_least("dim", self.dim, 2)
        check_positive("off_plane_std", self.off_plane_std)
        check_seed("plane_seed", self.plane_seed)
        parse_weights(self.weights, self.modes)

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, dim), labelled with the index of the mode."""
        return draw_training_set(self._create_truth(), self.size, self.seed)

    def _place_centres(self) -> Tensor:
        if self.layout == "ring":
            return place_on_ring(self.modes, self.spacing)
        side = math.isqrt(self.modes - 1) + 1
        return place_on_grid(side, self.spacing)[: self.modes]

    def _create_truth(self) -> GaussianMixture:
        centres = self._place_centres()
        weights = parse_weights(self.weights, self.modes)
        if self.dim == 2 and len(set(self.std)) == 1:
            return GaussianMixture(centres, self.std[0], weights)
        stds = torch.tensor(self.std, dtype=torch.float64)[
            torch.arange(self.modes) % len(self.std)
        ]
        basis = _draw_plane(self.dim, self.plane_seed)
        projection = basis @ basis.T
        off_plane = self.off_plane_std**2 * (torch.eye(self.dim).double() - projection)
        covariances = stds.square()[:, None, None] * projection + off_plane
        return GaussianMixture.from_covariances(centres.double() @ basis.T, covariances, weights)


def _draw_plane(dim: int, seed: int) -> Tensor:
    """Return an orthonormal basis of a random plane, float64 with shape (dim, 2)."""
    if dim == 2:
        return torch.eye(2, dtype=torch.float64)
    generator = torch.Generator("cpu").manual_seed(seed)
    vectors = torch.randn(dim, 2, generator=generator, dtype=torch.float64)
    basis, triangle = torch.linalg.qr(vectors)
    return basis * triangle.diagonal().sign()  # as Gram-Schmidt has it, whatever the library


def parse_weights(text: str, num_modes: int) -> tuple[float, ...]:
    """Read the probabilities of modes, as `Mixture.weights` describes them.

    Arguments:
        text: Name of a rule with its number, or numbers.
        num_modes: Number of modes K.

    Returns:
        Positive probabilities with sum 1; empty if all are 1 / K.

    Raises:
        InputError: The text is no such thing, or has another number of modes.

    Examples:
        >>> [round(weight, 3) for weight in parse_weights("zipf:1", 3)]
        [0.545, 0.273, 0.182]
        >>> parse_weights("rare:0.01", 3)
        (0.01, 0.495, 0.495)
    """
    if text == "equal":
        return ()
    rule, separator, number = text.partition(":")
    try:
        values = (
            _WEIGHT_RULES[rule](float(number), num_modes)
            if separator
            else [float(value) for value in text.split(",")]
        )
    except (KeyError, ValueError, OverflowError):
        raise InputError(f"weights: must be {EXPECTED_WEIGHTS}, got {text!r}") from None
    return normalise_weights("weights", values, num_modes)


def normalise_weights(field: str, values: list[float], num_modes: int) -> tuple[float, ...]:
    """Scale the weights of modes to sum 1.

    Arguments:
        field: Name of the weights, with which the message starts.
        values: The weights.
        num_modes: Number of modes.

    Raises:
        InputError: They are not one for each mode, or not positive and finite.

    Examples:
        >>> normalise_weights("weights", [3.0, 1.0], num_modes=2)
        (0.75, 0.25)
    """
    if len(values) != num_modes:
        raise InputError(
            f"{field}: must be one number for each of {num_modes} modes, got {len(values)}"
        )
    for value in values:
        check_positive(field, value)
    relative = [value / max(values) for value in values]
    weights = tuple(value / math.fsum(relative) for value in relative)
    if min(weights) < MIN_WEIGHT:
        raise InputError(
            f"{field}: must be at least {MIN_WEIGHT:g} of their sum, got {min(weights):g}"
        )
    return weights


def _weigh_by_zipf(exponent: float, num_modes: int) -> list[float]:
    if exponent < 0:
        raise ValueError
    return [(rank + 1) ** -exponent for rank in range(num_modes)]


def _weigh_one_rare(share: float, num_modes: int) -> list[float]:
    if not 0 < share < 1 or num_modes < 2:
        raise ValueError
    return [share, *[(1 - share) / (num_modes - 1)] * (num_modes - 1)]


_WEIGHT_RULES: dict[str, Callable[[float, int], list[float]]] = {
    "zipf": _weigh_by_zipf,
    "rare": _weigh_one_rare,
}
