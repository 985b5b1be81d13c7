"""Intervention: samples from codes of real data should not reveal which block was replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from torch import Tensor, nn

from iidgan.core import (
    OMIT_IF_DEFAULT,
    Batch,
    Losses,
    LossFn,
    Method,
    Nets,
    NetworkFactory,
    Player,
    Reference,
    Term,
    cites,
)
from iidgan.errors import InputError
from iidgan.functional import checks, cycle, intervention

PAPER = Reference(
    title="Intervention Generative Adversarial Networks",
    authors="Jiadong Liang, Liangyu Zhang, Cheng Zhang and Zhihua Zhang",
    year=2020,
    url="https://arxiv.org/abs/2008.03712",
)

Sign = Literal["code", "paper"]
AUTHORS_BLOCKS = 4
"""Number of blocks of the 100 dimensions of a code in the authors' scripts for images."""


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Intervention(Term):
    """Adversarial prediction of which block of a code was replaced, with an inverse F.

    O_i replaces the i-th block of a code by noise, which leaves N(0, I) unchanged. A classifier C,
    a head on D's features, predicts i from x̃ = G(O_i(E(x))), and G is trained against it:

        min over D, C:  μ CE(C(x̃), i)
        min over G:    -μ CE(C(x̃), i) + λ (|x - G(E(x))| + |O_i(E(x)) - F(x̃)|)

    with element-wise means of absolute differences. E is F with codes standardised over the batch,
    as C could otherwise identify the noise by its scale. F itself, which metrics read, is not
    standardised: the last part of the loss makes it invert codes that are standard normal.

    F is trained by a separate player, E, whose loss depends on `e_sign` and `e_reconstruct`:

    | e_sign | e_reconstruct | loss of F | source |
    |---|---|---|---|
    | paper | True | that of G | the paper |
    | code | False | μ CE | all but one of the authors' scripts |
    | code | True | μ CE + λ (...) | both, the default |

    In the authors' scripts C reads samples without the noise that D's real and generated samples
    get, `clean`. If the method has an inverse of its own, its players still train it as well.

    References:
        Intervention Generative Adversarial Networks (Liang et al., 2020),
        https://arxiv.org/abs/2008.03712

    Examples:
        >>> import iidgan
        >>> method = iidgan.Regularised(method=iidgan.GAN(), terms=(Intervention(),))
        >>> {player.name: player.trains for player in method.players}
        {'D': ('D', 'C'), 'G': ('G',), 'E': ('F',)}
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("classify", "reconstruct")

    blocks: int | None = 2
    """Number of blocks of a code, of which one is replaced, at most the latent dimension; None for
    4, as the authors have it, or for as many as the latent dimension allows."""
    classify: float = 0.5
    """Weight of the classifier's cross-entropy, mu."""
    reconstruct: float = 0.25
    """Weight of the two reconstructions, lambda."""
    e_steps: int = 10
    """Number of updates of F per step."""
    e_sign: Sign = "code"
    """Whether F helps the classifier, as in the authors' `code`, or G, as in the `paper`."""
    e_reconstruct: bool = field(default=True, metadata=OMIT_IF_DEFAULT)
    """Whether the loss of F has the two reconstructions as well."""
    clean: bool = field(default=False, metadata=OMIT_IF_DEFAULT)
    """Whether C reads samples without the noise that other terms add before D."""

    def __post_init__(self) -> None:
        if self.blocks is not None:
            checks.require_at_least("blocks", self.blocks, 2)
        checks.require_at_least("e_steps", self.e_steps, 1)
        checks.require_non_negative("classify", self.classify)
        checks.require_non_negative("reconstruct", self.reconstruct)

    owned_networks: ClassVar[Mapping[str, str]] = {"C": "D"}

    @property
    def losses(self) -> Mapping[str, LossFn]:
        return {"D": self.loss_D, "G": self.loss_G}

    @property
    def players(self) -> tuple[Player, ...]:
        return (Player("E", self.loss_E, trains=("F",), updates_per_step=self.e_steps),)

    def check_fits(self, method: Method) -> None:
        if method.conditioning:
            raise InputError("terms: intervention has no conditional form; leave it out")

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        num_blocks = self._count_blocks(factory.latent)
        if num_blocks > factory.latent:
            raise InputError(
                f"blocks: must be <= the latent dimension {factory.latent}, got {num_blocks}"
            )
        return {"F": factory.build_inverse(), "C": factory.build_head(num_blocks)}

    def _count_blocks(self, latent_dim: int) -> int:
        return max(2, min(AUTHORS_BLOCKS, latent_dim)) if self.blocks is None else self.blocks

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        *_, cross_entropy = self._intervene(nets, batch)
        return {"intervention": self.classify * cross_entropy}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        return self._adversary_loss(nets, batch, -self.classify)

    def loss_E(self, nets: Nets, batch: Batch) -> Losses:
        sign = 1 if self.e_sign == "code" else -1
        losses = self._adversary_loss(nets, batch, sign * self.classify)
        return losses if self.e_reconstruct else {"intervention": losses["intervention"]}

    def _adversary_loss(self, nets: Nets, batch: Batch, classify_weight: float) -> Losses:
        data_codes, intervened_codes, cross_entropy = self._intervene(nets, batch)
        z_cycled = nets.F(nets.G(intervened_codes))
        return {
            "intervention": classify_weight * cross_entropy,
            "intervention_x": self.reconstruct * cycle.l1(batch.x, nets.G(data_codes)),
            "intervention_z": self.reconstruct * cycle.l1(intervened_codes, z_cycled),
        }

    def _intervene(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Compute codes of data, the same with a block replaced, and the cross-entropy of C."""
        data_codes = intervention.standardise_codes(nets.F(batch.x))
        num_blocks = self._count_blocks(data_codes.shape[-1])
        block_index = (num_blocks * batch.u[:, 0]).long()
        intervened_codes = intervention.substitute_block(
            data_codes, batch.z, block_index, num_blocks
        )
        judges = nets.without_input_maps("D") if self.clean else nets
        block_logits = nets.C(judges.features("D", nets.G(intervened_codes)))
        return (
            data_codes,
            intervened_codes,
            intervention.block_cross_entropy(block_logits, block_index),
        )
