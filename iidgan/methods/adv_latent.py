"""AdvLatGAN: latents that are perturbed to fool D, to be alike, or to give better samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from iidgan.core import (
    Batch,
    Losses,
    LossFn,
    Method,
    Nets,
    NetworkFactory,
    NoiseShapes,
    Player,
    Reference,
    cites,
)
from iidgan.functional import checks
from iidgan.functional.adversarial import LOSS_PAIRS, Adversarial
from iidgan.functional.gradient import input_gradient
from iidgan.functional.reduce import mean_per_seed
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

    @property
    def has_centred_logits(self) -> bool:
        return GAN(loss=self.loss).has_centred_logits

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


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class AdvLatentDivGAN(Method):
    """AdvLatGAN-div, a GAN whose G separates pairs of latents that were chosen for alike samples.

    Each latent z gets a partner that starts at z₂ = z + σ ε and takes K steps of gradient sign
    descent down the ratio of mean absolute differences

        r₁(z₂) = E |G(z₂) - G(z)| / (E |z₂ - z| + 1),  z₂ ← z₂ - eps sign(∇ r₁)

    with means over the batch and all dimensions. The samples of both are generated samples for D
    and G, and G also minimises, with constant z₂,

        w / (E |G(z₂) - G(z)| / E |z₂ - z| + 1e-5)

    which is mode seeking (MSGAN) on these pairs rather than on independent ones. As in the
    authors' code the adversarial losses of the two halves are added, not averaged. That code is
    for conditional generation on images.

    References:
        * Improving Generative Adversarial Networks via Adversarial Learning in Latent Space (Li,
          Mo, Shi and Yan, 2022),
          https://proceedings.neurips.cc/paper_files/paper/2022/hash/3a1fc7b8e200a45110872c56f0569f61-Abstract-Conference.html
        * https://github.com/yangco-le/AdvLatGAN, folder AdvLatGAN-div

    Examples:
        >>> from iidgan import AdvLatentDivGAN
        >>> method = AdvLatentDivGAN()
        >>> method.start, method.eps, method.iterations  # the numbers of the authors
        (0.08, 0.004, 3)
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("weight",)

    loss: Adversarial = "non-saturating"
    """Name of the pair of losses of D and G."""
    weight: float = 1.0
    """Weight of the mode seeking."""
    start: float = 0.08
    """Standard deviation sigma of a partner around its latent, at the start."""
    eps: float = 0.004
    """Length of each step of each coordinate of a partner."""
    iterations: int = 3
    """Number K of steps of the partners."""

    def __post_init__(self) -> None:
        checks.require_non_negative("weight", self.weight)
        checks.require_positive("start", self.start)
        checks.require_non_negative("eps", self.eps)
        checks.require_at_least("iterations", self.iterations, 0)

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    @property
    def has_centred_logits(self) -> bool:
        return GAN(loss=self.loss).has_centred_logits

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"adv_latent_partner": (factory.latent,)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's loss on the samples of the latents, plus that of their partners.

        Arguments:
            nets: D and G.
            batch: Real samples `x`, latents `z`, and `noise`, where the partners start.
        """
        return {
            "adversarial": _sum_losses(GAN(loss=self.loss).loss_D, nets, self._pair(nets, batch))
        }

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute G's adversarial loss on both halves of the pairs, and their mode seeking.

        Arguments:
            nets: D and G.
            batch: Latents `z`, and `noise`, where the partners start.
        """
        pair = self._pair(nets, batch)
        z, partners = (half.z for half in pair)
        distance_ratio = _distance(nets.G(partners), nets.G(z)) / _distance(partners, z)
        return {
            "adversarial": _sum_losses(GAN(loss=self.loss).loss_G, nets, pair),
            "mode_seeking": self.weight / (distance_ratio + 1e-5),
        }

    def _pair(self, nets: Nets, batch: Batch) -> tuple[Batch, Batch]:
        """Return the batch, and the same batch with the partners of its latents."""
        x_fake = nets.G(batch.z).detach()

        def ratio(partners: Tensor) -> Tensor:
            return _distance(nets.G(partners), x_fake) / (_distance(partners, batch.z) + 1)

        partners = batch.z + self.start * batch.noise["adv_latent_partner"]
        for _ in range(self.iterations):
            partners = partners - self.eps * input_gradient(ratio, partners).detach().sign()
        return batch, replace(batch, z=partners)


def _sum_losses(loss: LossFn, nets: Nets, batches: Sequence[Batch]) -> Tensor:
    """Add up an adversarial loss over some batches: (S,)."""
    return torch.stack([loss(nets, batch)["adversarial"] for batch in batches]).sum(0)


def _distance(x: Tensor, other: Tensor) -> Tensor:
    return mean_per_seed((x - other).abs())


def shift_latents(
    nets: Nets,
    z: Tensor,
    *,
    loss: Adversarial = "non-saturating",
    steps: int = 20,
    eps: float = 0.01,
) -> Tensor:
    """AdvLatGAN-z: move latents of a trained GAN to samples that D takes for more real.

        z ← z - eps sign(∇_z L_G(D(G(z))))

    The prior is left, by at most `steps` · `eps` in each dimension, and G is not changed.

    Arguments:
        nets: Trained D and G, in their state for sampling.
        z: Latents, with shape (S, B, M).
        loss: Adversarial loss L_G that latents descend.
        steps: Number of steps.
        eps: Length of each step of each coordinate.

    Returns:
        Latents, with the same shape.

    References:
        Improving Generative Adversarial Networks via Adversarial Learning in Latent Space (Li,
        Mo, Shi and Yan, 2022), and https://github.com/yangco-le/AdvLatGAN, sampling_shift.py

    Examples:
        >>> nets = Nets({"G": lambda z: z, "D": lambda x: -x.square().sum(-1)})  # 0 is most real
        >>> shift_latents(nets, torch.tensor([[[1.0, -0.5]]]))
        tensor([[[ 0.8000, -0.3000]]])
    """
    for _ in range(steps):
        gradient = input_gradient(lambda z: LOSS_PAIRS[loss].generator(nets.D(nets.G(z))), z)
        z = z - eps * gradient.detach().sign()
    return z
