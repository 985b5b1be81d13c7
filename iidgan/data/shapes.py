"""Images of one white shape on black, with known and independent factors, as in dSprites.

A shape is a subset of the unit disk. The sprite of each shape, size and rotation is drawn once;
an image is the sprite at its position, and is composed on demand.

References:
    dSprites: Disentanglement testing Sprites dataset (Matthey, Higgins, Hassabis and Lerchner,
    2017), https://github.com/deepmind/dsprites-dataset: the factors and the three shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from iidgan.core import Dataset, Factors, Reference, SampleView, Source, cites
from iidgan.errors import InputError

PAPER = Reference(
    title="dSprites: Disentanglement testing Sprites dataset",
    authors="Loic Matthey, Irina Higgins, Demis Hassabis and Alexander Lerchner",
    year=2017,
    url="https://github.com/deepmind/dsprites-dataset",
)

FACTORS = ("shape", "scale", "rotation", "x", "y")
_MIN_PIXELS = 16  # in images of 12 pixels, some combinations look the same
_SMALLEST_SCALE = 0.5
_SUBPIXELS = 8  # per pixel and axis, so that edges have 64 grey levels


def _is_in_square(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) <= math.sqrt(0.5)


def _is_in_ellipse(x: Tensor, y: Tensor) -> Tensor:
    return x.square() + (2 * y).square() <= 1


def _is_in_heart(x: Tensor, y: Tensor) -> Tensor:
    """Test (a² + b² - 1)³ <= a² b³, a heart in a disk with radius 1.25 around (0, 0.25)."""
    a, b = 1.25 * x, 0.25 - 1.25 * y  # rows of an image go down
    return (a.square() + b.square() - 1) ** 3 <= a.square() * b**3


SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "square": _is_in_square,
    "ellipse": _is_in_ellipse,
    "heart": _is_in_heart,
}
"""Whether points of the plane are in a shape, by its name."""


@dataclass(frozen=True)
class ShapesView(SampleView):
    """View of sprites, stored with shape (shapes, scales, rotations, P, P), at positions.

    A sprite of S pixels has a black margin that is as wide as the farthest shift, pixels - S.

    Arguments:
        factors: Shape, scale, rotation, column and row of each sample, int64 of shape (N, 5).
        pixels: Side of the samples.

    Examples:
        >>> sprites = torch.tensor([[0, 0, 0], [0, 255, 0], [0, 0, 0]], dtype=torch.uint8)
        >>> view = ShapesView(torch.tensor([[0, 0, 0, 1, 0]]), pixels=2)
        >>> view.take_samples(sprites[None, None, None], torch.tensor(0))
        tensor([[[  0, 255],
                 [  0,   0]]], dtype=torch.uint8)
    """

    factors: Tensor
    pixels: int

    def num_samples(self, stored: Tensor) -> int:
        return len(self.factors)

    def sample_shape(self, stored: Tensor) -> tuple[int, ...]:
        return (1, self.pixels, self.pixels)

    def take_samples(self, stored: Tensor, index: Tensor) -> Tensor:
        shape, scale, rotation, x, y = self.factors[index][..., None, None].unbind(-3)
        farthest_shift = stored.shape[-1] - self.pixels
        window = torch.arange(self.pixels, device=stored.device) + farthest_shift
        images = stored[shape, scale, rotation, window[:, None] - y, window - x]
        return images.unsqueeze(-3)

    def key_tensors(self) -> tuple[Tensor, ...]:
        return (self.factors, torch.tensor(self.pixels))

    def to(self, device: torch.device | str) -> ShapesView:
        return replace(self, factors=self.factors.to(device))


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Shapes(Source):
    """Images of a square, an ellipse or a heart: scale, rotation and position vary independently.

    The factors, which `Dataset.factors` has for each image, are

    * `shape`: square, ellipse or heart, which are also the labels;
    * `scale`: from half to the whole of the largest size, in which a shape fits into half of the
      side of the image;
    * `rotation`: k 90° / `rotations`, for k = 0 ... `rotations` - 1;
    * `x` and `y`: column and row, all whole pixels that leave the shape inside the image, 16 of
      32 pixels.

    All combinations are equally often. dSprites has 737,280 images of 64 pixels, with 6 scales,
    40 rotations and 32 positions on each axis. Its rotations are of 360°, so that many images of
    squares and ellipses are the same, and no code can tell their rotations apart. Here, with the
    default numbers, no two images are the same.

    References:
        dSprites: Disentanglement testing Sprites dataset (Matthey, Higgins, Hassabis and Lerchner,
        2017), https://github.com/deepmind/dsprites-dataset

    Examples:
        >>> data = Shapes().load()
        >>> len(data), data.shape, data.labels
        (46080, (1, 32, 32), ('square', 'ellipse', 'heart'))
        >>> data.factors.names
        ('shape', 'scale', 'rotation', 'x', 'y')
        >>> data.factors.values[-1].tolist()
        [2, 5, 9, 15, 15]
    """

    has_images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000

    pixels: int = 32
    """Side of the images, at least 16."""
    scales: int = 6
    """Number of sizes of each shape; a single one is the largest."""
    rotations: int = 10
    """Number of rotations of each shape."""
    size: int | None = None
    """Number of training samples, different ones in a random order; None: all combinations."""
    seed: int = 0
    """Seed of the choice of `size` samples."""

    def __post_init__(self) -> None:
        for name, smallest in (("pixels", _MIN_PIXELS), ("scales", 1), ("rotations", 1)):
            if getattr(self, name) < smallest:
                raise InputError(f"{name}: must be >= {smallest}, got {getattr(self, name)}")
        if self.size is not None and not 1 <= self.size <= self._num_combinations:
            raise InputError(
                f"size: must be between 1 and {self._num_combinations}, the number of "
                f"combinations, got {self.size}; None takes all"
            )
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed: must be between 0 and {2**63 - 1}, got {self.seed}")

    @property
    def _num_values(self) -> tuple[int, ...]:
        """Number of values of each factor."""
        num_positions = self.pixels - _sprite_side(self.pixels) + 1
        return len(SHAPES), self.scales, self.rotations, num_positions, num_positions

    @property
    def _num_combinations(self) -> int:
        return math.prod(self._num_values)

    def load(self) -> Dataset:
        """Draw the sprites: uint8 samples of shape (1, pixels, pixels), labelled by shape."""
        values = torch.cartesian_prod(*map(torch.arange, self._num_values))
        if self.size is not None:
            generator = torch.Generator().manual_seed(self.seed)
            values = values[torch.randperm(len(values), generator=generator)[: self.size]]
        return Dataset(
            _draw_sprites(self.pixels, self.scales, self.rotations),
            values[:, 0].contiguous(),
            labels=tuple(SHAPES),
            view=ShapesView(values, self.pixels),
            factors=Factors(FACTORS, values),
        )


def _sprite_side(pixels: int) -> int:
    return pixels // 2 + 1


def _draw_sprites(pixels: int, scales: int, rotations: int) -> Tensor:
    """Draw all shapes, in all sizes and rotations, with the margin of `ShapesView`."""
    side = _sprite_side(pixels)
    num_points = side * _SUBPIXELS
    axis = ((torch.arange(num_points, dtype=torch.float64) + 0.5) / num_points - 0.5) * 2
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    scale = torch.linspace(1, _SMALLEST_SCALE, scales, dtype=torch.float64).flip(0)
    angles = math.pi / 2 / rotations * torch.arange(rotations, dtype=torch.float64)
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    turned = torch.stack((cos * columns + sin * rows, cos * rows - sin * columns))
    x, y = turned[:, None] / scale[:, None, None, None]
    points = torch.stack([is_inside(x, y) for is_inside in SHAPES.values()])
    coverage = avg_pool2d(points.flatten(0, 1).double(), _SUBPIXELS).unflatten(0, (-1, scales))
    return pad((255 * coverage).round().to(torch.uint8), [pixels - side] * 4)
