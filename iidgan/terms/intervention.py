r"""Intervention: replacing a part of the code of real data is not to show in what G makes of it.

\(O_i\) replaces the i-th block of a code by noise, which leaves N(0, I) as it is. A classifier
f, a head on D's features, guesses i from \(\tilde x = G(O_i(E(x)))\), and G makes it fail:

.. math:: \min_{D, f} \mu \, CE(f(\tilde x), i), \quad \min_G -\mu \, CE(f(\tilde x), i)
    + \lambda (|x - G(E(x))|_1 + |O_i(E(x)) - F(\tilde x)|_1)

with element-wise means of absolute differences. E is F with codes standardised over the batch, or
f would tell by their scale alone which block is noise. F itself, which metrics read, is not: the
last addend ties it, scale and all, to codes that are standard normal where E does its work.

F moves as a player of its own, E. The paper has it minimise what G does, the authors' code helps
the classifier instead: \(+\mu \, CE\). A method that owns an inverse goes on training it as well.

References:
    Intervention Generative Adversarial Networks (Liang et al., 2020),
    https://arxiv.org/abs/2008.03712
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from iidgan.core import Arch, Batch, Loss, Losses, Nets, Player, Reference, Term, cites
from iidgan.errors import InputError
from iidgan.functional import checks, cycle, intervention

PAPER = Reference(
    title="Intervention Generative Adversarial Networks",
    authors="Jiadong Liang, Liangyu Zhang, Cheng Zhang and Zhihua Zhang",
    year=2020,
    url="https://arxiv.org/abs/2008.03712",
)

Sign = Literal["code", "paper"]


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Intervention(Term):
    """Brings the inverse F, with a player of its own, and the classifier C on D's features."""

    strengths: ClassVar[tuple[str, ...]] = ("classify", "reconstruct")

    blocks: int = 2
    """Blocks that a code is cut into, of which one is replaced; at most the latent dimension."""
    classify: float = 0.5
    """Weight of the classifier's cross-entropy, mu."""
    reconstruct: float = 0.25
    """Weight of the two reconstructions, lambda."""
    e_steps: int = 10
    """Moves of F per step."""
    e_sign: Sign = "code"
    """Whether F helps the classifier, as in the authors' code, or G, as in their paper."""

    def __post_init__(self) -> None:
        checks.at_least("blocks", self.blocks, 2)
        checks.at_least("e_steps", self.e_steps, 1)
        checks.non_negative("classify", self.classify)
        checks.non_negative("reconstruct", self.reconstruct)
        checks.one_of("e_sign", self.e_sign, Sign)

    brings: ClassVar[Mapping[str, str]] = {"C": "D"}

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"D": self.loss_D, "G": self.loss_G}

    @property
    def players(self) -> tuple[Player, ...]:
        return (Player("E", self.loss_E, trains=("F",), repeat=self.e_steps),)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        if self.blocks > arch.latent:
            raise InputError(
                f"blocks: {self.blocks} exceeds the {arch.latent} dimensions of the latent"
            )
        return {"F": arch.inverse(), "C": arch.head(self.blocks)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        *_, guessed = self._intervene(nets, batch)
        return {"intervention": self.classify * guessed}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        return self._loss(nets, batch, -self.classify)

    def loss_E(self, nets: Nets, batch: Batch) -> Losses:
        return self._loss(nets, batch, self.classify if self.e_sign == "code" else -self.classify)

    def _loss(self, nets: Nets, batch: Batch, classify: float) -> Losses:
        codes, intervened, guessed = self._intervene(nets, batch)
        z_cycled = nets.F(nets.G(intervened))
        return {
            "intervention": classify * guessed,
            "intervention_x": self.reconstruct * cycle.l1(batch.x, nets.G(codes)),
            "intervention_z": self.reconstruct * cycle.l1(intervened, z_cycled),
        }

    def _intervene(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Gives the codes of data, those with a block replaced, and how badly C guesses which."""
        codes = intervention.standardise(nets.F(batch.x))
        index = (self.blocks * batch.u[:, 0]).long()
        intervened = intervention.substitute(codes, batch.z, index, self.blocks)
        logits = nets.C(nets.features("D", nets.G(intervened)))
        return codes, intervened, intervention.cross_entropy(logits, index)
