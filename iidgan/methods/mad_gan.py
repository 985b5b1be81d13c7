"""MAD-GAN: several generators, and a discriminator that also identifies the generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import non_saturating_loss
from iidgan.functional.reduce import mean_per_seed

PAPER = Reference(
    title="Multi-Agent Diverse Generative Adversarial Networks",
    authors="Arnab Ghosh, Viveka Kulharia, Vinay Namboodiri, Philip H.S. Torr and "
    "Puneet K. Dokania",
    year=2018,
    url="https://arxiv.org/abs/1704.02906",
)


class GeneratorHeads(nn.Module):
    """Last layers of K generators on shared features.

    Called on a batch, it alternates between the generators: sample j is from generator j mod K,
    which makes G a mixture of equal parts.

    Arguments:
        heads: Last layers of the generators.
    """

    def __init__(self, heads: list[nn.Module]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)
        self.share_unit = len(heads)  # the first sample of a share is from generator 0

    def sample_all(self, hidden: Tensor) -> Tensor:
        """Apply all K generators to each input.

        Arguments:
            hidden: Shared features, (S, B, ...).

        Returns:
            Samples, (S, B K, *shape); those of one input follow each other.
        """
        return torch.stack([head(hidden) for head in self.heads], 2).flatten(1, 2)

    def forward(self, hidden: Tensor) -> Tensor:
        index = torch.arange(hidden.shape[1], device=hidden.device)
        return self.sample_all(hidden)[:, index * len(self.heads) + index % len(self.heads)]


class RealLogOdds(nn.Module):
    """Log-odds of the first of K + 1 classes from their logits: (S, B, ...) -> (S, B).

    Arguments:
        classes: Layer that computes the logits of the classes from features.
    """

    def __init__(self, classes: nn.Module) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.classes(hidden)
        return logits[..., 0] - logits[..., 1:].logsumexp(-1)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class MADGAN(Method):
    """The multi-agent diverse GAN: several generators, which D distinguishes.

    D classifies samples into K + 1 classes: real, or from generator 1 to K. With p_i its
    probabilities, it minimises the cross-entropy over a real batch and K generated ones, while all
    generators are trained to look real:

    * D minimises `-(E log p_0(x) + sum_i E log p_i(G_i(z))) / (K + 1)`;
    * the generators minimise `-sum_i E log p_0(G_i(z)) / K`,

    so that each generator is best off where the others are not. They share all layers but the
    last, and get the same z.

    Here D outputs the log-odds of being real, `log p_0 - log(1 - p_0)`, so that terms that read a
    logit or the features of D work; -log p_0 is then the non-saturating loss. Called on a batch, G
    alternates between the generators, and so is a mixture of equal parts.

    References:
        Multi-Agent Diverse Generative Adversarial Networks (Ghosh et al., 2018),
        https://arxiv.org/abs/1704.02906

    Examples:
        >>> import torch
        >>> from iidgan import MADGAN, MLP
        >>> from iidgan.core import NetworkFactory
        >>> networks = MADGAN(generators=3).networks(NetworkFactory(MLP(), shape=(2,)))
        >>> samples = networks["G"](torch.zeros(1, 6, 2))
        >>> torch.equal(samples[:, :3], samples[:, 3:])  # generators 0, 1, 2, 0, 1, 2
        True
        >>> torch.equal(samples[:, 0], samples[:, 1])
        False
    """

    generators: int = 4
    """Number K of generators, which share all layers but the last; a step generates K batches."""

    def __post_init__(self) -> None:
        checks.require_at_least("generators", self.generators, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        generator_networks = [factory.build_generator() for _ in range(self.generators)]
        G = generator_networks[0]
        G.head = GeneratorHeads(
            [cast(nn.Module, generator.head) for generator in generator_networks]
        )
        D = factory.build_encoder(self.generators + 1)
        D.head = RealLogOdds(cast(nn.Module, D.head))
        return {"G": G, "D": D}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D's cross-entropy over a real batch and one batch of each generator.

        Arguments:
            nets: D and G, with the heads that `networks` builds.
            batch: Real samples `x` and latents `z`.
        """
        class_head = cast(RealLogOdds, nets["D"].head).classes
        sample_batches = (batch.x, *self._generate_batches(nets, batch))
        class_logits = torch.cat([class_head(nets.features("D", x)) for x in sample_batches], 1)
        batch_size = batch.x.shape[1]
        index = torch.arange(class_logits.shape[1], device=class_logits.device)
        labels = torch.where(index < batch_size, 0, 1 + (index - batch_size) % self.generators)
        return {"adversarial": -mean_per_seed(class_logits.log_softmax(-1)[:, index, labels])}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the generators' non-saturating loss, `-sum_i E log p_0(G_i(z)) / K`.

        Arguments:
            nets: D and G, with the heads that `networks` builds.
            batch: Latents `z`.
        """
        logits = torch.cat([nets.D(x) for x in self._generate_batches(nets, batch)], 1)
        return {"adversarial": non_saturating_loss(logits)}

    def _generate_batches(self, nets: Nets, batch: Batch) -> tuple[Tensor, ...]:
        """Generate one sample per generator and latent, in K batches of the usual size."""
        heads = cast(GeneratorHeads, nets["G"].head)
        samples = heads.sample_all(nets.features("G", batch.z))
        return samples.chunk(self.generators, 1)
