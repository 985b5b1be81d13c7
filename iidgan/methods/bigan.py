"""The bidirectional GAN, also known as adversarially learned inference."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.functional import adversarial

PAPER = Reference(
    title="Adversarial Feature Learning",
    authors="Jeff Donahue, Philipp Krähenbühl and Trevor Darrell",
    year=2017,
    url="https://arxiv.org/abs/1605.09782",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class BiGAN(Method):
    """The bidirectional GAN (ALI): D discriminates pairs of a sample and its code.

    D distinguishes pairs (x, F(x)) from pairs (G(z), z), and G and F, one player, are trained
    against it. At the optimum the joint distributions are equal, and F inverts G. With `ζ(t) =
    log(1 + eᵗ)`:

    * D minimises `E ζ(-D(x, F(x))) + E ζ(D(G(z), z))`;
    * G and F minimise `E ζ(D(x, F(x))) + E ζ(-D(G(z), z))`, with the labels swapped: the
      non-saturating loss for both.

    References:
        * Adversarial Feature Learning (Donahue, Krähenbühl and Darrell, 2017),
          https://arxiv.org/abs/1605.09782
        * Adversarially Learned Inference (Dumoulin et al., 2017), https://arxiv.org/abs/1606.00704

    Examples:
        A perfect D outputs 9 for pairs of data and -9 for generated ones:

        >>> import torch
        >>> from iidgan import Batch, BiGAN, Nets
        >>> zeros, ones = torch.zeros(1, 4, 1), torch.ones(1, 4, 1)
        >>> batch = Batch(x=ones, z=zeros, u=zeros[..., 0])
        >>> joint_discriminator = lambda x, z: 9 * (2 * x - 1)[..., 0]
        >>> nets = Nets({"G": lambda z: z, "F": lambda x: x, "D": joint_discriminator})
        >>> BiGAN().loss_D(nets, batch)["adversarial"].round(decimals=2)
        tensor([0.])
        >>> BiGAN().loss_G(nets, batch)["adversarial"].round(decimals=2)
        tensor([18.])
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

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's loss, `E ζ(-D(x, F(x))) + E ζ(D(G(z), z))`.

        Arguments:
            nets: D, F and G.
            batch: Real samples `x` and latents `z`.
        """
        encoded_logits, generated_logits = self._compute_logits(nets, batch)
        return {"adversarial": adversarial.discriminator_loss(encoded_logits, generated_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the loss of G and F, `E ζ(D(x, F(x))) + E ζ(-D(G(z), z))`.

        Arguments:
            nets: D, F and G.
            batch: Real samples `x` and latents `z`.
        """
        encoded_logits, generated_logits = self._compute_logits(nets, batch)
        return {"adversarial": adversarial.discriminator_loss(generated_logits, encoded_logits)}

    def _compute_logits(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor]:
        return nets.D(batch.x, nets.F(batch.x)), nets.D(nets.G(batch.z), batch.z)
