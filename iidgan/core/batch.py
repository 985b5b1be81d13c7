"""What a loss reads besides the networks: data, and all of its randomness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What a loss may read besides the networks; all of its randomness is here.

    Arguments:
        x: Real samples, with shape (S, B, *shape).
        z: Samples of the prior N(0, I), with shape (S, B, M).
        u: Spare uniform numbers in [0, 1), with shape (S, B).
        y: Labels of `x`, with shape (S, B), or None.
        t: Share of the run that is done, in [0, 1), with shape ().
        noise: Standard normal numbers by name, with shapes (S, B, ...): what the method's or a
            term's `noise` asks for.
    """

    x: Tensor
    z: Tensor
    u: Tensor
    y: Tensor | None = None
    t: Tensor = field(default_factory=lambda: torch.zeros(()))
    noise: Mapping[str, Tensor] = field(default_factory=dict)

    def noise_for(self, name: str, num: int) -> Tensor:
        """Gives the noise `name` for `num` samples: a loss may need it for more than a batch."""
        noise = self.noise[name]
        copies = -(-num // noise.shape[1])
        return noise.repeat(1, copies, *[1] * (noise.dim() - 2))[:, :num]

    def tensors(self) -> dict[str, Tensor]:
        """Lists what there is by name, always in the same order."""
        parts = {"x": self.x, "z": self.z, "u": self.u, "y": self.y, "t": self.t}
        there = {name: part for name, part in parts.items() if part is not None}
        return there | {f"noise.{name}": self.noise[name] for name in sorted(self.noise)}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Batch:
        """Undoes `tensors`."""
        noise = {k.removeprefix("noise."): v for k, v in tensors.items() if k.startswith("noise.")}
        parts = {k: v for k, v in tensors.items() if not k.startswith("noise.")}
        return cls(**parts, noise=noise)


def join(batches: list[Batch]) -> Batch:
    """Lays batches end to end along the batch axis; `t` is that of the first."""
    if len(batches) == 1:
        return batches[0]
    parts = [batch.tensors() for batch in batches]
    joined = {k: torch.cat([part[k] for part in parts], 1) for k in parts[0] if k != "t"}
    return Batch.of(joined | {"t": batches[0].t})
