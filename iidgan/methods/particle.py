"""A prior of learnable particles: G gets one of K latents that are trained with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from iidgan.core import HasFeatures, Method, NetworkFactory, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import Adversarial
from iidgan.methods.gan import GAN

PACKAGE = Reference(
    title="ParticleGAN: Learnable Priors for Stable GANs",
    authors="Martyn Garcia",
    year=2025,
    url="https://github.com/255BITS/ParticleGAN",
    note="The prior alone; its optimisers, penalties and schedules are not part of iidgan",
)


class ParticleGenerator(nn.Module):
    """A generator behind a table of K latents, the particles, of which each z picks one.

    The quantile of the first element of z ~ N(0, I) is uniform on [0, 1], and picks the particle:
    all have the same probability, and the network is a function of z.

    Arguments:
        network: Generator of a latent.
        particles: Number K of particles, which start as draws of N(0, I).
        latent: Dimension M of the latents.

    Examples:
        >>> generator = ParticleGenerator(torch.nn.Identity(), particles=2, latent=3)
        >>> samples = generator(torch.tensor([[[-1.0, 0.0, 0.0], [-0.1, 5.0, 5.0], [1.0, 0, 0]]]))
        >>> [torch.equal(samples[0, 0], samples[0, i]) for i in (1, 2)]  # z_1 < 0, or not
        [True, False]
    """

    def __init__(self, network: nn.Module, particles: int, latent: int) -> None:
        super().__init__()
        self.net = cast(HasFeatures, network)
        self.particles = nn.Parameter(torch.randn(1, particles, latent))

    @property
    def head(self) -> nn.Module:
        """The last layer of the network."""
        return self.net.head

    def features(self, z: Tensor) -> Tensor:
        """Compute the last hidden layer of the network, for z with shape (S, B, M)."""
        return self.net.features(self.pick(z))

    def pick(self, z: Tensor) -> Tensor:
        """Return the particle of each z, both of shape (S, B, M)."""
        num_particles, latent = self.particles.shape[1:]
        shares = torch.special.ndtr(z[..., 0])
        index = (num_particles * shares).long().clamp(0, num_particles - 1)
        return self.particles.gather(1, index[..., None].expand(-1, -1, latent))

    def forward(self, z: Tensor) -> Tensor:
        samples: Tensor = cast(nn.Module, self.net)(self.pick(z))
        return samples


@cites(PACKAGE)
@dataclass(frozen=True, kw_only=True)
class ParticleGAN(Method):
    """A GAN whose prior is a table of learnable latents, the particles.

    G gets one of K particles, drawn with equal probability, in place of z ~ N(0, I). They start as
    draws of N(0, I), and the player of G trains them with it on the same loss, so that the prior
    itself moves to where the data are. There are at most K different samples.

    This is the prior of ParticleGAN on the losses of a GAN, non-saturating as in its version
    0.9.4. The package's recipe is more, and changes from version to version: optimisers of its
    own, penalties of the critic and of the particles, larger learning rates, noise and schedules.
    None of it is included, so that a number of this method says what the prior does, and none of
    the package. Terms such as `r1` and `r2` are added as to any method. The number of particles is
    ours; the package has 20,000 for batches of 2,048, which are as many in proportion. Their
    learning rate is that of G, where it has twice as much or more.

    Terms for an inverse F presume a prior N(0, I), and do not suit it: G(F(x)) depends on F
    by the choice of a particle, which has no gradient.

    References:
        ParticleGAN: Learnable Priors for Stable GANs (Garcia, 2025),
        https://github.com/255BITS/ParticleGAN, version 0.9.4

    Examples:
        >>> from iidgan import MLP, ParticleGAN
        >>> networks = ParticleGAN(particles=4).networks(NetworkFactory(MLP(), shape=(2,)))
        >>> len(networks["G"](torch.randn(1, 1000, 2))[0].unique(dim=0))  # different samples
        4
    """

    loss: Adversarial = "non-saturating"
    """Name of the pair of losses of D and G."""
    particles: int = 1000
    """Number K of particles."""

    def __post_init__(self) -> None:
        checks.require_at_least("particles", self.particles, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        return GAN(loss=self.loss).players

    @property
    def has_centred_logits(self) -> bool:
        return GAN(loss=self.loss).has_centred_logits

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        networks = GAN().networks(factory)
        generator = ParticleGenerator(networks["G"], self.particles, factory.latent)
        return networks | {"G": generator}
