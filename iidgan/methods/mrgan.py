"""The mode-regularised GAN (Reg-GAN): D should also consider reconstructions of data real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, cites
from iidgan.functional import adversarial, checks, likelihood
from iidgan.methods.gan import GAN
from iidgan.methods.references import MODE_REGULARISED

PLAIN_GAN = GAN()


@cites(MODE_REGULARISED)
@dataclass(frozen=True, kw_only=True)
class MRGAN(Method):
    """The mode-regularised GAN (Reg-GAN): D should also consider reconstructions of data real.

    With an encoder F, data x of dimension d and `ζ(t) = log(1 + eᵗ)`:

    * D minimises `E ζ(-D(x)) + E ζ(D(G(z)))`;
    * G and F minimise `E ζ(-D(G(z))) + λ₁ E |x - G(F(x))|² / d + λ₂ E ζ(-D(G(F(x))))`.

    The last part gives G a gradient from modes that G(z) misses. G and F are one player: the first
    part does not depend on F, so that each minimises its own loss of the paper. Several published
    codes have the last part with the wrong sign, which drives G(F(x)) away from the data. The
    default weights are those for toy data and digits.

    References:
        Mode Regularized Generative Adversarial Networks (Che et al., 2017),
        https://arxiv.org/abs/1612.02136

    Examples:
        D rates x = 1 as real and G(z) = 0 as fake, and F inverts G: only G(z) is penalised.

        >>> import torch
        >>> from iidgan import MRGAN, Batch, Nets
        >>> zeros, ones = torch.zeros(1, 4, 1), torch.ones(1, 4, 1)
        >>> batch = Batch(x=ones, z=zeros, u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "F": lambda x: x, "D": lambda x: (20 * x - 10)[..., 0]})
        >>> losses = MRGAN(reconstruction=1.0, modes=1.0).loss_G(nets, batch)
        >>> {name: round(value.item(), 2) for name, value in losses.items()}
        {'adversarial': 10.0, 'reconstruction': 0.0, 'modes': 0.0}
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("reconstruction", "modes")

    reconstruction: float = 0.01
    """Weight of the squared error per dimension of G(F(x)); 0.2 for faces."""
    modes: float = 0.01
    """Weight of the adversarial loss of G(F(x)); 0.4 for faces."""

    def __post_init__(self) -> None:
        checks.require_non_negative("reconstruction", self.reconstruction)
        checks.require_non_negative("modes", self.modes)

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("D", PLAIN_GAN.loss_D, trains=("D",)),
            Player("G", self.loss_G, trains=("G", "F")),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {**PLAIN_GAN.networks(factory), "F": factory.build_inverse()}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the loss of G and F: adversarial, reconstruction error, and D's view of G(F(x)).

        Arguments:
            nets: D, F and G.
            batch: Real samples `x` and latents `z`.
        """
        x_cycled = nets.G(nets.F(batch.x))
        return {
            **PLAIN_GAN.loss_G(nets, batch),
            "reconstruction": self.reconstruction
            * likelihood.mean_squared_error(batch.x, x_cycled),
            "modes": self.modes * adversarial.non_saturating_loss(nets.D(x_cycled)),
        }
