"""Mode seeking (MSGAN): different latents should give different samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import Batch, Losses, Nets, Reference, cites
from iidgan.errors import InputError
from iidgan.functional.reduce import mean_per_seed
from iidgan.terms.weighted import WeightedTerm

PAPER = Reference(
    title="Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis",
    authors="Qi Mao, Hsin-Ying Lee, Hung-Yu Tseng, Siwei Ma and Ming-Hsuan Yang",
    year=2019,
    url="https://arxiv.org/abs/1903.05628",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class ModeSeeking(WeightedTerm):
    """Inverse ratio of distances between samples to distances between latents, for G.

        w / (r + 1e-5), with r = (E ‖G(z₂) - G(z₁)‖₁ / d) / (E ‖z₂ - z₁‖₁ / M)

    with means over the batch before taking the quotient, as in the official code, rather than a
    ratio per pair. z₂ is the latent before z₁ in the batch, so that no extra samples are needed.
    For a conditional method, whose pairs must be of one class, samples of z₂ with the classes of
    z₁ are generated.

    References:
        Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis (Mao et al.,
        2019), https://arxiv.org/abs/1903.05628

    Examples:
        >>> import torch
        >>> nets = Nets({"G": torch.nn.Hardtanh(-0.1, 0.1)})  # G shrinks distances tenfold
        >>> z = torch.tensor([[[-1.0], [1.0]]])
        >>> ModeSeeking().compute_loss(nets, Batch(x=z, z=z, u=torch.zeros(1, 2)))
        {'mode_seeking': tensor([9.9990])}
    """

    weight: float = 1.0
    """Weight of the term, and its value where G preserves distances."""

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        if batch.z.shape[1] < 2:
            raise InputError("batch: must be >= 2 for mode seeking, got 1")
        z, c = batch.split_code(batch.z)
        samples, other_z = nets.G(batch.z), z.roll(1, dims=1)
        other_samples = (
            samples.roll(1, dims=1) if batch.c is None else nets.G(torch.cat([other_z, c], dim=-1))
        )
        distance_ratio = _mean_distance(samples, other_samples) / _mean_distance(z, other_z)
        return {"mode_seeking": self.weight / (distance_ratio + 1e-5)}


def _mean_distance(x: Tensor, other: Tensor) -> Tensor:
    """Average the absolute difference: (S, B, ...) -> (S,)."""
    return mean_per_seed((x - other).abs())
