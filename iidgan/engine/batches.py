"""Batches as a pure function of data, seed and step.

What is drawn in a block of steps follows from the seed and the block's number alone, on the CPU
whatever the device. So a run that is resumed at any step, or moved to another device, or trained
beside other seeds, sees the batches that it would have seen anyway, and no generator's state
needs to be saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from iidgan.core import Batch, Dataset, Shapes
from iidgan.engine.state import entropy
from iidgan.errors import InputError

BLOCK = 64  # steps drawn at once: large enough to hide the cost, small enough to waste little


@dataclass(frozen=True)
class _Block:
    """Draws of `BLOCK` steps by name, with shapes (T, R, S, B, ...)."""

    number: int
    drawn: dict[str, Tensor]


class Batches:
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
        self._steps = steps
        self._block = self._draw(0)

    def at(self, step: int) -> list[Batch]:
        """Gives the batches of step `step`, counted from 0."""
        number, offset = divmod(step, BLOCK)
        if number != self._block.number:
            self._block = self._draw(number)
        parts = {name: part[offset] for name, part in self._block.drawn.items()}
        share = torch.full(
            (), step / self._steps if self._steps else 0.0, device=parts["z"].device
        )
        return [
            self._batch({name: part[i] for name, part in parts.items()} | {"t": share})
            for i in range(self._shape[1])
        ]

    def _batch(self, drawn: dict[str, Tensor]) -> Batch:
        index, mirrored = drawn.pop("index"), drawn.pop("mirrored", None)
        x, labels = self.data.take(index), self.data.take_labels(index)
        if mirrored is not None:
            x = torch.where(mirrored[..., None, None, None], x.flip(-1), x)
        found = {"x": x, **drawn}
        return Batch.of(found if labels is None else found | {"y": labels})

    def _draw(self, number: int) -> _Block:
        seeds = [self._draw_seed(seed, number) for seed in self.seeds]
        there = {"index": self.data.x.device}
        drawn = {
            name: torch.stack([seed[name] for seed in seeds], dim=2).to(
                there.get(name, self.data.device)
            )
            for name in seeds[0]
        }
        return _Block(number, drawn)

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
