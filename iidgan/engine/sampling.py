"""Batches as a pure function of data, seed and step.

What is drawn in a block of steps follows from the seed and the block's number alone, on the CPU
whatever the device. So a run that is resumed at any step, or moved to another device, or trained
beside other seeds, sees the batches that it would have seen anyway, and no generator's state
needs to be saved.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from iidgan.core import Batch, Dataset, Shapes
from iidgan.engine.state import entropy
from iidgan.errors import InputError

BLOCK = 64  # steps drawn at once: large enough to hide the cost, small enough to waste little
AT_ONCE = 2**25  # bytes of samples up to which those of a block are gathered together


class Blocks(ABC):
    """Batches step by step, cut from blocks that are drawn at once.

    Arguments:
        repeat: Batches per step, R.
        steps: Length of the run, of which `Batch.t` tells the share done; None: it stays 0.

    Attributes:
        at_once: Whether samples are gathered by the block; else blocks hold their positions.
    """

    at_once = True

    def __init__(self, repeat: int, steps: int | None) -> None:
        self.repeat, self.steps = repeat, steps
        self._number, self._block = 0, self.draw(0)

    def at(self, step: int) -> list[Batch]:
        """Gives the batches of step `step`, counted from 0."""
        number, offset = divmod(step, BLOCK)
        if number != self._number:
            self._number, self._block = number, self.draw(number)
        parts = {name: part[offset] for name, part in self._block.items()}
        share = torch.full((), step / self.steps if self.steps else 0.0, device=parts["z"].device)
        return [
            self._batch({name: part[i] for name, part in parts.items()} | {"t": share})
            for i in range(self.repeat)
        ]

    @abstractmethod
    def draw(self, number: int) -> dict[str, Tensor]:
        """Draws block `number`, by name with shapes (T, R, S, B, ...)."""

    def _batch(self, drawn: dict[str, Tensor]) -> Batch:
        return Batch.of(drawn)


class Batches(Blocks):
    """The batches of S seeds.

    Arguments:
        data: Where `x` and `y` come from, with replacement.
        seeds: One stream each.
        size: Samples per batch and seed, B.
        latent: Dimension M of the prior.
        repeat: Batches per step, R.
        noise: Normal numbers to draw besides, by name, with the shape for one sample.
        steps: Length of the run, of which `Batch.t` tells the share done; None: it stays 0.

    Raises:
        InputError: A batch is larger than the data set.
    """

    def __init__(
        self,
        data: Dataset,
        seeds: Sequence[int],
        *,
        size: int,
        latent: int,
        repeat: int = 1,
        noise: Shapes = MappingProxyType({}),
        steps: int | None = None,
    ) -> None:
        if not 1 <= size <= len(data):
            raise InputError(
                f"batch: {size} is not between 1 and the {len(data)} samples of the source"
            )
        self.data, self.seeds = data, tuple(seeds)
        self._shape = (BLOCK, repeat, size)
        self._latent, self._noise = latent, noise
        of_block = BLOCK * repeat * size * len(self.seeds) * math.prod(data.shape)
        self.at_once = 4 * of_block <= AT_ONCE
        super().__init__(repeat, steps)

    def _batch(self, drawn: dict[str, Tensor]) -> Batch:
        return Batch.of(drawn if self.at_once else self._gathered(**drawn))

    def _gathered(
        self, index: Tensor, mirrored: Tensor | None = None, **drawn: Tensor
    ) -> dict[str, Tensor]:
        """Puts samples in the place of their positions."""
        x, labels = self.data.take(index), self.data.take_labels(index)
        if mirrored is not None:
            x = torch.where(mirrored[..., None, None, None], x.flip(-1), x)
        found = {"x": x, **drawn}
        return found if labels is None else found | {"y": labels}

    def draw(self, number: int) -> dict[str, Tensor]:
        seeds = [self._draw_seed(seed, number) for seed in self.seeds]
        there = {"index": self.data.x.device}
        drawn = {
            name: torch.stack([seed[name] for seed in seeds], dim=2).to(
                there.get(name, self.data.device)
            )
            for name in seeds[0]
        }
        return self._gathered(**drawn) if self.at_once else drawn

    def _draw_seed(self, seed: int, number: int) -> dict[str, Tensor]:
        # The order is part of what a run is: what a method asks for besides comes last.
        generator = torch.Generator().manual_seed(entropy(seed, 1, number))
        drawn = {
            "index": torch.randint(len(self.data), self._shape, generator=generator),
            "z": torch.randn(*self._shape, self._latent, generator=generator),
            "u": torch.rand(self._shape, generator=generator),
        }
        for name, shape in sorted(self._noise.items()):
            drawn[f"noise.{name}"] = torch.randn(*self._shape, *shape, generator=generator)
        if self.data.flip:
            drawn["mirrored"] = torch.rand(self._shape, generator=generator) < 0.5
        return drawn


class Beside(Blocks):
    """The batches of several runs side by side along the seed axis.

    Arguments:
        parts: Batches that are alike but for their data and seeds, and gathered `at_once`.
    """

    def __init__(self, parts: Sequence[Blocks]) -> None:
        self._parts = parts
        super().__init__(parts[0].repeat, parts[0].steps)

    def draw(self, number: int) -> dict[str, Tensor]:
        drawn = [part.draw(number) for part in self._parts]
        return {name: torch.cat([each[name] for each in drawn], dim=2) for name in drawn[0]}
