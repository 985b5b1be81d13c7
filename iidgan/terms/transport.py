"""Transport: G moves each latent as little as it can (Adversarial Flow Models)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from iidgan.core import Batch, Losses, Nets, NetworkFactory, Reference, cites
from iidgan.errors import InputError
from iidgan.functional.reduce import mean_per_seed
from iidgan.terms.weighted import WeightedTerm

PAPER = Reference(
    title="Adversarial Flow Models",
    authors="Shanchuan Lin, Ceyuan Yang, Zhijie Lin, Hao Chen and Haoqi Fan",
    year=2025,
    url="https://arxiv.org/abs/2511.22475",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Transport(WeightedTerm):
    """Squared distance between a latent and its sample, for G, where the dimensions agree.

        w(t) E ‖G(z) - z‖² / d,  w(t) = w (r + (1 - r) (1 + cos π t) / 2)

    at the share t of the run. Of all maps from the prior to the data, which the adversarial loss
    does not tell apart, it prefers the one that moves latents least: the optimal transport.
    Latents and samples need the same number of dimensions d, and similar scales.

    The weight falls from 0.2 to 0.005 over the run, as in the authors' configuration for images;
    there it stays so for the rest of the training. This is their model for one step of
    generation. Its relativistic loss, gradient penalties and penalty on the sum of logits are
    other terms and methods: `--method r3gan --term transport` is the nearest; the normalisation of
    the gradient that G gets from D is not included.

    References:
        * Adversarial Flow Models (Lin, Yang, Lin, Chen and Fan, 2025),
          https://arxiv.org/abs/2511.22475
        * https://github.com/ByteDance-Seed/Adversarial-Flow-Models, for the schedule

    Examples:
        >>> import torch
        >>> nets = Nets({"G": lambda z: z + torch.tensor([3.0, 4.0])})
        >>> zeros = torch.zeros(1, 8, 2)
        >>> Transport(weight=1.0).compute_loss(nets, Batch(x=zeros, z=zeros, u=zeros[..., 0]))
        {'transport': tensor([12.5000])}
    """

    weight: float = 0.2
    """Weight of the term at the start of the run."""
    final_ratio: float = 0.025
    """Ratio r of the weight at the end of the run to that at its start; 1: it is constant."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.final_ratio <= 1:
            raise InputError(f"final_ratio: must be between 0 and 1, got {self.final_ratio}")

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        sample_dim = math.prod(factory.shape)
        if factory.latent != sample_dim:
            raise InputError(
                f"latent: must be {sample_dim} for transport, the dimension of a sample of shape "
                f"{factory.shape}, got {factory.latent}; use --arch.latent {sample_dim}"
            )
        return {}

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        latents, _ = batch.split_code(batch.z)
        squared_distance = (nets.G(batch.z).flatten(2) - latents).square()
        return {"transport": self.weight * self._decay(batch.t) * mean_per_seed(squared_distance)}

    def _decay(self, t: Tensor) -> Tensor:
        return self.final_ratio + (1 - self.final_ratio) * (1 + (math.pi * t).cos()) / 2
