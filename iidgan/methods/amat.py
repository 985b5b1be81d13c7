"""AMAT: several discriminators that share the samples; one is added when another forgets modes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from iidgan.core import (
    Batch,
    Losses,
    Method,
    Nets,
    NetworkFactory,
    NoiseShapes,
    Player,
    Reference,
    cites,
)
from iidgan.errors import InputError
from iidgan.functional.adversarial import LOSS_PAIRS, Adversarial

PAPER = Reference(
    title="Overcoming Mode Collapse with Adaptive Multi Adversarial Training",
    authors="Karttikeya Mangalam and Rohin Garg",
    year=2021,
    url="https://arxiv.org/abs/2112.14406",
)
NUM_EXEMPLARS = 15


class DiscriminatorHeads(nn.Module):
    """Heads of N discriminators, the first of them active: (S, B, N, ...) to logits (S, B).

    The logit is the mean of the active discriminators; `compute_logits` returns all of them.

    Arguments:
        heads: Last layers of the discriminators.
        num_alive: Number of discriminators that are active at the start.
    """

    alive: Tensor

    def __init__(self, heads: list[nn.Module], num_alive: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)
        is_alive = torch.arange(len(heads)) < num_alive
        self.register_buffer("alive", is_alive.to(torch.get_default_dtype())[None])

    def compute_logits(self, hidden: Tensor) -> Tensor:
        """Compute the logits of all discriminators, active or not.

        Arguments:
            hidden: Features of the N discriminators, (S, B, N, ...).

        Returns:
            Logits, (S, B, N).
        """
        logits = [head(hidden[:, :, i]) for i, head in enumerate(self.heads)]
        return torch.stack(logits, -1)

    def forward(self, hidden: Tensor) -> Tensor:
        alive_shares = self.alive / self.alive.sum(1, keepdim=True)
        return (self.compute_logits(hidden) * alive_shares[:, None]).sum(-1)


class DiscriminatorEnsemble(nn.Module):
    """Map (S, B, *shape) to logits (S, B) of N discriminators, and activate more when needed.

    The features (S, B, N, ...) are those of all discriminators, 0 for inactive ones.

    Arguments:
        method: Options, such as how many discriminators there are.
        arch: Builds the discriminators.
    """

    exemplars: Tensor
    moves: Tensor
    next_check: Tensor

    def __init__(self, method: AMAT, arch: NetworkFactory) -> None:
        super().__init__()
        self.method = method
        discriminators = [arch.build_discriminator() for _ in range(method.most)]
        heads = [cast(nn.Module, discriminator.head) for discriminator in discriminators]
        self.head = DiscriminatorHeads(heads, method.discriminators)
        for discriminator in discriminators:
            discriminator.head = nn.Identity()
        self.trunks = nn.ModuleList(discriminators)
        self.register_buffer("exemplars", torch.zeros(1, NUM_EXEMPLARS, *arch.shape))
        self.register_buffer("moves", torch.zeros(1))
        self.register_buffer("next_check", torch.full((1,), float(method.first_check)))

    def features(self, x: Tensor) -> Tensor:
        """Compute the last hidden layers of all discriminators, (S, B, N, ...)."""
        hidden = torch.stack([trunk(x) for trunk in self.trunks], 2)
        num_seeds, num_heads = self.head.alive.shape
        return hidden * self.head.alive.view(num_seeds, 1, num_heads, *[1] * (hidden.dim() - 3))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits

    @torch.no_grad()
    def post_update(self, batch: Batch) -> None:
        """Store samples of the first batch; activate a discriminator where a check requires it."""
        sample_index = torch.arange(NUM_EXEMPLARS, device=batch.x.device) % batch.x.shape[1]
        is_first = (self.moves == 0).view(-1, 1, *[1] * (batch.x.dim() - 2))
        self.exemplars.copy_(torch.where(is_first, batch.x[:, sample_index], self.exemplars))
        self.moves.add_(1)
        is_due = self.moves >= self.next_check
        alive = self.head.alive
        is_next = torch.arange(alive.shape[1], device=is_due.device) == alive.sum(1)[:, None]
        needs_another = (is_due & self._has_forgotten())[:, None]
        alive.add_((needs_another & is_next).to(alive.dtype))
        self.next_check.mul_(torch.where(is_due, self.method.growth, 1.0))

    def _has_forgotten(self) -> Tensor:
        """Whether any active discriminator considers only some of the exemplars real: (S,)."""
        alive = self.head.alive
        probabilities = self.head.compute_logits(self.features(self.exemplars)).sigmoid()
        caution_factor = torch.where(alive.sum(1) > 2, self.method.caution, 1.0)
        upper_bound = self.method.alpha * caution_factor[:, None] * probabilities.mean(1)
        return ((probabilities.amax(1) > upper_bound) & (alive > 0)).any(1)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class AMAT(Method):
    """AMAT, a GAN that activates another discriminator when one has forgotten modes.

    Each generated sample is assigned to the discriminator i with the lowest logit, or, with
    probability r, to a random one, together with the real sample at the same position of the
    batch. The discriminators minimise the usual loss of the samples assigned to them. G minimises

        sum_i w_i L_G(D_i),  w ~ Dirichlet(1, ..., 1)

    where the largest weight goes to the discriminator that G fools least, and so on. At certain
    steps the probabilities D(x) of 15 real samples x_j from the start of the run are checked. If

        max_j D_i(x_j) > alpha * mean_j D_i(x_j)

    for any i, then D_i considers some modes real and has forgotten others, and another
    discriminator is activated. The official code compares logits with the hinge loss and does no
    check otherwise; logits have no scale, and a mean below 0 would pass any check.

    All discriminators exist from the start, so that all steps of a run have the same structure;
    inactive ones take part in no loss and do not change. Adam's averages of a newly activated
    discriminator are 0, but its bias correction has already decayed: first steps are up to
    `(1 - β₁) / sqrt(1 - β₂)` times the learning rate, 16 times with the usual betas, for about
    `1 / (1 - β₂)` steps. The official code creates a new optimiser for each.

    Terms that read a logit, such as gradient penalties, get the mean logit of the active ones.

    References:
        Overcoming Mode Collapse with Adaptive Multi Adversarial Training (Mangalam and Garg,
        2021), https://arxiv.org/abs/2112.14406

    Examples:
        >>> from iidgan import AMAT, MLP
        >>> from iidgan.core import NetworkFactory
        >>> networks = AMAT(discriminators=2, most=4).networks(NetworkFactory(MLP(), shape=(2,)))
        >>> networks["D"].head.alive  # two discriminators wait to be activated
        tensor([[1., 1., 0., 0.]])
    """

    loss: Adversarial = "non-saturating"
    """Adversarial losses of each discriminator and of G."""
    discriminators: int = 2
    """Number of active discriminators at the start."""
    most: int = 4
    """Maximum number of discriminators; all of them cost time from the start."""
    random: float = 0.2
    """Probability r that a sample is assigned to a random discriminator."""
    alpha: float = 1.5
    """Allowed ratio of the largest D(x) of the stored samples to their mean."""
    caution: float = 1.25
    """Factor of alpha with more than two active discriminators."""
    first_check: int = 1000
    """Number of updates of D before the first check; the default is for runs of 24,000 steps."""
    growth: float = 2.0
    """Ratio between the times of consecutive checks."""

    def __post_init__(self) -> None:
        if not 1 <= self.discriminators <= self.most:
            raise InputError(
                f"discriminators: must be between 1 and most = {self.most}, "
                f"got {self.discriminators}"
            )
        if not 0 <= self.random <= 1:
            raise InputError(f"random: must be a probability between 0 and 1, got {self.random}")
        for name in ("alpha", "caution", "first_check"):
            if not 1 <= getattr(self, name) < math.inf:
                raise InputError(f"{name}: must be finite and >= 1, got {getattr(self, name)}")
        if not 1 < self.growth < math.inf:
            raise InputError(f"growth: must be finite and > 1, got {self.growth}")

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    @property
    def has_centred_logits(self) -> bool:
        return LOSS_PAIRS[self.loss].is_centred

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"G": factory.build_generator(), "D": DiscriminatorEnsemble(self, factory)}

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"amat_judge": (self.most,), "amat_weight": (self.most,)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the discriminators' loss, each on the samples that are assigned to it.

        Arguments:
            nets: D, a `DiscriminatorEnsemble`, and G.
            batch: Real samples `x`, latents `z`, and `u` and `noise`, which decide the assignment.
        """
        real_logits = _compute_logits(nets, batch.x)
        fake_logits = _compute_logits(nets, nets.G(batch.z))
        index = self._assign_samples(nets, batch, fake_logits).unsqueeze(-1)
        assigned_logits = (
            logits.gather(-1, index).squeeze(-1) for logits in (real_logits, fake_logits)
        )
        return {"adversarial": LOSS_PAIRS[self.loss].discriminator(*assigned_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute G's loss, `sum_i w_i L_G(D_i)` over the active discriminators.

        Arguments:
            nets: D, a `DiscriminatorEnsemble`, and G.
            batch: Latents `z`, and `noise`, from which the weights are drawn.
        """
        fake_logits = _compute_logits(nets, nets.G(batch.z))
        generator_loss = LOSS_PAIRS[self.loss].generator
        losses = torch.stack([generator_loss(logits) for logits in fake_logits.unbind(-1)], -1)
        return {"adversarial": (self._draw_weights(nets, batch, fake_logits) * losses).sum(-1)}

    def _assign_samples(self, nets: Nets, batch: Batch, fake_logits: Tensor) -> Tensor:
        """Choose an active discriminator for each sample: (S, B)."""
        is_alive = _alive_mask(nets)[:, None] > 0
        strictest_index = torch.where(is_alive, fake_logits, math.inf).argmin(-1)
        # The index of the largest of independent, identically distributed numbers is uniform.
        random_index = torch.where(is_alive, batch.noise["amat_judge"], -math.inf).argmax(-1)
        return torch.where(batch.u < self.random, random_index, strictest_index)

    def _draw_weights(self, nets: Nets, batch: Batch, fake_logits: Tensor) -> Tensor:
        """Draw weights, larger where D(G(z)) is smaller, 0 for inactive discriminators: (S, N)."""
        alive = _alive_mask(nets)
        # Minus the logarithm of a uniform number is exponential; normalised, a Dirichlet sample.
        exponentials = -torch.special.log_ndtr(batch.noise["amat_weight"][:, 0]) * alive
        dirichlet_sample = exponentials / exponentials.sum(-1, keepdim=True)
        sorted_weights = dirichlet_sample.sort(-1, descending=True).values
        fooled_scores = torch.where(alive > 0, fake_logits.sigmoid().sum(1), math.inf)
        return sorted_weights.gather(-1, fooled_scores.argsort(-1).argsort(-1))


def _alive_mask(nets: Nets) -> Tensor:
    return cast(DiscriminatorEnsemble, nets["D"]).head.alive


def _compute_logits(nets: Nets, x: Tensor) -> Tensor:
    return cast(DiscriminatorEnsemble, nets["D"]).head.compute_logits(nets.features("D", x))


@cites(PAPER)
def amat() -> AMAT:
    """AMAT that starts with one discriminator, as its authors' trainers that activate more do.

    References:
        Overcoming Mode Collapse with Adaptive Multi Adversarial Training (Mangalam and Garg,
        2021), https://arxiv.org/abs/2112.14406, and https://github.com/gargrohin/AMAT

    Examples:
        >>> import iidgan
        >>> iidgan.amat().discriminators, iidgan.AMAT().discriminators
        (1, 2)
    """
    return AMAT(discriminators=1)
