"""The manifold-guided GAN: a second discriminator compares the codes of an autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from iidgan.core import (
    Batch,
    Losses,
    Method,
    Nets,
    NetworkFactory,
    NoiseShapes,
    Player,
    Reference,
    cites,
)
from iidgan.errors import InputError
from iidgan.functional import adversarial, checks, cycle
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="MGGAN: Solving Mode Collapse using Manifold Guided Training",
    authors="Duhyeon Bang and Hyunjung Shim",
    year=2018,
    url="https://arxiv.org/abs/1804.04391",
)

PLAIN_GAN = GAN()


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class MGGAN(Method):
    """The manifold-guided GAN: a second discriminator compares the codes of an autoencoder.

    With `ζ(t) = log(1 + eᵗ)`, the run has two parts:

    * En and De minimise `E |De(En(x + σ ε)) - x|₁ / d`, a denoising autoencoder with normal ε;
    * then En is frozen. D minimises `E ζ(-D(x)) + E ζ(D(G(z)))`, Dm the same on the codes En(x)
      and En(G(z)), and G minimises `E ζ(-D(G(z))) + λ E ζ(-Dm(En(G(z))))`.

    The authors use salt-and-pepper noise on a quarter of the pixels; normal noise works for
    vectors too. Codes have the dimension of the prior, but not its distribution: En is not an
    inverse of G as metrics need it, and so it is not named F.

    References:
        MGGAN: Solving Mode Collapse using Manifold Guided Training (Bang and Shim, 2018),
        https://arxiv.org/abs/1804.04391

    Examples:
        >>> from iidgan import MGGAN
        >>> for player in MGGAN(pretrain=0.2).players:
        ...     print(player.name, player.active)
        autoencoder (0.0, 0.2)
        D (0.2, 1.0)
        Dm (0.2, 1.0)
        G (0.2, 1.0)
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("manifold",)

    manifold: float = 0.5
    """Weight of the adversarial loss of codes in G's loss."""
    pretrain: float = 0.2
    """Share of the run in which only the autoencoder is trained."""
    corruption: float = 0.1
    """Standard deviation of the noise; 0.5 corrupts images in [-1, 1] about as in the paper."""

    def __post_init__(self) -> None:
        checks.require_non_negative("manifold", self.manifold)
        checks.require_non_negative("corruption", self.corruption)
        if not 0 < self.pretrain < 1:
            raise InputError(f"pretrain: must be between 0 and 1 (exclusive), got {self.pretrain}")

    @property
    def players(self) -> tuple[Player, ...]:
        pretraining, adversarial_training = (0.0, self.pretrain), (self.pretrain, 1.0)
        return (
            Player("autoencoder", self.loss_autoencoder, trains=("En", "De"), active=pretraining),
            Player("D", PLAIN_GAN.loss_D, trains=("D",), active=adversarial_training),
            Player("Dm", self.loss_Dm, trains=("Dm",), active=adversarial_training),
            Player("G", self.loss_G, trains=("G",), active=adversarial_training),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            **PLAIN_GAN.networks(factory),
            "Dm": factory.build_latent_discriminator(),
            "En": factory.build_encoder(factory.latent),
            "De": factory.build_generator(),
        }

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"corruption": factory.shape}

    def loss_autoencoder(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the denoising autoencoder's error, `E |De(En(x + σ ε)) - x|₁ / d`.

        Arguments:
            nets: En and De.
            batch: Real samples `x`, and ε as `noise["corruption"]`.
        """
        x_corrupted = batch.x + self.corruption * batch.noise["corruption"]
        return {"reconstruction": cycle.l1(nets.De(nets.En(x_corrupted)), batch.x)}

    def loss_Dm(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the loss of Dm on codes of real and of generated samples.

        Arguments:
            nets: Dm, En and G.
            batch: Real samples `x` and latents `z`.
        """
        real_logits, fake_logits = nets.Dm(nets.En(batch.x)), nets.Dm(nets.En(nets.G(batch.z)))
        return {"adversarial": adversarial.discriminator_loss(real_logits, fake_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute G's loss, `E ζ(-D(G(z))) + λ E ζ(-Dm(En(G(z))))`.

        Arguments:
            nets: D, Dm, En and G.
            batch: Latents `z`.
        """
        fake_codes = nets.En(nets.G(batch.z))
        return {
            **PLAIN_GAN.loss_G(nets, batch),
            "manifold": self.manifold * adversarial.non_saturating_loss(nets.Dm(fake_codes)),
        }
