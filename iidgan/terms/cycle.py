"""Cycle consistency: F inverts G on latents, and G inverts F on data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from torch import nn

from iidgan.core import OMIT_IF_DEFAULT, Batch, Losses, Nets, NetworkFactory, cites
from iidgan.core.references import IID_GAN
from iidgan.functional import checks, cycle
from iidgan.terms.weight_schedule import weight_schedule
from iidgan.terms.weighted import WeightedTerm


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class CycleTerm(WeightedTerm):
    """Cycle consistency of G and its inverse F; both networks get gradients from both parts.

        w (E ‖z - F(G(z))‖₁ + E ‖x - G(F(x))‖₁)

    or 1 / M of it, so that one weight fits images of any size, or with Euclidean norms; `ratio`
    weights the part of x against that of z. F is added if the method has none, and is trained by
    the player of G.

    With `latents="codes"` the method's loss for G is computed at the codes of the real batch, of
    which N(0, I) is the target, rather than at draws from N(0, I). G(F(x)) is then judged by D and
    compared with x at once, so that the cycle costs little more than F does.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, equation 7; for an adversarial loss of
        reconstructions, Autoencoding beyond pixels using a learned similarity metric (Larsen,
        Sønderby, Larochelle and Winther, 2015), https://arxiv.org/abs/1512.09300

    Examples:
        >>> import torch
        >>> nets = Nets({"G": torch.nn.Identity(), "F": torch.nn.ReLU()})  # F maps -1 to 0
        >>> batch = Batch(x=torch.ones(1, 8, 2), z=-torch.ones(1, 8, 2), u=torch.zeros(1, 8))
        >>> CycleTerm(weight=3.0).compute_loss(nets, batch)
        {'cycle_z': tensor([6.]), 'cycle_x': tensor([0.])}
    """

    owned_networks: ClassVar[Mapping[str, str]] = {"F": "G"}
    target_networks: ClassVar[tuple[str, ...]] = ("G", "F")

    weight: float = 3.0
    """Weight of the term."""
    norm: cycle.Norm = "l1-sum"
    """L1 norms; `l1` for 1/M of that, by element means, which suits images; or L2 (InvertGAN)."""
    ratio: cycle.Ratio = field(default=None, metadata=OMIT_IF_DEFAULT)
    """Factor of the norm of x relative to that of z: a number, `d/M`, where d and M are the
    dimensions of x and z, or None for `d/M` with `l1`, and for 1 with the other norms. With
    `l1-sum` and `d/M` the term is equation 7 of the IJCAI paper read literally."""
    growth: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Factor by which the weight of the x part is larger at the end of the run, and that of the z
    part smaller; both change after a quarter of the run. On narrow modes D becomes steep compared
    to the slope 1 of the x part, and within a mode F cannot recover z."""
    parts: Literal["both", "x"] = field(default="both", metadata=OMIT_IF_DEFAULT)
    """Both parts, or that of x alone."""
    latents: Literal["prior", "codes"] = field(default="prior", metadata=OMIT_IF_DEFAULT)
    """Latents of the method's own loss for G: drawn from the prior, or the codes F(x) of the real
    batch, whose samples G(F(x)) then serve both losses. D compares data with samples of the prior
    in either case."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.require_positive("growth", self.growth)
        if isinstance(self.ratio, int | float):
            checks.require_non_negative("ratio", self.ratio)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"F": factory.build_inverse()}

    def wrap_batch(self, nets: Nets, batch: Batch) -> Batch:
        return batch if self.latents == "prior" else replace(batch, z=nets.F(batch.x))

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        growth_factor = weight_schedule(self.growth, batch.t)
        losses = {}
        if self.parts == "both":
            z_part = cycle.NORMS[self.norm](nets.F(nets.G(batch.z)), batch.z)
            losses["cycle_z"] = self.weight / growth_factor * z_part
        x_part = cycle.sample_consistency(
            batch.x,
            nets.G(nets.F(batch.x)),
            self.norm,
            self.ratio,
            latent_dim=batch.z.shape[-1],
        )
        losses["cycle_x"] = self.weight * growth_factor * x_part
        return losses
