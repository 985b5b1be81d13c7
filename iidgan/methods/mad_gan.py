r"""MAD-GAN: several generators, and a discriminator that also has to tell which one it was.

D puts a sample into one of K + 1 classes: real, or made by generator 1 to K. With p its
probabilities, it minimises the cross-entropy over a real batch and K generated ones, and all
generators together look real:

.. math:: \min_D -\frac1{K + 1} \Big( E \log p_0(x) + \sum_i E \log p_i(G_i(z)) \Big),
          \qquad \min_G -\frac1K \sum_i E \log p_0(G_i(z))

so that each generator does best where the others are not. They share all layers but the last,
and take the same z.

Here D gives the log-odds of being real, \(\log p_0 - \log (1 - p_0)\), so that whatever reads a
logit or the features of D fits; -log p_0 is then the non-saturating loss. G, called on a batch,
takes the generators in turn: sample j is made by generator j mod K, which makes it a mixture of
equal parts.

References:
    Multi-Agent Diverse Generative Adversarial Networks (Ghosh et al., 2018),
    https://arxiv.org/abs/1704.02906
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import non_saturating
from iidgan.functional.reduce import mean

PAPER = Reference(
    title="Multi-Agent Diverse Generative Adversarial Networks",
    authors="Arnab Ghosh, Viveka Kulharia, Vinay Namboodiri, Philip H.S. Torr and "
    "Puneet K. Dokania",
    year=2018,
    url="https://arxiv.org/abs/1704.02906",
)


class Generators(nn.Module):
    """Last layers of K generators on features that they share."""

    def __init__(self, heads: list[nn.Module]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def every(self, hidden: Tensor) -> Tensor:
        """Makes K samples of each: (S, B, ...) -> (S, B K, *shape), generators in turn."""
        return torch.stack([head(hidden) for head in self.heads], 2).flatten(1, 2)

    def forward(self, hidden: Tensor) -> Tensor:
        turn = torch.arange(hidden.shape[1], device=hidden.device)
        return self.every(hidden)[:, turn * len(self.heads) + turn % len(self.heads)]


class LogOdds(nn.Module):
    """Turns the logits of K + 1 classes into the log-odds of the first: (S, B, ...) -> (S, B)."""

    def __init__(self, classes: nn.Module) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.classes(hidden)
        return logits[..., 0] - logits[..., 1:].logsumexp(-1)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class MADGAN(Method):
    """Generators that D keeps apart."""

    generators: int = 4
    """Generators K; they share all layers but the last, and each step makes K batches."""

    def __post_init__(self) -> None:
        checks.at_least("generators", self.generators, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        G, *others = (arch.generator() for _ in range(self.generators))
        G.head = Generators([cast(nn.Module, each.head) for each in (G, *others)])
        D = arch.encoder(self.generators + 1)
        D.head = LogOdds(cast(nn.Module, D.head))
        return {"G": G, "D": D}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        classes = cast(LogOdds, nets["D"].head).classes
        samples = (batch.x, *self._fakes(nets, batch))
        logits = torch.cat([classes(nets.features("D", each)) for each in samples], 1)
        num = batch.x.shape[1]
        place = torch.arange(logits.shape[1], device=logits.device)
        labels = torch.where(place < num, 0, 1 + (place - num) % self.generators)
        return {"adversarial": -mean(logits.log_softmax(-1)[:, place, labels])}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        logits = torch.cat([nets.D(each) for each in self._fakes(nets, batch)], 1)
        return {"adversarial": non_saturating(logits)}

    def _fakes(self, nets: Nets, batch: Batch) -> tuple[Tensor, ...]:
        """Makes one sample of each generator and latent, in K batches of the usual size."""
        made = cast(Generators, nets["G"].head).every(nets.features("G", batch.z))
        return made.chunk(self.generators, 1)
