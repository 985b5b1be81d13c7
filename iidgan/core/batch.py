"""Batches: the data and all random numbers that a loss reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

NOISE_PREFIX = "noise."


@dataclass(frozen=True)
class Batch:
    """All inputs of a loss besides the networks, including all of its randomness.

    Arguments:
        x: Real samples, with shape (S, B, *shape).
        z: Samples of the prior N(0, I), with shape (S, B, M).
        u: Uniform random numbers in [0, 1), with shape (S, B).
        y: Labels of `x`, with shape (S, B), or None.
        t: Completed fraction of the training, in [0, 1), with shape ().
        noise: Standard normal numbers by name, with shapes (S, B, ...), as declared by the
            `noise_shapes` of the method and its terms.
    """

    x: Tensor
    z: Tensor
    u: Tensor
    y: Tensor | None = None
    t: Tensor = field(default_factory=lambda: torch.zeros(()))
    noise: Mapping[str, Tensor] = field(default_factory=dict)

    def noise_for(self, name: str, num_samples: int) -> Tensor:
        """Return the noise `name` for `num_samples` samples, repeated if they exceed the batch."""
        noise = self.noise[name]
        num_copies = -(-num_samples // noise.shape[1])
        return noise.repeat(1, num_copies, *[1] * (noise.dim() - 2))[:, :num_samples]

    def to_tensors(self) -> dict[str, Tensor]:
        """Return all tensors by name, always in the same order."""
        optional_fields = {"x": self.x, "z": self.z, "u": self.u, "y": self.y, "t": self.t}
        tensors = {name: value for name, value in optional_fields.items() if value is not None}
        return tensors | {f"{NOISE_PREFIX}{name}": self.noise[name] for name in sorted(self.noise)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Batch:
        """Create a batch from the result of `to_tensors`."""
        noise_tensors, field_tensors = {}, {}
        for name, value in tensors.items():
            if name.startswith(NOISE_PREFIX):
                noise_tensors[name.removeprefix(NOISE_PREFIX)] = value
            else:
                field_tensors[name] = value
        return cls(**field_tensors, noise=noise_tensors)


def concatenate_batches(batches: list[Batch]) -> Batch:
    """Concatenate batches along the batch axis; `t` is that of the first."""
    if len(batches) == 1:
        return batches[0]
    tensor_dicts = [batch.to_tensors() for batch in batches]
    concatenated = {
        name: torch.cat([tensors[name] for tensors in tensor_dicts], 1)
        for name in tensor_dicts[0]
        if name != "t"
    }
    return Batch.from_tensors(concatenated | {"t": batches[0].t})
