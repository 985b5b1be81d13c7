r"""Stacked images: three grey images as red, green and blue, with 1,000 countable modes.

The base has ten classes. A sample consists of three of its images, drawn independently with
replacement; its mode is \(100 r + 10 g + b\) for their labels r, g and b. Nothing is copied: a
sample is stored as three indices into the base, and its pixels are composed on demand.

References:
    Unrolled Generative Adversarial Networks (Metz et al., 2016), https://arxiv.org/abs/1611.02163
    PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018),
    https://arxiv.org/abs/1712.04086, appendix: 128,000 triples, 26,000 generated samples.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from itertools import product
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from iidgan.core import IS_PATH, Dataset, Reference, SampleView, Source, cites
from iidgan.data.idx import FashionMnist, Mnist, Split
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.prepared_source import Prepared, is_prepared
from iidgan.errors import InputError, MissingFileError

PAPER = Reference(
    title="Unrolled Generative Adversarial Networks",
    authors="Luke Metz, Ben Poole, David Pfau and Jascha Sohl-Dickstein",
    year=2016,
    url="https://arxiv.org/abs/1611.02163",
)

SIDE = 28
"""Side of the images of a base, in pixels."""
PADDED, RESIZED = (28, 32), (64,)
"""Sides of stacked images that are padded with black, or resized bilinearly."""


@dataclass(frozen=True)
class StackedView(SampleView):
    """View of grey images, stored with shape (n, 1, 28, 28), as colour channels of samples.

    Arguments:
        triples: Indices of the red, green and blue image of each sample, int64 of shape (N, 3).
        pixels: Side of the samples: 28, 32 or 64.

    Examples:
        >>> grey_levels = torch.tensor([0, 100, 200], dtype=torch.uint8)
        >>> images = grey_levels.view(3, 1, 1, 1).repeat(1, 1, 28, 28)
        >>> view = StackedView(triples=torch.tensor([[2, 0, 1], [1, 1, 1]]), pixels=32)
        >>> samples = view.take_samples(images, torch.tensor([0]))
        >>> samples.shape, samples[0, :, 16, 16].tolist()
        (torch.Size([1, 3, 32, 32]), [200, 0, 100])
    """

    triples: Tensor
    pixels: int

    def num_samples(self, stored: Tensor) -> int:
        return len(self.triples)

    def sample_shape(self, stored: Tensor) -> tuple[int, ...]:
        return (3, self.pixels, self.pixels)

    def take_samples(self, stored: Tensor, index: Tensor) -> Tensor:
        base_index = self.triples[index].flatten()
        channels = stored.flatten(1).index_select(0, base_index).view(-1, 3, SIDE, SIDE)
        return self._resize(channels).reshape(*index.shape, *self.sample_shape(stored))

    def _resize(self, images: Tensor) -> Tensor:
        if self.pixels in PADDED:
            return pad(images, [(self.pixels - SIDE) // 2] * 4)
        resized = interpolate(images.float(), size=(self.pixels,) * 2, mode="bilinear")
        return resized.round().to(images.dtype)

    def key_tensors(self) -> tuple[Tensor, ...]:
        return (self.triples, torch.tensor(self.pixels))

    def to(self, device: torch.device | str) -> StackedView:
        return replace(self, triples=self.triples.to(device))


@dataclass(frozen=True, kw_only=True)
class _Stacked(Source):
    """Stacked images; base class of the data sets below."""

    has_images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 26_000
    per_channel: ClassVar[bool] = True

    pixels: Literal[28, 32, 64] = 32
    """Side of the images: 28, 32 (padded with black) or 64 (resized bilinearly)."""
    size: int = 128_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the choice of images for each sample."""
    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of the files of the base; None: where the base searches by default."""
    split: Split = "train"
    """Part of the base whose images are stacked."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"size: must be >= 1, got {self.size}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed: must be between 0 and {2**63 - 1}, got {self.seed}")
        self._base_source()  # validates its fields

    @property
    def classifier_source(self) -> str:
        return self._base_source().classifier_source

    @abstractmethod
    def _base_source(self) -> Source:
        """Create the source of the grey images."""

    def _load_base(self) -> Dataset:
        """Load the base from its own files, or from the data set prepared from them."""
        base_source = self._base_source()
        base_name = base_source.classifier_source
        dataset_name = base_name if self.split == "train" else f"{base_name}-{self.split}"
        try:
            return base_source.load()
        except MissingFileError:
            if not is_prepared(dataset_name, self.root):
                raise
        return Prepared(name=dataset_name, root=self.root).load()

    def load(self) -> Dataset:
        """Load the base and draw the triples: uint8 samples of shape (3, pixels, pixels).

        Labels are 100 r + 10 g + b, in 0 ... 999.

        Raises:
            InputError: The base cannot be read, has no labels, or has images of another shape.
        """
        base = self._load_base()
        if base.shape != (1, SIDE, SIDE):
            raise InputError(f"base: expected images of shape {(1, SIDE, SIDE)}, got {base.shape}")
        if base.y is None:
            raise InputError("base: expected labels, which define the modes, got none")
        generator = torch.Generator().manual_seed(self.seed)
        triples = torch.randint(len(base), (self.size, 3), generator=generator)
        return Dataset(
            base.x,
            base.y[triples] @ torch.tensor([100, 10, 1]),
            labels=tuple(map(", ".join, product(base.labels, repeat=3))),
            view=StackedView(triples, self.pixels),
        )


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class StackedMnist(_Stacked):
    """Stacked MNIST: three handwritten digits as red, green and blue, 1,000 modes.

    The mode of a sample with the labels r, g and b is 100 r + 10 g + b.

    References:
        Unrolled Generative Adversarial Networks (Metz, Poole, Pfau and Sohl-Dickstein, 2016),
        https://arxiv.org/abs/1611.02163

    Examples:
        >>> source = StackedMnist(base="mnist-5k", pixels=32)
        >>> source.size, source.num_evaluated, source.classifier_source
        (128000, 26000, 'mnist-5k')
    """

    base: Literal["mnist", "mnist-5k"] = "mnist"
    """Where the digits come from: MNIST itself, or 5,000 of its images."""

    def _base_source(self) -> Source:
        bases = {"mnist": Mnist, "mnist-5k": Mnist5k}
        return bases[self.base](root=self.root, split=self.split)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class StackedFashion(_Stacked):
    """Stacked Fashion-MNIST: three articles as red, green and blue, 1,000 modes.

    The mode of a sample with the labels r, g and b is 100 r + 10 g + b.

    References:
        Unrolled Generative Adversarial Networks (Metz, Poole, Pfau and Sohl-Dickstein, 2016),
        https://arxiv.org/abs/1611.02163: the construction, with digits.

    Examples:
        >>> StackedFashion(pixels=64).classifier_source
        'fashion-mnist'
    """

    def _base_source(self) -> Source:
        return FashionMnist(root=self.root, split=self.split)
