r"""The bidirectional GAN, also known as adversarially learned inference.

\(D\) distinguishes pairs \((x, F(x))\) from pairs \((G(z), z)\), and G and F are trained against
it. At the optimum the joint distributions are equal, and F inverts G. With
\(\zeta(t) = \log(1 + e^t)\):

* D minimises \(E \zeta(-D(x, F(x))) + E \zeta(D(G(z), z))\);
* G and F minimise \(E \zeta(D(x, F(x))) + E \zeta(-D(G(z), z))\), with the labels swapped: the
  non-saturating loss for both.

References:
    Adversarial Feature Learning (Donahue, Krähenbühl and Darrell, 2017),
    https://arxiv.org/abs/1605.09782
    Adversarially Learned Inference (Dumoulin et al., 2017), https://arxiv.org/abs/1606.00704
"""

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
    """The bidirectional GAN; G and F are one player."""

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
        encoded_logits, generated_logits = self._compute_logits(nets, batch)
        return {"adversarial": adversarial.discriminator_loss(encoded_logits, generated_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        encoded_logits, generated_logits = self._compute_logits(nets, batch)
        return {"adversarial": adversarial.discriminator_loss(generated_logits, encoded_logits)}

    def _compute_logits(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor]:
        return nets.D(batch.x, nets.F(batch.x)), nets.D(nets.G(batch.z), batch.z)
