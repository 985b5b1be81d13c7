"""Batches as a pure function of data, seed and step.

What is drawn in a block of steps follows from the seed and the block's number alone, on the CPU
whatever the device. So a run that is resumed at any step, or moved to another device, or trained
beside other seeds, sees the batches that it would have seen anyway, and no generator's state
needs to be saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import Batch, Dataset
from iidgan.engine.state import entropy
from iidgan.errors import InputError

BLOCK = 64  # steps drawn at once: large enough to hide the cost, small enough to waste little


@dataclass(frozen=True)
class _Block:
    """Draws of `BLOCK` steps: index, u (T, R, S, B) and z (T, R, S, B, M)."""

    number: int
    index: Tensor
    z: Tensor
    u: Tensor


class Batches:
    """The batches of S seeds.

    Arguments:
        data: Where `x` and `y` come from, with replacement; on the device of the run.
        seeds: One stream each.
        size: Samples per batch and seed, B.
        latent: Dimension M of the prior.
        repeat: Batches per step, R.

    Raises:
        InputError: A batch is larger than the data set.
    """

    def __init__(
        self, data: Dataset, seeds: Sequence[int], *, size: int, latent: int, repeat: int = 1
    ) -> None:
        if not 1 <= size <= len(data):
            raise InputError(
                f"batch: {size} is not between 1 and the {len(data)} samples of the source"
            )
        self.data, self.seeds = data, tuple(seeds)
        self._shape = (BLOCK, repeat, size)
        self._latent = latent
        self._block = self._draw(0)

    def at(self, step: int) -> list[Batch]:
        """Gives the batches of step `step`, counted from 0."""
        number, offset = divmod(step, BLOCK)
        if number != self._block.number:
            self._block = self._draw(number)
        block = self._block
        return [self._batch(*parts) for parts in zip(*(p[offset] for p in _parts(block)))]

    def _batch(self, index: Tensor, z: Tensor, u: Tensor) -> Batch:
        return Batch(self.data.take(index), z, u, self.data.take_labels(index))

    def _draw(self, number: int) -> _Block:
        drawn = [self._draw_seed(seed, number) for seed in self.seeds]
        device = self.data.x.device
        index, z, u = (torch.stack(part, dim=2).to(device) for part in zip(*drawn))
        return _Block(number, index, z, u)

    def _draw_seed(self, seed: int, number: int) -> tuple[Tensor, Tensor, Tensor]:
        generator = torch.Generator().manual_seed(entropy(seed, 1, number))
        return (
            torch.randint(len(self.data), self._shape, generator=generator),
            torch.randn(*self._shape, self._latent, generator=generator),
            torch.rand(self._shape, generator=generator),
        )


def _parts(block: _Block) -> tuple[Tensor, Tensor, Tensor]:
    return block.index, block.z, block.u
