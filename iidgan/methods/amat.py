r"""AMAT: discriminators that share the samples among them, and get company when one forgets.

Each generated sample is judged by the discriminator \(i\) that finds it least real, or, with
probability r, by any; the real sample in the same place goes with it. The discriminators minimise
the usual loss of the samples that they judge. G minimises

.. math:: \sum_i w_i L_G(D_i), \qquad w \sim \mathrm{Dirichlet}(1, \dots, 1)

where the largest weight goes to the discriminator that G fools least, and so on. From time to time
each D(x), a probability, is looked at on 15 real samples from the start of the run. If

.. math:: \max_j D_i(x_j) > \alpha \, \frac1{15} \sum_j D_i(x_j)

for any i, then \(D_i\) takes some modes for real and has forgotten others, and a further
discriminator starts. The official code compares logits where the loss is the hinge and none
otherwise; they have no scale, and a mean below 0 would pass any test.

All discriminators are there from the start, so that the steps of a run are all alike; those that
wait have no part in any loss and do not change. Adam's averages of a late one are 0 when it
starts, but its correction for that has run out: first steps are up to
\((1 - \beta_1) / \sqrt{1 - \beta_2}\) times the learning rate, 16 times with the usual betas, and
settle within \(1 / (1 - \beta_2)\) steps. The official code gives each an optimiser of its own.

Terms that read a logit, such as gradient penalties, see the mean logit of those that are alive.

References:
    Overcoming Mode Collapse with Adaptive Multi Adversarial Training (Mangalam and Garg, 2021),
    https://arxiv.org/abs/2112.14406
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, Shapes, cites
from iidgan.errors import InputError
from iidgan.functional import checks
from iidgan.functional.adversarial import PAIRS, Adversarial

PAPER = Reference(
    title="Overcoming Mode Collapse with Adaptive Multi Adversarial Training",
    authors="Karttikeya Mangalam and Rohin Garg",
    year=2021,
    url="https://arxiv.org/abs/2112.14406",
)
EXEMPLARS = 15


class Panel(nn.Module):
    """Last layers of N discriminators, the first of them alive: (S, B, N, ...) to logits (S, B).

    The logit is the mean of those that are alive; `each` gives all of them.
    """

    alive: Tensor

    def __init__(self, heads: list[nn.Module], num_alive: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)
        born = torch.arange(len(heads)) < num_alive
        self.register_buffer("alive", born.to(torch.get_default_dtype())[None])

    def each(self, hidden: Tensor) -> Tensor:
        """Computes the logits of each: (S, B, N, ...) -> (S, B, N)."""
        logits = [head(hidden[:, :, i]) for i, head in enumerate(self.heads)]
        return torch.stack(logits, -1)

    def forward(self, hidden: Tensor) -> Tensor:
        shares = self.alive / self.alive.sum(1, keepdim=True)
        return (self.each(hidden) * shares[:, None]).sum(-1)


class Ensemble(nn.Module):
    """Maps (S, B, *shape) to logits (S, B) of N discriminators, and counts when to start more.

    Its features (S, B, N, ...) are those of all of them, 0 for those that are not alive.
    """

    exemplars: Tensor
    moves: Tensor
    next_check: Tensor

    def __init__(self, rules: AMAT, arch: Arch) -> None:
        super().__init__()
        self.rules = rules
        discriminators = [arch.discriminator() for _ in range(rules.most)]
        heads = [cast(nn.Module, each.head) for each in discriminators]
        self.head = Panel(heads, rules.discriminators)
        for each in discriminators:
            each.head = nn.Identity()
        self.trunks = nn.ModuleList(discriminators)
        self.register_buffer("exemplars", torch.zeros(1, EXEMPLARS, *arch.shape))
        self.register_buffer("moves", torch.zeros(1))
        self.register_buffer("next_check", torch.full((1,), float(rules.first_check)))

    def features(self, x: Tensor) -> Tensor:
        hidden = torch.stack([trunk(x) for trunk in self.trunks], 2)
        seeds, num = self.head.alive.shape
        return hidden * self.head.alive.view(seeds, 1, num, *[1] * (hidden.dim() - 3))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits

    @torch.no_grad()
    def refresh(self, batch: Batch) -> None:
        """Keeps samples of the first batch; starts a discriminator where a check asks for it."""
        place = torch.arange(EXEMPLARS, device=batch.x.device) % batch.x.shape[1]
        first = (self.moves == 0).view(-1, 1, *[1] * (batch.x.dim() - 2))
        self.exemplars.copy_(torch.where(first, batch.x[:, place], self.exemplars))
        self.moves.add_(1)
        due = self.moves >= self.next_check
        alive = self.head.alive
        newborn = torch.arange(alive.shape[1], device=due.device) == alive.sum(1)[:, None]
        spawn = (due & self._forgetful())[:, None]
        alive.add_((spawn & newborn).to(alive.dtype))
        self.next_check.mul_(torch.where(due, self.rules.growth, 1.0))

    def _forgetful(self) -> Tensor:
        """Tells whether any discriminator alive believes in some exemplars only: (S,)."""
        alive = self.head.alive
        beliefs = self.head.each(self.features(self.exemplars)).sigmoid()
        more = torch.where(alive.sum(1) > 2, self.rules.caution, 1.0)
        bound = self.rules.alpha * more[:, None] * beliefs.mean(1)
        return ((beliefs.amax(1) > bound) & (alive > 0)).any(1)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class AMAT(Method):
    """A growing set of discriminators against one generator."""

    loss: Adversarial = "non-saturating"
    """What G minimises for each discriminator."""
    discriminators: int = 2
    """Discriminators at the start."""
    most: int = 4
    """Discriminators at the end, at most; all of them cost time from the start."""
    random: float = 0.2
    """Probability r of a sample to be judged by any discriminator."""
    alpha: float = 1.5
    """How far the largest D(x) of the samples kept may be above their mean, as a factor."""
    caution: float = 1.25
    """Factor of alpha when there are more than two discriminators."""
    first_check: int = 1000
    """Moves of D before the first check; the default is for runs of 24,000 steps."""
    growth: float = 2.0
    """Each check comes at the time of the last times this."""

    def __post_init__(self) -> None:
        checks.one_of("loss", self.loss, Adversarial)
        if not 1 <= self.discriminators <= self.most:
            raise InputError(
                f"discriminators: {self.discriminators} is not between 1 and most, {self.most}"
            )
        if not 0 <= self.random <= 1:
            raise InputError(f"random: {self.random} is no probability; between 0 and 1")
        for name, least in (("alpha", 1), ("caution", 1), ("first_check", 1)):
            if not least <= getattr(self, name) < math.inf:
                raise InputError(f"{name}: {getattr(self, name)} is too small; at least {least}")
        if not 1 < self.growth < math.inf:
            raise InputError(f"growth: {self.growth} never ends checking; above 1, such as 2")

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), "D": Ensemble(self, arch)}

    def noise(self, arch: Arch) -> Shapes:
        return {"amat_judge": (self.most,), "amat_weight": (self.most,)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = _each(nets, batch.x), _each(nets, nets.G(batch.z))
        judge = self._judges(nets, batch, fake).unsqueeze(-1)
        pair = (logits.gather(-1, judge).squeeze(-1) for logits in (real, fake))
        return {"adversarial": PAIRS[self.loss].discriminator(*pair)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        fake = _each(nets, nets.G(batch.z))
        losses = torch.stack([PAIRS[self.loss].generator(each) for each in fake.unbind(-1)], -1)
        return {"adversarial": (self._weights(nets, batch, fake) * losses).sum(-1)}

    def _judges(self, nets: Nets, batch: Batch, fake: Tensor) -> Tensor:
        """Chooses a discriminator that is alive for each sample: (S, B)."""
        alive = _alive(nets)[:, None] > 0
        strictest = torch.where(alive, fake, math.inf).argmin(-1)
        # The largest of independent equals is any of them.
        drawn = torch.where(alive, batch.noise["amat_judge"], -math.inf).argmax(-1)
        return torch.where(batch.u < self.random, drawn, strictest)

    def _weights(self, nets: Nets, batch: Batch, fake: Tensor) -> Tensor:
        """Draws weights, larger where D(G(z)) is smaller, 0 for who is not alive: (S, N)."""
        alive = _alive(nets)
        # Minus the logarithm of a uniform number is exponential; normalised, a Dirichlet sample.
        lots = -torch.special.log_ndtr(batch.noise["amat_weight"][:, 0]) * alive
        shares = (lots / lots.sum(-1, keepdim=True)).sort(-1, descending=True).values
        fooled = torch.where(alive > 0, fake.sigmoid().sum(1), math.inf)
        return shares.gather(-1, fooled.argsort(-1).argsort(-1))


def _alive(nets: Nets) -> Tensor:
    return cast(Ensemble, nets["D"]).head.alive


def _each(nets: Nets, x: Tensor) -> Tensor:
    return cast(Ensemble, nets["D"]).head.each(nets.features("D", x))
