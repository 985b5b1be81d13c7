"""Code noise: noise is added to the codes F(x) in all losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from iidgan.core import (
    OMIT_IF_DEFAULT,
    Batch,
    LossFn,
    Nets,
    NetworkFactory,
    NoiseShapes,
    Term,
    cites,
)
from iidgan.core.references import VAE
from iidgan.errors import InputError
from iidgan.functional import checks

PAPER = replace(VAE, note="The noisy code; its use in IID-GAN is iidgan's")

MAX_STRETCH = 8.0  # upper bound of the factor by which Student's noise exceeds Gaussian noise


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class CodeNoise(Term):
    """Noise on the output of the inverse F; adds no loss.

        q(z | x) = N(F(x), σ² e^(w ‖F(x)‖² / M) I), with the standard deviation σ and a widening w

    The codes of narrow modes are almost points, and a Gaussian loss on moments is satisfied by K
    points with the right mean and covariance; the cycle then constrains G at these points only.
    With noise on the codes the cycle G(F(x) + noise) constrains G on a cloud around each of them,
    and it is the union of the clouds that should look like N(0, I), as in a variational
    autoencoder.

    With w = 1 the clouds of K modes of equal weight cover equal shares of the prior: σ^M
    e^(‖z‖²/2) times the density of the prior at z is constant. With Student's noise, ε √(ν / χ²_ν)
    in place of ε, G also learns far away from all codes, where Gaussian noise never gets, to
    reconstruct the mode of the nearest code.

    References:
        Auto-Encoding Variational Bayes (Kingma and Welling, 2013),
        https://arxiv.org/abs/1312.6114, for the noisy code; its use in IID-GAN is original to this
        library.

    Examples:
        >>> import torch
        >>> term = CodeNoise(std=0.25)
        >>> noise = {"code": torch.tensor([[[1.0, -2.0]]])}  # drawn by training
        >>> zeros = torch.zeros(1, 1, 2)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0], noise=noise)
        >>> nets = term.wrap_networks(Nets({"F": torch.nn.Identity()}), batch)
        >>> nets.F(batch.x)
        tensor([[[ 0.2500, -0.5000]]])
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("std",)

    std: float = 0.25
    """Standard deviation of the noise; that of the codes is 1."""
    widening: float = field(default=0.0, metadata=OMIT_IF_DEFAULT)
    """How much the noise grows where the density of the prior is low: not at all (0), or so that
    all clouds have the same share of the prior (1)."""
    tails: int | None = field(default=None, metadata=OMIT_IF_DEFAULT)
    """Degrees of freedom of Student's noise, heavier-tailed the fewer; None: Gaussian noise."""

    def __post_init__(self) -> None:
        checks.require_non_negative("std", self.std)
        checks.require_non_negative("widening", self.widening)
        if self.tails is not None:
            checks.require_at_least("tails", self.tails, 1)

    @property
    def losses(self) -> Mapping[str, LossFn]:
        return {}

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        tails = {} if self.tails is None else {"tail": (self.tails,)}
        return {"code": (factory.latent,), **tails}

    def wrap_networks(self, nets: Nets, batch: Batch) -> Nets:
        if "F" not in nets:
            raise InputError("terms: code noise needs an inverse F; add the term cycle")
        return nets.with_output_map("F", lambda codes: self._add_noise(batch, codes))

    def _add_noise(self, batch: Batch, codes: Tensor) -> Tensor:
        """Add noise to the latents of codes; classes stay."""
        z, c = batch.split_code(codes)
        noisy_z = z + self._noise_std(z) * self._draw_noise(batch, z.shape[1])
        return torch.cat([noisy_z, c], -1) if c.shape[-1] else noisy_z

    def _draw_noise(self, batch: Batch, num_codes: int) -> Tensor:
        normal_noise = batch.noise_for("code", num_codes)
        if self.tails is None:
            return normal_noise
        chi_squared_mean = batch.noise_for("tail", num_codes).square().mean(-1, keepdim=True)
        return normal_noise * chi_squared_mean.clamp_min(MAX_STRETCH**-2).rsqrt()

    def _noise_std(self, z: Tensor) -> Tensor | float:
        """Return the standard deviation of the noise at codes (S, B, M), of shape (S, B, 1)."""
        if self.widening == 0:
            return self.std
        # Only networks at the start of training have codes beyond sqrt(3 M). There is no gradient,
        # so that F does not change codes to reduce their noise.
        half_mean_square = z.detach().square().mean(-1, keepdim=True).clamp_max(3) / 2
        return self.std * (self.widening * half_mean_square).exp()
