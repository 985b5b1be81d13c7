r"""The bidirectional GAN, also known as adversarially learned inference.

\(D\) tells pairs \((x, F(x))\) from pairs \((G(z), z)\), G and F together make it fail. Where they
do, the joint distributions are equal, and F inverts G. With \(\zeta(t) = \log(1 + e^t)\):

* D minimises \(E \zeta(-D(x, F(x))) + E \zeta(D(G(z), z))\);
* G and F minimise \(E \zeta(D(x, F(x))) + E \zeta(-D(G(z), z))\), the labels exchanged: the
  non-saturating loss for both.

References:
    Adversarial Feature Learning (Donahue, Krähenbühl and Darrell, 2017),
    https://arxiv.org/abs/1605.09782
    Adversarially Learned Inference (Dumoulin et al., 2017), https://arxiv.org/abs/1606.00704
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
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

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), "D": arch.joint_discriminator(), "F": arch.inverse()}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        encoded, generated = self._logits(nets, batch)
        return {"adversarial": adversarial.discriminator(encoded, generated)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        encoded, generated = self._logits(nets, batch)
        return {"adversarial": adversarial.discriminator(generated, encoded)}

    def _logits(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor]:
        return nets.D(batch.x, nets.F(batch.x)), nets.D(nets.G(batch.z), batch.z)
