"""AdvLatGAN-qua: D is trained on latents that are perturbed to fool it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor, nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import LOSS_PAIRS, Adversarial
from iidgan.functional.gradient import input_gradient
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Improving Generative Adversarial Networks via Adversarial Learning in Latent Space",
    authors="Yang Li, Yichuan Mo, Liangliang Shi and Junchi Yan",
    year=2022,
    url="https://proceedings.neurips.cc/paper_files/paper/2022/hash/"
    "3a1fc7b8e200a45110872c56f0569f61-Abstract-Conference.html",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class AdvLatentGAN(Method):
    """AdvLatGAN-qua, a GAN whose D is trained on latents after a step of gradient sign descent.

    Before each update of D, latents take a step down the loss L_G of G:

        z' = z - eps * sign(∇_z L_G(D(G(z))))

    D distinguishes real samples from `G(z')`; G minimises `L_G(D(G(z)))` at the original latents.
    With eps = 0 this is the plain GAN.

    References:
        * Improving Generative Adversarial Networks via Adversarial Learning in Latent Space (Li,
          Mo, Shi and Yan, 2022),
          https://proceedings.neurips.cc/paper_files/paper/2022/hash/3a1fc7b8e200a45110872c56f0569f61-Abstract-Conference.html
        * https://github.com/yangco-le/AdvLatGAN

    Examples:
        D rises with z, so that each coordinate of z grows by eps and D finds G(z') more real:

        >>> import torch
        >>> from iidgan import AdvLatentGAN, Batch, Nets
        >>> zeros = torch.zeros(1, 4, 1)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "D": lambda x: x[..., 0]})
        >>> AdvLatentGAN(eps=0.0).loss_D(nets, batch)  # 2 log 2
        {'adversarial': tensor([1.3863])}
        >>> AdvLatentGAN(eps=0.5).loss_D(nets, batch)  # log 2 + log(1 + e^0.5)
        {'adversarial': tensor([1.6672])}
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("eps",)

    loss: Adversarial = "non-saturating"
    """Adversarial losses; latents descend that of G before the update of D."""
    eps: float = 0.03
    """Step size of each coordinate of the latents, whose standard deviation is 1."""

    def __post_init__(self) -> None:
        checks.require_non_negative("eps", self.eps)

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("D", self.loss_D, trains=("D",)),
            Player("G", GAN(loss=self.loss).loss_G, trains=("G",)),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's loss on real samples and on samples of perturbed latents.

        Arguments:
            nets: D and G.
            batch: Real samples `x` and latents `z`.
        """
        z_perturbed = batch.z - self.eps * self._latent_gradient(nets, batch.z).sign()
        return GAN(loss=self.loss).loss_D(nets, replace(batch, z=z_perturbed))

    def _latent_gradient(self, nets: Nets, z: Tensor) -> Tensor:
        # The gradient of the sign is zero: without `detach`, zeros would be backpropagated to D.
        return input_gradient(
            lambda z: LOSS_PAIRS[self.loss].generator(nets.D(nets.G(z))), z
        ).detach()
