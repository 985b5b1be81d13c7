"""Batches as a pure function of data set, seed and step.

The random numbers of a block of steps depend on the seed and the block's index alone, and those of
noise that is too large for a block on the seed and the step. They are drawn on the CPU whatever
the device. A run that is resumed at any step, moved to another device or trained next to other
seeds therefore uses the same batches, and no generator state is saved.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from iidgan.core import Batch, ClassBalancedIndex, Conditioning, Dataset, NoiseShapes
from iidgan.engine.state import derive_seed
from iidgan.errors import InputError

STEPS_PER_BLOCK = 64  # large enough to hide the cost of a draw, small enough to waste little
MAX_GATHERED_BYTES = 2**25  # larger blocks are gathered step by step
MAX_BLOCK_NOISE = 2**26  # numbers of one noise and seed: larger blocks are drawn step by step


class BatchStream(ABC):
    """Batches by step, cut from blocks of steps that are drawn together.

    Arguments:
        batches_per_step: Batches per step, R.
        steps: Length of the run, which defines `Batch.t`; None keeps `Batch.t` at 0.

    Attributes:
        gathers_blocks: Whether a block holds samples; otherwise it holds their indices.
    """

    gathers_blocks = True

    def __init__(self, batches_per_step: int, steps: int | None) -> None:
        self.batches_per_step, self.steps = batches_per_step, steps
        self._block_index, self._block = 0, self.draw_block(0)

    def batches_at(self, step: int) -> list[Batch]:
        """Return the batches of one step.

        Arguments:
            step: Step, counted from 0.

        Returns:
            R batches.
        """
        block_index, offset = divmod(step, STEPS_PER_BLOCK)
        if block_index != self._block_index:
            self._block_index, self._block = block_index, self.draw_block(block_index)
        tensors = {name: values[offset] for name, values in self._block.items()}
        tensors |= self.draw_step(step)
        progress = torch.full(
            (), step / self.steps if self.steps else 0.0, device=tensors["z"].device
        )
        return [
            self._make_batch({name: value[i] for name, value in tensors.items()} | {"t": progress})
            for i in range(self.batches_per_step)
        ]

    @abstractmethod
    def draw_block(self, block_index: int) -> dict[str, Tensor]:
        """Draw the tensors of a block of `STEPS_PER_BLOCK` steps.

        Arguments:
            block_index: Block, counted from 0.

        Returns:
            Tensors by name, with shapes (T, R, S, B, ...).
        """

    def draw_step(self, step: int) -> dict[str, Tensor]:
        """Draw the tensors of a step that are too large to be part of a block.

        Arguments:
            step: Step, counted from 0.

        Returns:
            Tensors by name, with shapes (R, S, B, ...).
        """
        return {}

    def _make_batch(self, tensors: dict[str, Tensor]) -> Batch:
        return Batch.from_tensors(tensors)


class DatasetStream(BatchStream):
    """The batches of S seeds of a run, drawn from a data set with replacement.

    Arguments:
        dataset: Samples and labels.
        seeds: Each has its own random stream.
        batch_size: Samples per batch and seed, B.
        latent_dim: Dimension M of the prior.
        batches_per_step: Batches per step, R.
        noise_shapes: Additional standard normal numbers: shape per sample, by name.
        steps: Length of the run, which defines `Batch.t`; None keeps `Batch.t` at 0.
        conditioning: How classes are drawn and encoded for a conditional method.

    Raises:
        InputError: A batch is larger than the data set, or classes are missing.

    Examples:
        >>> import torch
        >>> from iidgan import Dataset
        >>> from iidgan.engine.sampling import DatasetStream
        >>> data = Dataset(torch.arange(20.0).view(10, 2))
        >>> stream = DatasetStream(data, [0, 1, 2], batch_size=4, latent_dim=5, steps=100)
        >>> (batch,) = stream.batches_at(25)
        >>> batch.x.shape, batch.z.shape, batch.t
        (torch.Size([3, 4, 2]), torch.Size([3, 4, 5]), tensor(0.2500))
    """

    def __init__(
        self,
        dataset: Dataset,
        seeds: Sequence[int],
        *,
        batch_size: int,
        latent_dim: int,
        batches_per_step: int = 1,
        noise_shapes: NoiseShapes = MappingProxyType({}),
        steps: int | None = None,
        conditioning: Conditioning | None = None,
    ) -> None:
        if not 1 <= batch_size <= len(dataset):
            raise InputError(
                f"batch: must be between 1 and {len(dataset)}, the samples of the source, "
                f"got {batch_size}"
            )
        self.dataset, self.seeds = dataset, tuple(seeds)
        self._index_shape = (STEPS_PER_BLOCK, batches_per_step, batch_size)
        self._latent_dim = latent_dim
        self._step_noise_shapes = {
            name: shape
            for name, shape in sorted(noise_shapes.items())
            if math.prod((*self._index_shape, *shape)) > MAX_BLOCK_NOISE
        }
        self._block_noise_shapes = {
            name: shape
            for name, shape in sorted(noise_shapes.items())
            if name not in self._step_noise_shapes
        }
        self._conditioning = conditioning
        self._num_classes = len(dataset.classes) if conditioning else 0
        self._draw_index = _choose_index_sampler(dataset, conditioning)
        samples_per_block = math.prod(self._index_shape) * len(self.seeds)
        self.gathers_blocks = (
            4 * samples_per_block * math.prod(dataset.shape) <= MAX_GATHERED_BYTES
        )
        super().__init__(batches_per_step, steps)

    def _make_batch(self, tensors: dict[str, Tensor]) -> Batch:
        if not self.gathers_blocks:
            tensors = self._gather_samples(**tensors)
        return Batch.from_tensors(self._add_classes(tensors) if self._conditioning else tensors)

    def _add_classes(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add the classes of the labels, and let latents end with them."""
        assert self._conditioning is not None
        progress = tensors["t"] if self.steps else torch.ones_like(tensors["t"])
        c = self._conditioning.encode(tensors["y"], self._num_classes, progress)
        return tensors | {"c": c, "z": torch.cat([tensors["z"], c.to(tensors["z"].dtype)], -1)}

    def _gather_samples(
        self, index: Tensor, mirrored: Tensor | None = None, **tensors: Tensor
    ) -> dict[str, Tensor]:
        """Replace indices by samples and labels."""
        x, labels = self.dataset.take_samples(index), self.dataset.take_labels(index)
        if mirrored is not None:
            x = torch.where(mirrored[..., None, None, None], x.flip(-1), x)
        gathered = {"x": x, **tensors}
        return gathered if labels is None else gathered | {"y": labels}

    def draw_block(self, block_index: int) -> dict[str, Tensor]:
        draws = [self._draw_for_seed(seed, block_index) for seed in self.seeds]
        devices = {"index": self.dataset.x.device}
        block = {
            name: torch.stack([draw[name] for draw in draws], dim=2).to(
                devices.get(name, self.dataset.device)
            )
            for name in draws[0]
        }
        return self._gather_samples(**block) if self.gathers_blocks else block

    def draw_step(self, step: int) -> dict[str, Tensor]:
        generators = [
            torch.Generator().manual_seed(derive_seed(seed, 6, step)) for seed in self.seeds
        ]
        draws = {}
        for name, noise_shape in self._step_noise_shapes.items():
            shape = (*self._index_shape[1:], *noise_shape)
            noise = torch.stack([torch.randn(shape, generator=g) for g in generators], dim=1)
            draws[f"noise.{name}"] = noise.to(self.dataset.device)
        return draws

    def _draw_for_seed(self, seed: int, block_index: int) -> dict[str, Tensor]:
        # The order of the draws defines a run: additional noise comes last.
        generator = torch.Generator().manual_seed(derive_seed(seed, 1, block_index))
        shape = self._index_shape
        draws = {
            "index": self._draw_index(shape, generator),
            "z": torch.randn(*shape, self._latent_dim, generator=generator),
            "u": torch.rand(shape, generator=generator),
        }
        for name, noise_shape in self._block_noise_shapes.items():
            draws[f"noise.{name}"] = torch.randn(*shape, *noise_shape, generator=generator)
        if self.dataset.flip:
            draws["mirrored"] = torch.rand(shape, generator=generator) < 0.5
        return draws


def _choose_index_sampler(
    dataset: Dataset, conditioning: Conditioning | None
) -> Callable[[tuple[int, ...], torch.Generator], Tensor]:
    """Return how indices of samples are drawn: all equally likely, or all classes."""
    if conditioning is not None and conditioning.classes == "uniform":
        assert dataset.y is not None, "its classes have been counted"
        return ClassBalancedIndex(dataset.y)
    return lambda shape, generator: torch.randint(len(dataset), shape, generator=generator)


class ConcatenatedStream(BatchStream):
    """The batches of several runs, concatenated along the seed axis.

    Arguments:
        streams: Streams that differ in data set and seeds alone, all with `gathers_blocks`.
    """

    def __init__(self, streams: Sequence[BatchStream]) -> None:
        self._streams = streams
        super().__init__(streams[0].batches_per_step, streams[0].steps)

    def draw_block(self, block_index: int) -> dict[str, Tensor]:
        blocks = [stream.draw_block(block_index) for stream in self._streams]
        return {name: torch.cat([block[name] for block in blocks], dim=2) for name in blocks[0]}

    def draw_step(self, step: int) -> dict[str, Tensor]:
        draws = [stream.draw_step(step) for stream in self._streams]
        return {name: torch.cat([draw[name] for draw in draws], dim=1) for name in draws[0]}
