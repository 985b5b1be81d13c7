"""Samples of a trained generator, which are drawn when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from iidgan._version import __version__
from iidgan.engine.inference import CHUNK_SIZE
from iidgan.errors import InputError
from iidgan.sample_sets.blocks import hash_blocks
from iidgan.sample_sets.sample_set import SampleSet
from iidgan.training.model import Model
from iidgan.utils.pixels import to_bytes

STREAM = 1
"""Random stream of the latents: that of `iidgan sample`, which draws the same samples."""
MAX_CACHED_BYTES = 1 << 28
"""Bytes of samples that stay in memory, so that they are not generated for every reading."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratedSamples(SampleSet):
    """Samples of a model.

    Whole chunks are generated, whichever samples of them are read: a mixture of generators
    chooses between them by the position in a chunk.

    Arguments:
        model: The model.
    """

    model: Model
    _chunks: dict[int, Tensor] = field(default_factory=dict, repr=False)

    def iterate(self, indices: Sequence[int]) -> Iterator[Tensor]:
        positions, start = torch.tensor(indices), 0
        for z in self._latent_chunks():
            bounds = torch.tensor([start, start + len(z)])
            first, last = torch.searchsorted(positions, bounds).tolist()
            if first < last:
                yield self._generate(start, z)[positions[first:last] - start]
            if last == len(positions):
                return
            start += len(z)

    def compute_sha256(self, indices: Sequence[int]) -> str:
        """Compute a digest of points, or of all that determines images.

        Arguments:
            indices: Positions of the samples, increasing.
        """
        if not self.is_image:
            return hash_blocks(self.iterate(indices), self.shape)
        point, generator = self.model.point, self.model.nets["G"]
        facts = [__version__, point.run.id, *point.seeds, STREAM, self.num_samples]
        hasher = hashlib.sha256(json.dumps(facts).encode())
        for name, tensor in chain(generator.named_parameters(), generator.named_buffers()):
            hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            numbers = tensor.detach().cpu().contiguous().flatten()
            hasher.update(numbers.view(torch.uint8).numpy().data)
        hasher.update(np.array(indices, np.int64).data)
        return hasher.hexdigest()

    def _latent_chunks(self) -> Iterator[Tensor]:
        for block in self.model.iterate_prior(self.num_samples, stream=STREAM):
            yield from block.split(CHUNK_SIZE)

    def _generate(self, start: int, z: Tensor) -> Tensor:
        """Generate the chunk of samples that starts at a position, or return it from memory."""
        if start in self._chunks:
            return self._chunks[start]
        samples = self.model.generate(z)
        self._check_finite(samples, start)
        if self.is_image:
            samples = torch.from_numpy(to_bytes(samples.numpy()))
        if sum(chunk.nbytes for chunk in self._chunks.values()) < MAX_CACHED_BYTES:
            self._chunks[start] = samples
        return samples

    def _check_finite(self, samples: Tensor, start: int) -> None:
        is_finite = samples.isfinite().flatten(1).all(1)
        if not is_finite.all():
            position = start + int((~is_finite).nonzero()[0, 0])
            (seed,) = self.model.point.seeds
            raise InputError(
                f"{self.name}: sample {position} (counted from 0) of seed {seed} is not finite: "
                "the seed diverged; choose another with --seed (seed=N in Python)"
            )


def open_model(name: str, model: Model, num: int) -> GeneratedSamples:
    """Open samples of a model.

    Arguments:
        name: What the user calls it.
        model: The model.
        num: Number of samples.

    Raises:
        InputError: It generates neither images nor points.
    """
    shape = model.shape
    if len(shape) != 1 and not (len(shape) == 3 and shape[0] in (1, 3)):
        raise InputError(f"{name}: expected samples of shape (d,) or (1 or 3, H, W), got {shape}")
    (seed,), (step,) = model.point.seeds, model.point.steps
    return GeneratedSamples(
        name=name,
        num_samples=num,
        shape=shape,
        notes=(f"{num:,} samples of seed {seed} at step {step:,}",),
        model=model,
    )
