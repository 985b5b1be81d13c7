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

    The shapes are those of S seeds and B samples of each.

    Arguments:
        x: Real samples, with shape (S, B, *shape).
        z: Samples of the prior N(0, I), with shape (S, B, M); for a conditional method, of codes
            [z; c], with shape (S, B, M + K).
        u: Uniform random numbers in [0, 1), with shape (S, B).
        y: Labels of `x`, with shape (S, B), or None.
        c: Classes of `x` and of the generated samples of a conditional method, one-hot or as
            probabilities, with shape (S, B, K), or None.
        t: Completed fraction of the training, in [0, 1), with shape ().
        noise: Standard normal numbers by name, with shapes (S, B, ...), as declared by the
            `noise_shapes` of the method and its terms.

    Examples:
        >>> x = torch.zeros(2, 64, 1, 28, 28)  # two seeds, 64 images of each
        >>> batch = Batch(x=x, z=torch.randn(2, 64, 8), u=torch.rand(2, 64))
        >>> batch.t  # at the start of training
        tensor(0.)
    """

    x: Tensor
    z: Tensor
    u: Tensor
    y: Tensor | None = None
    c: Tensor | None = None
    t: Tensor = field(default_factory=lambda: torch.zeros(()))
    noise: Mapping[str, Tensor] = field(default_factory=dict)

    def noise_for(self, name: str, num_samples: int) -> Tensor:
        """Return the noise `name` for `num_samples` samples, repeated if they exceed the batch.

        Arguments:
            name: Name of the noise.
            num_samples: Number of samples.

        Returns:
            Noise, with shape (S, num_samples, ...).

        Examples:
            >>> noise = {"code": torch.tensor([[[1.0], [2.0]]])}
            >>> zeros = torch.zeros(1, 2, 1)
            >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0], noise=noise)
            >>> batch.noise_for("code", 3).flatten()
            tensor([1., 2., 1.])
        """
        return fit_batch_size(self.noise[name], num_samples)

    def split_code(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Split codes into latents and classes; the latter are empty if there is no class.

        Arguments:
            codes: Codes such as `z` or F(x), with shape (..., M + K).

        Returns:
            Latents (..., M), and probabilities of the classes (..., K).

        Examples:
            >>> zeros = torch.zeros(1, 2, 1)
            >>> batch = Batch(x=zeros, z=torch.zeros(1, 2, 8), u=zeros[..., 0])
            >>> latents, classes = batch.split_code(batch.z)
            >>> latents is batch.z, classes.shape  # of a method without classes
            (True, torch.Size([1, 2, 0]))
        """
        if self.c is None:
            return codes, codes[..., :0]
        num_classes = self.c.shape[-1]
        return codes[..., :-num_classes], codes[..., -num_classes:]

    def to_tensors(self) -> dict[str, Tensor]:
        """Return all tensors by name, always in the same order.

        Examples:
            >>> zeros = torch.zeros(1, 2, 1)
            >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0], noise={"code": zeros})
            >>> tensors = batch.to_tensors()
            >>> list(tensors)
            ['x', 'z', 'u', 't', 'noise.code']
            >>> Batch.from_tensors(tensors).noise["code"] is zeros
            True
        """
        optional_fields = {
            "x": self.x,
            "z": self.z,
            "u": self.u,
            "y": self.y,
            "c": self.c,
            "t": self.t,
        }
        tensors = {name: value for name, value in optional_fields.items() if value is not None}
        return tensors | {f"{NOISE_PREFIX}{name}": self.noise[name] for name in sorted(self.noise)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Batch:
        """Create a batch from the result of `to_tensors`.

        Arguments:
            tensors: Tensors by name; those of noise start with `noise.`.
        """
        noise_tensors, field_tensors = {}, {}
        for name, value in tensors.items():
            if name.startswith(NOISE_PREFIX):
                noise_tensors[name.removeprefix(NOISE_PREFIX)] = value
            else:
                field_tensors[name] = value
        return cls(**field_tensors, noise=noise_tensors)


def fit_batch_size(noise: Tensor, num_samples: int) -> Tensor:
    """Return noise for `num_samples` samples, repeated if they exceed the batch.

    Arguments:
        noise: Noise for a batch, with shape (S, B, ...).
        num_samples: Number of samples.

    Returns:
        Noise, with shape (S, num_samples, ...).

    Examples:
        >>> fit_batch_size(torch.tensor([[1.0, 2.0]]), 3)
        tensor([[1., 2., 1.]])
    """
    num_copies = -(-num_samples // noise.shape[1])
    return noise.repeat(1, num_copies, *[1] * (noise.dim() - 2))[:, :num_samples]


def concatenate_batches(batches: list[Batch]) -> Batch:
    """Concatenate batches along the batch axis; `t` is that of the first.

    Arguments:
        batches: Batches of the same seeds, at least one.

    Returns:
        One batch of all samples.

    Examples:
        >>> zeros = torch.zeros(1, 64, 2)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> concatenate_batches([batch, batch]).x.shape
        torch.Size([1, 128, 2])
    """
    if len(batches) == 1:
        return batches[0]
    tensor_dicts = [batch.to_tensors() for batch in batches]
    concatenated = {
        name: torch.cat([tensors[name] for tensors in tensor_dicts], 1)
        for name in tensor_dicts[0]
        if name != "t"
    }
    return Batch.from_tensors(concatenated | {"t": batches[0].t})
