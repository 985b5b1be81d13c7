"""Dist-GAN: an autoencoder in D's features preserves distances, and G matches D's mean output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import nn
from torch.nn.functional import softplus

from iidgan.core import (
    OMIT_IF_DEFAULT,
    Batch,
    Losses,
    Method,
    Nets,
    NetworkFactory,
    Player,
    Reference,
    cites,
)
from iidgan.errors import InputError
from iidgan.functional import adversarial, checks, likelihood
from iidgan.functional.gradient import gradient_norm_penalty
from iidgan.functional.reduce import mean_per_seed

PAPER = Reference(
    title="Dist-GAN: An Improved GAN using Distance Constraints",
    authors="Ngoc-Trung Tran, Tuan-Anh Bui and Ngai-Man Cheung",
    year=2018,
    url="https://arxiv.org/abs/1803.08887",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class DistGAN(Method):
    """Dist-GAN: an autoencoder in D's features preserves distances, and G matches D's mean output.

    With an encoder F to M dimensions, D's last hidden layer f of d_f units, `ζ(t) = log(1 + eᵗ)`,
    and m for means over batch and units, the autoencoder minimises

        E |f(x) - f(G(F(x)))|² / d_f
        + λ_r (m f(G(F(x))) - m f(G(z)) - sqrt(M / d_f) (m F(x) - m z))²

    then D minimises, where μ grows from 0 to 0.05 between the middle of the run and t = `full_mu`,
    and x̂ is uniform between x and G(z),

        (0.95 + μ) E ζ(-D(x)) + (0.05 - μ) E ζ(-D(G(F(x)))) + E ζ(D(G(z)))
        + λ_p E (|∇D(x̂)| - 1)²

    and last G minimises `|E s(D(x)) - E s(D(G(z)))|` with the logistic function s. The default
    weights are those for toy data.

    As in the authors' code for images, but with the norm of the gradient instead of its root mean
    square. Their code for toy data reconstructs x itself, with a cross-entropy.

    References:
        Dist-GAN: An Improved GAN using Distance Constraints (Tran, Bui and Cheung, 2018),
        https://arxiv.org/abs/1803.08887

    Examples:
        With logits of 0 for data and log 3 for samples, probabilities are 1/2 and 3/4:

        >>> import torch
        >>> from iidgan import Batch, DistGAN, Nets
        >>> zeros = torch.zeros(1, 4, 1)
        >>> batch = Batch(x=zeros, z=torch.tensor(3.0).log().expand(1, 4, 1), u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "D": lambda x: x[..., 0]})
        >>> DistGAN().loss_G(nets, batch)
        {'adversarial': tensor([0.2500])}
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("distance", "slope")

    decoder: bool = True
    """Whether G is trained to reconstruct: on toy data and digits, but not on other images."""
    distance: float = 0.1
    """Weight of the distances that F and G preserve; 1 for images."""
    slope: float = 0.1
    """Weight of the gradient penalty; 1 for images."""
    full_mu: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Share of the run after which reconstructions have weight 0 for D; in the authors' code it is
    0.75, mu = min(2 (0.1 t - 0.05), 0.05), and the run ends without them."""
    critic_steps: int = field(default=1, metadata=OMIT_IF_DEFAULT)
    """Number of updates of D per step; 5 in the authors' code for toy data."""

    def __post_init__(self) -> None:
        checks.require_at_least("critic_steps", self.critic_steps, 1)
        if not 0.5 < self.full_mu <= 1:
            raise InputError(f"full_mu: must be in (0.5, 1], got {self.full_mu}")
        checks.require_non_negative("distance", self.distance)
        checks.require_non_negative("slope", self.slope)

    @property
    def players(self) -> tuple[Player, ...]:
        trains = ("F", "G") if self.decoder else ("F",)
        return (
            Player("autoencoder", self.loss_autoencoder, trains=trains),
            Player("D", self.loss_D, trains=("D",), updates_per_step=self.critic_steps),
            Player("G", self.loss_G, trains=("G",)),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            "G": factory.build_generator(),
            "D": factory.build_discriminator(),
            "F": factory.build_inverse(),
        }

    def loss_autoencoder(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the autoencoder's reconstruction error and change of distances, in D's features.

        Arguments:
            nets: D, F and G.
            batch: Real samples `x` and latents `z`.
        """
        codes = nets.F(batch.x)
        samples = batch.x, nets.G(codes), nets.G(batch.z)
        real_features, cycled_features, fake_features = (
            nets.features("D", x).flatten(2) for x in samples
        )
        scale_ratio = (codes.shape[2] / real_features.shape[2]) ** 0.5
        feature_gap = mean_per_seed(cycled_features - fake_features)
        distance_gap = feature_gap - scale_ratio * mean_per_seed(codes - batch.z)
        return {
            "reconstruction": likelihood.mean_squared_error(real_features, cycled_features),
            "distance": self.distance * distance_gap.square(),
        }

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's loss on real, reconstructed and generated samples, with a gradient penalty.

        Arguments:
            nets: D, F and G.
            batch: Real samples `x`, latents `z`, interpolation factors `u` and progress `t`.
        """
        x_fake, x_cycled = nets.G(batch.z), nets.G(nets.F(batch.x))
        progress = ((batch.t - 0.5) / (self.full_mu - 0.5)).clamp(0, 1)
        cycled_weight = 0.05 * (1 - progress)
        return {
            "real": (1 - cycled_weight) * adversarial.non_saturating_loss(nets.D(batch.x)),
            "cycled": cycled_weight * adversarial.non_saturating_loss(nets.D(x_cycled)),
            "fake": mean_per_seed(softplus(nets.D(x_fake))),
            "slope": self.slope * gradient_norm_penalty(nets.D, batch.x, x_fake, batch.u),
        }

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute G's loss, `|E s(D(x)) - E s(D(G(z)))|`.

        Arguments:
            nets: D and G.
            batch: Real samples `x` and latents `z`.
        """
        real_probabilities = nets.D(batch.x).sigmoid()
        fake_probabilities = nets.D(nets.G(batch.z)).sigmoid()
        return {"adversarial": mean_per_seed(real_probabilities - fake_probabilities).abs()}
