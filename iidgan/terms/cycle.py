"""Cycle consistency: F inverts G on latents, and G inverts F on data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

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

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, equation 7

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
    ratio: float | None = field(default=None, metadata=OMIT_IF_DEFAULT)
    """Factor of the norm of x relative to that of z; None for d / M with `l1`, where d and M are
    the dimensions of x and z, and for 1 with the other norms."""
    growth: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Factor by which the weight of the x part is larger at the end of the run, and that of the z
    part smaller; both change after a quarter of the run. On narrow modes D becomes steep compared
    to the slope 1 of the x part, and within a mode F cannot recover z."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.require_positive("growth", self.growth)
        if self.ratio is not None:
            checks.require_non_negative("ratio", self.ratio)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"F": factory.build_inverse()}

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        z_cycled, x_cycled = nets.F(nets.G(batch.z)), nets.G(nets.F(batch.x))
        z_part, x_part = cycle.cycle_consistency(
            batch.z, z_cycled, batch.x, x_cycled, self.norm, self.ratio
        )
        growth_factor = weight_schedule(self.growth, batch.t)
        return {
            "cycle_z": self.weight / growth_factor * z_part,
            "cycle_x": self.weight * growth_factor * x_part,
        }
