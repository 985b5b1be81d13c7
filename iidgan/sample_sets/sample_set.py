"""A set of images or points, which can be read any number of times."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SampleSet(ABC):
    """A set of samples of one shape, in a fixed order, of which any part can be read.

    Arguments:
        name: What the user calls the set; messages start with it.
        num_samples: Number N of samples.
        shape: Shape of a sample: (C, H, W) of images, with C = 1 or 3, or (d,) of points.
        labels: Labels, int64 with shape (N,); None if there are none.
        label_names: Names of the labels, in order; empty if they have none.
        notes: Lines for the user on how the set was read.
    """

    name: str
    num_samples: int
    shape: tuple[int, ...]
    labels: Tensor | None = field(default=None, compare=False, repr=False)
    label_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether the samples are images."""
        return len(self.shape) == 3

    @abstractmethod
    def iterate(self, indices: Sequence[int]) -> Iterator[Tensor]:
        """Yield samples in blocks that fit in memory.

        Arguments:
            indices: Positions of the samples, increasing.

        Yields:
            Images, uint8 with shape (n, C, H, W), or points, float32 with shape (n, d).

        Raises:
            InputError: A sample cannot be read.
        """

    @abstractmethod
    def compute_sha256(self, indices: Sequence[int]) -> str:
        """Compute a digest of the content of samples, in hexadecimal, perhaps without decoding.

        Arguments:
            indices: Positions of the samples, increasing.

        Raises:
            InputError: A sample cannot be read.
        """

    def describe(self, index: int) -> str:
        """Name a sample, for messages.

        Arguments:
            index: Its position.
        """
        return f"sample {index}"

    def take(self, indices: Sequence[int]) -> Tensor:
        """Read some samples.

        Arguments:
            indices: Their positions, in any order.

        Returns:
            Images, uint8 with shape (n, C, H, W), or points, float32 with shape (n, d), in the
            order of `indices`.

        Raises:
            InputError: A sample cannot be read.
        """
        increasing = sorted(set(indices))
        if not increasing:
            return torch.empty(0, *self.shape, dtype=torch.uint8 if self.is_image else None)
        samples = torch.cat(list(self.iterate(increasing)))
        positions = {index: position for position, index in enumerate(increasing)}
        return samples[torch.tensor([positions[index] for index in indices])]
