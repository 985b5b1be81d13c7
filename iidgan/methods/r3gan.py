"""R3GAN: a relativistic loss, which discourages mode dropping, with two gradient penalties."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import (
    Batch,
    Losses,
    Method,
    Nets,
    NetworkFactory,
    Player,
    Reference,
    Regularised,
    cites,
)
from iidgan.core.references import R3GAN
from iidgan.functional import adversarial
from iidgan.methods.gan import GAN
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2

RELATIVISTIC = Reference(
    title="The relativistic discriminator: a key element missing from standard GAN",
    authors="Alexia Jolicoeur-Martineau",
    year=2018,
    url="https://arxiv.org/abs/1807.00734",
)


@cites(RELATIVISTIC)
@dataclass(frozen=True, kw_only=True)
class RelativisticGAN(Method):
    """The relativistic pairing GAN, whose losses compare each real sample with a generated one.

    D compares pairs: real samples should have higher logits than generated ones. G cannot ignore a
    mode, since its samples are compared with real samples of all modes. With `ζ(t) = log(1 + eᵗ)`
    and independent pairs (x, z),

    * D minimises `E ζ(D(G(z)) - D(x))`;
    * G minimises `E ζ(D(x) - D(G(z)))`.

    References:
        The relativistic discriminator: a key element missing from standard GAN
        (Jolicoeur-Martineau, 2018), https://arxiv.org/abs/1807.00734

    Examples:
        Only differences of logits count: adding a constant to D changes no loss.

        >>> import torch
        >>> from iidgan import Batch, Nets, RelativisticGAN
        >>> zeros = torch.zeros(1, 4, 1)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> for constant in (0, 100):
        ...     nets = Nets({"G": lambda z: z, "D": lambda x: x[..., 0] + constant})
        ...     print(RelativisticGAN().loss_D(nets, batch))
        {'adversarial': tensor([0.6931])}
        {'adversarial': tensor([0.6931])}
    """

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    @property
    def has_centred_logits(self) -> bool:
        return False

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's loss, `E ζ(D(G(z)) - D(x))`.

        Arguments:
            nets: D and G.
            batch: Real samples `x` and latents `z`.
        """
        real_logits, fake_logits = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.relativistic_loss(real_logits, fake_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute G's loss, `E ζ(D(x) - D(G(z)))`.

        Arguments:
            nets: D and G.
            batch: Real samples `x` and latents `z`.
        """
        real_logits, fake_logits = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.relativistic_loss(fake_logits, real_logits)}


@cites(R3GAN)
def r3gan(r1: R1 | None = None, r2: R2 | None = None) -> Regularised:
    """R3GAN, the relativistic GAN with the R1 and R2 penalties.

    With `ζ(t) = log(1 + eᵗ)` and independent pairs (x, z),

    * D minimises `E ζ(D(G(z)) - D(x)) + γ/2 E |∇D(x)|² + γ/2 E |∇D(G(z))|²`;
    * G minimises `E ζ(D(x) - D(G(z)))`.

    The paper also designs networks for images, `--arch r3gan`.

    Arguments:
        r1: Gradient penalty on real samples; `R1()` by default.
        r2: Gradient penalty on generated samples; `R2()` by default.

    References:
        The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang, Gokaslan, Kuleshov and
        Tompkin, 2024), https://arxiv.org/abs/2501.05441

    Examples:
        >>> import iidgan
        >>> method = iidgan.r3gan(r1=iidgan.R1(weight=1.0), r2=iidgan.R2(weight=1.0))
        >>> [(type(term).__name__, term.weight) for term in method.terms]
        [('R1', 1.0), ('R2', 1.0)]
    """
    return Regularised(method=RelativisticGAN(), terms=(r1 or R1(), r2 or R2()))
