"""Drifting models: samples move to the data and away from each other, without a discriminator."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.errors import InputError
from iidgan.functional import checks
from iidgan.functional.drifting import drifting_loss

PAPER = Reference(
    title="Generative Modeling via Drifting",
    authors="Mingyang Deng, He Li, Tianhong Li, Yilun Du and Kaiming He",
    year=2026,
    url="https://arxiv.org/abs/2602.04770",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Drifting(Method):
    """Drifting model: G(z) follows a field that attracts it to data and repels it from samples.

    In each step, the field V at the samples of a batch is computed from the real samples of the
    batch and from the other generated ones, by kernels e^(-‖x - y‖ / τ) that are normalised on
    both sides, and G is trained towards the moved samples,

        E ‖G(z) - stopgrad(G(z) + V(G(z)))‖²

    with scales as in `iidgan.functional.drifting.drifting_loss`. V is 0 where both sets of samples
    are the same. There is no discriminator, and no other network than G.

    Distances are those of samples themselves, pixels in the case of images. The paper has features
    of a pretrained network for images, at several scales, and reports that pixels alone do not
    suffice on ImageNet; guidance by classes is not included either. Kernels are at least 0.02 of
    the mean distance wide, so that much narrower modes are covered, but not met: with the defaults
    of `Run`, 500 steps on `Ring(std=0.05)` bring all 8 modes, 42 and 49 % good samples and a
    reverse KL of 0.03 and 0.01 for two seeds, and 4,000 steps on `Ring()`, with modes of 0.001,
    all modes and 2 % good samples for one.

    References:
        Generative Modeling via Drifting (Deng, Li, Li, Du and He, 2026),
        https://arxiv.org/abs/2602.04770, algorithms 1 and 2, and appendix A.6

    Examples:
        >>> import iidgan
        >>> [player.trains for player in iidgan.Drifting().players]
        [('G',)]
    """

    temperatures: tuple[float, ...] = (0.02, 0.05, 0.2)
    """Widths of the kernels, as shares of the mean distance between samples; a field for each."""

    def __post_init__(self) -> None:
        if not self.temperatures:
            raise InputError("temperatures: must be one or more numbers, got none")
        for temperature in self.temperatures:
            checks.require_positive("temperatures", temperature)

    @property
    def players(self) -> tuple[Player, ...]:
        return (Player("G", self.loss_G, trains=("G",)),)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"G": factory.build_generator()}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the mean squared distance of samples to where they drift.

        Arguments:
            nets: G.
            batch: Real samples `x` and latents `z`.

        Raises:
            InputError: The batch has one sample alone.
        """
        if batch.z.shape[1] < 2:
            raise InputError("batch: must be >= 2 for drifting, got 1")
        return {"drift": drifting_loss(nets.G(batch.z), batch.x, self.temperatures)}
