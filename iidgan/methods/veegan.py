"""VEEGAN: a reconstructor of latents detects modes that the generator misses."""

from __future__ import annotations

from dataclasses import dataclass

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
from iidgan.functional import adversarial, likelihood
from iidgan.functional.reduce import mean_per_seed

PAPER = Reference(
    title="VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning",
    authors="Akash Srivastava, Lazar Valkov, Chris Russell, Michael U. Gutmann and Charles Sutton",
    year=2017,
    url="https://arxiv.org/abs/1705.07761",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class VEEGAN(Method):
    """VEEGAN: a reconstructor of latents detects modes that the generator misses.

    The reconstructor is the normal distribution N(F(x), I). With `ζ(t) = log(1 + eᵗ)`:

    * D estimates a log-ratio of joint densities, high on generated pairs. It minimises `E
      ζ(-D(G(z), z)) + E ζ(D(x, F(x) + ε))` with normal ε;
    * G and F, one player, minimise `E D(G(z), z) + E[-log N(z; F(G(z)), I)]`. The first part is
      the estimate itself, a Kullback-Leibler divergence, not a cross-entropy; only the second
      depends on F.

    As in the authors' TensorFlow code, except that there all networks are updated at once, and
    here D is updated before G and F.

    References:
        VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava,
        Valkov, Russell, Gutmann and Sutton, 2017), https://arxiv.org/abs/1705.07761

    Examples:
        A perfect F leaves the entropy of the reconstructor, `M/2 log 2π` with M = 2:

        >>> import torch
        >>> from iidgan import VEEGAN, Batch, Nets
        >>> zeros = torch.zeros(1, 4, 2)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "F": lambda x: x, "D": lambda x, z: (x - z).sum(-1)})
        >>> VEEGAN().loss_G(nets, batch)
        {'adversarial': tensor([0.]), 'reconstruction': tensor([1.8379])}
    """

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G", "F"))

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            "G": factory.build_generator(),
            "D": factory.build_joint_discriminator(),
            "F": factory.build_inverse(),
        }

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"posterior": (factory.latent,)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's loss, `E ζ(-D(G(z), z)) + E ζ(D(x, F(x) + ε))`.

        Arguments:
            nets: D, F and G.
            batch: Real samples `x`, latents `z`, and ε as `noise["posterior"]`.
        """
        noisy_codes = nets.F(batch.x) + batch.noise["posterior"]
        generated_logits = nets.D(nets.G(batch.z), batch.z)
        encoded_logits = nets.D(batch.x, noisy_codes)
        return {"adversarial": adversarial.discriminator_loss(generated_logits, encoded_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the loss of G and F, `E D(G(z), z) + E[-log N(z; F(G(z)), I)]`.

        Arguments:
            nets: D, F and G.
            batch: Latents `z`.
        """
        x_fake = nets.G(batch.z)
        return {
            "adversarial": mean_per_seed(nets.D(x_fake, batch.z)),
            "reconstruction": likelihood.unit_normal_nll(batch.z, nets.F(x_fake)),
        }
