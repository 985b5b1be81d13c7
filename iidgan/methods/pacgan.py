r"""PacGAN: D judges m samples at once, so that a generator that lacks variety gives itself away.

.. math:: \min_G \max_D E \log D(x_1, \dots, x_m) + E \log(1 - D(G(z_1), \dots, G(z_m)))

Both players move on m batches at once, so that D sees as many packs as a plain one sees samples.
With m = 1 it is the plain GAN.

References:
    PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018),
    https://arxiv.org/abs/1712.04086
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from torch import Tensor, nn

from iidgan.core import Arch, Headed, Method, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import Adversarial
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="PacGAN: The power of two samples in generative adversarial networks",
    authors="Zinan Lin, Ashish Khetan, Giulia Fanti and Sewoong Oh",
    year=2018,
    url="https://arxiv.org/abs/1712.04086",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class PacGAN(Method):
    """The GAN whose D judges packs of samples."""

    m: int = 2
    """Samples in a pack."""
    loss: Adversarial = "non-saturating"
    """The loss of D and G."""

    def __post_init__(self) -> None:
        checks.at_least("m", self.m, 1)
        checks.one_of("loss", self.loss, Adversarial)

    @property
    def players(self) -> tuple[Player, ...]:
        return tuple(replace(player, batches=self.m) for player in GAN(loss=self.loss).players)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        channels, *sides = arch.shape
        wide = replace(arch, shape=(self.m * channels, *sides))
        return {"G": arch.generator(), "D": Packed(wide.discriminator(), self.m)}


class Packed(nn.Module):
    """A network with a last hidden layer that sees each m samples that follow as one.

    (S, m B, C, ...) enters it as (S, B, m C, ...): vectors end to end, images as more channels.
    """

    def __init__(self, net: nn.Module, m: int) -> None:
        super().__init__()
        self.net, self.m = cast(Headed, net), m

    @property
    def head(self) -> nn.Module:
        return self.net.head

    def features(self, x: Tensor) -> Tensor:
        return self.net.features(x.unflatten(1, (-1, self.m)).flatten(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
