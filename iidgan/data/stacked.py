r"""Three grey images as red, green and blue: a thousand modes that a classifier can count.

The base has ten classes. A sample takes three of its images at random, independently and with
replacement; its mode is \(100 r + 10 g + b\) for their labels r, g and b. Nothing is copied: a
triple is three places in the base, and an image is made when it is taken.

References:
    Unrolled Generative Adversarial Networks (Metz et al., 2016), https://arxiv.org/abs/1611.02163
    PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018),
    https://arxiv.org/abs/1712.04086, appendix: 128,000 triples, 26,000 generated samples.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from iidgan.core import IS_PATH, Dataset, Reference, Source, View, cites
from iidgan.data.idx import FashionMnist, Mnist, Split
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.prepared import Prepared, is_prepared
from iidgan.errors import AbsentError, InputError, unknown

PAPER = Reference(
    title="Unrolled Generative Adversarial Networks",
    authors="Luke Metz, Ben Poole, David Pfau and Jascha Sohl-Dickstein",
    year=2016,
    url="https://arxiv.org/abs/1611.02163",
)

SIDE = 28
"""Pixels of a side of a base's images."""
PADDED, RESIZED = (28, 32), (64,)
"""Sides of stacked images: with black around the base's, or resized bilinearly."""


@dataclass(frozen=True)
class Stack(View):
    """Grey images, stored with shape (n, 1, 28, 28), three at a time.

    Arguments:
        triples: Places of the red, green and blue image of each sample, int64 with shape (N, 3).
        pixels: Side of the samples: 28, 32 or 64.
    """

    triples: Tensor
    pixels: int

    def count(self, stored: Tensor) -> int:
        return len(self.triples)

    def shape(self, stored: Tensor) -> tuple[int, ...]:
        return (3, self.pixels, self.pixels)

    def take(self, stored: Tensor, index: Tensor) -> Tensor:
        places = self.triples[index].flatten()
        grey = stored.flatten(1).index_select(0, places).view(-1, 3, SIDE, SIDE)
        return self._enlarged(grey).reshape(*index.shape, *self.shape(stored))

    def _enlarged(self, images: Tensor) -> Tensor:
        if self.pixels in PADDED:
            return pad(images, [(self.pixels - SIDE) // 2] * 4)
        return interpolate(images.float(), size=(self.pixels,) * 2, mode="bilinear").round()

    def tensors(self) -> tuple[Tensor, ...]:
        return (self.triples, torch.tensor(self.pixels))

    def to(self, device: torch.device | str) -> Stack:
        return replace(self, triples=self.triples.to(device))


@dataclass(frozen=True, kw_only=True)
class _Stacked(Source):
    """Stacked images; the data sets below say of what."""

    images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 26_000
    apart: ClassVar[bool] = True

    pixels: Literal[28, 32, 64] = 32
    """Side of the images: 28, 32 (padded with black) or 64 (resized bilinearly)."""
    size: int = 128_000
    """Number of training samples."""
    seed: int = 0
    """Seed that decides which images make a sample."""
    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of the base's files, as the base itself takes it."""
    split: Split = "train"
    """Part of the base whose images are stacked."""

    def __post_init__(self) -> None:
        if self.pixels not in (known := (*PADDED, *RESIZED)):
            raise InputError(
                f"pixels: {self.pixels} is no side of stacked images; known: "
                f"{', '.join(map(str, known))}"
            )
        if self.size < 1:
            raise InputError(f"size: {self.size} is too small; at least 1")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed: {self.seed} is out of range; from 0 to {2**63 - 1}")
        self._base()  # sees that its own fields are right

    @property
    def classifier(self) -> str:
        return self._base().classifier

    @abstractmethod
    def _base(self) -> Source:
        """Creates the source of the grey images."""

    def _read(self) -> Dataset:
        """Reads the base from its own files, or from the set that was prepared of them."""
        base = self._base()
        name = base.classifier if self.split == "train" else f"{base.classifier}-{self.split}"
        try:
            return base.load()
        except AbsentError:
            if not is_prepared(name, self.root):
                raise
        return Prepared(name=name, root=self.root).load()

    def load(self) -> Dataset:
        """Reads the base and draws the triples: uint8 samples of shape (3, pixels, pixels).

        Labels are 100 r + 10 g + b, in 0 ... 999.

        Raises:
            InputError: The base cannot be read, has no labels, or other images.
        """
        base = self._read()
        if base.shape != (1, SIDE, SIDE):
            raise InputError(
                f"base: its images have shape {base.shape}; stacked ones are made of "
                f"{(1, SIDE, SIDE)}"
            )
        if base.y is None:
            raise InputError("base: it has no labels, which tell the modes of stacked images")
        generator = torch.Generator().manual_seed(self.seed)
        triples = torch.randint(len(base), (self.size, 3), generator=generator)
        return Dataset(
            base.x,
            base.y[triples] @ torch.tensor([100, 10, 1]),
            labels=tuple(
                f"{r}, {g}, {b}" for r in base.labels for g in base.labels for b in base.labels
            ),
            view=Stack(triples, self.pixels),
        )


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class StackedMnist(_Stacked):
    """Stacked MNIST: three handwritten digits as red, green and blue, 1,000 modes."""

    base: Literal["mnist", "mnist-5k"] = "mnist"
    """Where the digits come from: MNIST itself, or 5,000 of its images."""

    def _base(self) -> Source:
        bases = {"mnist": Mnist, "mnist-5k": Mnist5k}
        if self.base not in bases:
            raise unknown("base", self.base, bases)
        return bases[self.base](root=self.root, split=self.split)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class StackedFashion(_Stacked):
    """Stacked Fashion-MNIST: three articles as red, green and blue, 1,000 modes."""

    def _base(self) -> Source:
        return FashionMnist(root=self.root, split=self.split)
