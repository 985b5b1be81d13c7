"""The manifold-diffusion GAN: first match the manifold of the data, then spread over it."""

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
class MDGAN(Method):
    """The manifold-diffusion GAN: first match the manifold of the data, then spread over it.

    With an encoder F, data x of dimension d and `ζ(t) = log(1 + eᵗ)`, each step has two phases of
    two updates:

    * manifold: Dm minimises `E ζ(-Dm(x)) + E ζ(Dm(G(F(x))))`, then G and F minimise
      `λ E ζ(-Dm(G(F(x)))) + E |x - G(F(x))|² / d`;
    * diffusion: D minimises `E ζ(-D(G(F(x)))) + E ζ(D(G(z)))`, where reconstructions replace real
      data, then G minimises `E ζ(-D(G(z)))`.

    G is trained in both, with an optimiser for each. D never gets real data.

    References:
        Mode Regularized Generative Adversarial Networks (Che et al., 2017),
        https://arxiv.org/abs/1612.02136, appendix

    Examples:
        With a perfect autoencoder and an undecided Dm, only λ log 2 is left of its loss:

        >>> import torch
        >>> from iidgan import MDGAN, Batch, Nets
        >>> zeros = torch.zeros(1, 4, 1)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "F": lambda x: x, "Dm": lambda x: x[..., 0]})
        >>> MDGAN(manifold=0.01).loss_autoencoder(nets, batch)
        {'adversarial': tensor([0.0069]), 'reconstruction': tensor([0.])}
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("manifold",)

    manifold: float = 0.01
    """Weight of the adversarial loss of G(F(x)); that of the squared error per dimension is 1."""

    def __post_init__(self) -> None:
        checks.require_non_negative("manifold", self.manifold)

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("Dm", self.loss_Dm, trains=("Dm",)),
            Player("autoencoder", self.loss_autoencoder, trains=("G", "F")),
            Player("D", self.loss_D, trains=("D",)),
            Player("G", PLAIN_GAN.loss_G, trains=("G",)),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            **PLAIN_GAN.networks(factory),
            "F": factory.build_inverse(),
            "Dm": factory.build_discriminator(),
        }

    def loss_Dm(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the loss of Dm on real samples and reconstructions.

        Arguments:
            nets: Dm, F and G.
            batch: Real samples `x`.
        """
        real_logits, cycled_logits = nets.Dm(batch.x), nets.Dm(nets.G(nets.F(batch.x)))
        return {"adversarial": adversarial.discriminator_loss(real_logits, cycled_logits)}

    def loss_autoencoder(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the loss of G and F, `λ E ζ(-Dm(G(F(x)))) + E |x - G(F(x))|² / d`.

        Arguments:
            nets: Dm, F and G.
            batch: Real samples `x`.
        """
        x_cycled = nets.G(nets.F(batch.x))
        return {
            "adversarial": self.manifold * adversarial.non_saturating_loss(nets.Dm(x_cycled)),
            "reconstruction": likelihood.mean_squared_error(batch.x, x_cycled),
        }

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's loss on reconstructions, which count as real, and generated samples.

        Arguments:
            nets: D, F and G.
            batch: Real samples `x` and latents `z`.
        """
        cycled_logits, fake_logits = nets.D(nets.G(nets.F(batch.x))), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.discriminator_loss(cycled_logits, fake_logits)}
