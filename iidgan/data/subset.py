"""A random part of a set of images, for training on few of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch

from iidgan.core import Dataset, Source
from iidgan.data.idx import FashionMnist
from iidgan.errors import InputError
from iidgan.utils.subsets import choose_indices


@dataclass(frozen=True, kw_only=True)
class Subset(Source):
    """A random part of the images of another source, the same for all seeds of a run.

    Training reads these images alone. Tables compare samples with all images of the source, so
    that learning the few by heart does not count as coverage.

    Examples:
        >>> import iidgan
        >>> few_digits = iidgan.Subset(source=iidgan.Mnist5k(), num=100)
        >>> len(few_digits.load()), len(few_digits.whole.load())
        (100, 4000)
    """

    has_images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000

    source: Source = field(default_factory=FashionMnist)
    """Source of images."""
    num: int = 500
    """Number of images that are chosen from it."""
    seed: int = 0
    """Seed of the choice."""

    def __post_init__(self) -> None:
        if not self.source.has_images:
            raise InputError(f"source: must have images, got {type(self.source).__name__}")
        if self.num < 1:
            raise InputError(f"num: must be >= 1, got {self.num}")

    @property
    def whole(self) -> Source:
        return self.source

    @property
    def label_advice(self) -> str:
        return self.source.label_advice

    def load(self) -> Dataset:
        """Choose the images, and their labels, if there are any.

        Raises:
            InputError: The source cannot be loaded, or has fewer images.
        """
        data = self.source.load()
        if self.num > len(data):
            raise InputError(
                f"num: must be at most {len(data):,}, the images of the source, got {self.num:,}"
            )
        index = torch.tensor(choose_indices(len(data), self.num, seed=self.seed))
        labels = None if data.y is None else data.y[index]
        return Dataset(data.take_bytes(index), labels, labels=data.labels, flip=data.flip)
