"""The generative adversarial network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.functional.adversarial import LOSS_PAIRS, Adversarial

PAPER = Reference(
    title="Generative Adversarial Nets",
    authors="Ian J. Goodfellow, Jean Pouget-Abadie, Mehdi Mirza, Bing Xu, David Warde-Farley, "
    "Sherjil Ozair, Aaron Courville and Yoshua Bengio",
    year=2014,
    url="https://arxiv.org/abs/1406.2661",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class GAN(Method):
    """The generative adversarial network (GAN).

    The discriminator D distinguishes real from generated samples, and the generator G is trained
    against it:

        min_G max_D E log D(x) + E log(1 - D(G(z)))

    Networks output logits, the argument of the logistic function. By default G minimises the
    non-saturating loss, `-E log D(G(z))`. The pairs of losses are listed in
    `iidgan.functional.adversarial`.

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661

    Examples:
        An undecided D, whose logits are 0, has a loss of 2 log 2:

        >>> import torch
        >>> from iidgan import GAN, Batch, Nets
        >>> zeros = torch.zeros(1, 4, 2)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "D": lambda x: x.sum(-1)})
        >>> GAN().loss_D(nets, batch)
        {'adversarial': tensor([1.3863])}
        >>> GAN().loss_G(nets, batch)
        {'adversarial': tensor([0.6931])}
    """

    loss: Adversarial = "non-saturating"
    """Name of the pair of losses of D and G."""

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    @property
    def has_centred_logits(self) -> bool:
        return LOSS_PAIRS[self.loss].is_centred

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"G": factory.build_generator(), "D": factory.build_discriminator()}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the discriminator's loss; non-saturating: `-E log D(x) - E log(1 - D(G(z)))`.

        Arguments:
            nets: D and G.
            batch: Real samples `x` and latents `z`.
        """
        real_logits, fake_logits = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": LOSS_PAIRS[self.loss].discriminator(real_logits, fake_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the generator's loss; non-saturating: `-E log D(G(z))`.

        Arguments:
            nets: D and G.
            batch: Latents `z`.
        """
        return {"adversarial": LOSS_PAIRS[self.loss].generator(nets.D(nets.G(batch.z)))}


def critic_players(loss: Adversarial, critic_steps: int) -> tuple[Player, ...]:
    """Return the players of a GAN whose D is updated several times per step.

    Arguments:
        loss: Name of the pair of losses.
        critic_steps: Number of updates of D per step.

    Returns:
        The players D and G.
    """
    critic, generator = GAN(loss=loss).players
    return replace(critic, updates_per_step=critic_steps), generator
