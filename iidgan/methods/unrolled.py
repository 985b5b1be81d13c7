"""Unrolled GAN: the generator is trained against the discriminator of some steps ahead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from torch import Tensor, nn

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
from iidgan.functional import adversarial, checks, unroll
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Unrolled Generative Adversarial Networks",
    authors="Luke Metz, Ben Poole, David Pfau and Jascha Sohl-Dickstein",
    year=2016,
    url="https://arxiv.org/abs/1611.02163",
)

PLAIN_GAN = GAN()


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Unrolled(Method):
    """The unrolled GAN: G is trained against the discriminator of some steps ahead.

    With `f(θ_G, θ_D) = E ζ(-D(x)) + E ζ(D(G(z)))` and `ζ(t) = log(1 + eᵗ)`, D takes ordinary steps
    down f, and G takes steps up

        f(θ_G, θ_D⁽ᴷ⁾),  θ_D⁽ᵏ⁺¹⁾ = θ_D⁽ᵏ⁾ - Adam(∇ f(θ_G, θ_D⁽ᵏ⁾))

    starting from the current weights of D, on the same batch, with gradients through all K steps.
    The unrolled weights are then discarded. Adam's moments start at zero, as a loss has no access
    to the optimiser; terms on D's own loss are not part of these steps.

    The authors' script for toy data uses one constant learning rate of 1e-4 for D, also in these
    steps, and of 1e-3 for G; the steps continue D's own Adam there. If the run's rate decays, the
    steps should decay with it, `schedule="linear"`, or in the end they foresee a D that learns
    much faster than the actual one. Both rates matter: with the saturating loss, a D that learns
    as fast as G leaves G without gradient, and K steps on the same batch with a learning rate of
    2e-3 do not predict later weights of D.

    References:
        Unrolled Generative Adversarial Networks (Metz, Poole, Pfau and Sohl-Dickstein, 2016),
        https://arxiv.org/abs/1611.02163

    Examples:
        D loses less after the unrolled steps, which leave its own weights as they are:

        >>> import torch
        >>> from iidgan import MLP, Batch, Nets, Unrolled
        >>> from iidgan.core import NetworkFactory
        >>> _ = torch.manual_seed(0)
        >>> nets = Nets(Unrolled().networks(NetworkFactory(MLP(), shape=(2,))))
        >>> batch = Batch(x=torch.ones(1, 8, 2), z=torch.randn(1, 8, 2), u=torch.rand(1, 8))
        >>> present_loss = -Unrolled(steps=0).loss_G(nets, batch)["adversarial"]
        >>> later_loss = -Unrolled(steps=5, lr=1e-2).loss_G(nets, batch)["adversarial"]
        >>> bool(later_loss < present_loss)
        True
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("lr",)

    steps: int = 5
    """Number of unrolled steps of D; 0, with a pace of 1, for a GAN with the saturating loss."""
    lr: float = 1e-4
    """Learning rate of the unrolled steps."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of the averages of the gradient and of its square in the unrolled steps."""
    second_order: bool = True
    """Whether gradients of G pass through the unrolled steps, or treat their result as fixed."""
    pace: float = 0.1
    """Learning rate of the actual updates of D, as a multiple of that of G."""
    schedule: Literal["constant", "linear"] = field(default="constant", metadata=OMIT_IF_DEFAULT)
    """Learning rate of the unrolled steps over the run: constant, or a linear decay to 0. Take
    that of the optimiser, so that D learns in its own steps as in the unrolled ones."""

    def __post_init__(self) -> None:
        checks.require_at_least("steps", self.steps, 0)
        checks.require_positive("lr", self.lr)
        checks.require_positive("pace", self.pace)
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"betas: must be two numbers in [0, 1), got {self.betas}")

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("D", PLAIN_GAN.loss_D, trains=("D",), lr_scale=self.pace),
            Player("G", self.loss_G, trains=("G",)),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return PLAIN_GAN.networks(factory)

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute G's loss, -f with the weights that D would have after K more steps.

        Arguments:
            nets: D and G.
            batch: Real samples `x` and latents `z`.
        """
        x_fake = nets.G(batch.z)

        def discriminator_loss(weights: unroll.Parameters) -> Tensor:
            unrolled_nets = nets.with_parameters("D", weights)
            # Two calls, so that batch normalisation does not mix real and generated samples.
            return adversarial.discriminator_loss(
                unrolled_nets.D(batch.x), unrolled_nets.D(x_fake)
            )

        unrolled_weights = unroll.unrolled_adam(
            discriminator_loss,
            dict(nets["D"].named_parameters()),
            self.steps,
            self.lr,
            decay=1.0 if self.schedule == "constant" else 1 - batch.t,
            betas=self.betas,
            second_order=self.second_order,
        )
        return {"adversarial": -discriminator_loss(unrolled_weights)}
