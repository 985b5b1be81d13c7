r"""Unrolled GAN: the generator plays against the discriminator of some steps ahead.

With \(f(\theta_G, \theta_D) = E \zeta(-D(x)) + E \zeta(D(Gz))\) and \(\zeta(t) = \log(1 + e^t)\),
D takes ordinary steps down f, and G takes steps up

.. math:: f(\theta_G, \theta_D^{(K)}), \quad \theta_D^{(k+1)}
    = \theta_D^{(k)} - \text{Adam} \, \nabla_{\theta_D} f(\theta_G, \theta_D^{(k)})

from D's present weights on the same batch, through all K steps. What they lead to is forgotten
then. Adam's moments start at zero here, as a loss sees no optimiser; terms on D's own loss have
no part in these steps.

The authors' script for toy data has a rate of 1e-4 for D, also in these steps, and of 1e-3 for G.
Both matter: with G's saturating loss a D as fast as G leaves it no gradient, and K steps down the
same batch at D's rate of 2e-3 lead to weights that say nothing about the D to come.

References:
    Unrolled Generative Adversarial Networks (Metz et al., 2016), https://arxiv.org/abs/1611.02163
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
from iidgan.errors import InputError
from iidgan.functional import adversarial, checks, unroll
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Unrolled Generative Adversarial Networks",
    authors="Luke Metz, Ben Poole, David Pfau and Jascha Sohl-Dickstein",
    year=2016,
    url="https://arxiv.org/abs/1611.02163",
)

BASE = GAN()


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Unrolled(Method):
    """A GAN whose generator foresees how the discriminator will answer."""

    strengths: ClassVar[tuple[str, ...]] = ("lr",)

    steps: int = 5
    """Steps of D that G looks ahead; 0, with a pace of 1, for a GAN with the saturating loss."""
    lr: float = 1e-4
    """Learning rate of these steps."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay of the averages of their gradient and of its square."""
    second_order: bool = True
    """Whether G knows that it changes these steps, rather than only what they lead to."""
    pace: float = 0.1
    """Learning rate of D's own steps, as a multiple of G's."""

    def __post_init__(self) -> None:
        checks.at_least("steps", self.steps, 0)
        checks.positive("lr", self.lr)
        checks.positive("pace", self.pace)
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"betas: {self.betas} are not two numbers in [0, 1)")

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("D", BASE.loss_D, trains=("D",), pace=self.pace),
            Player("G", self.loss_G, trains=("G",)),
        )

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return BASE.networks(arch)

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        fake = nets.G(batch.z)

        def f(weights: unroll.Parameters) -> Tensor:
            held = nets.holding("D", weights)
            # Two calls, not one on both: batch normalisation must not mix real and generated.
            return adversarial.discriminator(held.D(batch.x), held.D(fake))

        ahead = unroll.adam(
            f,
            dict(nets["D"].named_parameters()),
            self.steps,
            self.lr,
            betas=self.betas,
            second_order=self.second_order,
        )
        return {"adversarial": -f(ahead)}
