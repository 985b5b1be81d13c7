"""SIGReg: the Gaussian loss of LeJEPA, which is the distance `epps-pulley`."""

from __future__ import annotations

from iidgan.core import Reference, cites
from iidgan.terms.gaussian import GaussianTerm

PAPER = Reference(
    title="LeJEPA: Provable and Scalable Self-Supervised Learning Without the Heuristics",
    authors="Randall Balestriero and Yann LeCun",
    year=2025,
    url="https://arxiv.org/abs/2511.08544",
    note="The statistic is that of Epps and Pulley (1983); IID-GAN pulls codes of data to N(0, I) "
    "since 2021 (https://arxiv.org/abs/2106.00563)",
)


@cites(PAPER)
def sigreg() -> GaussianTerm:
    """SIGReg of LeJEPA: another name of the Gaussian loss with the distance `epps-pulley`.

    For n codes F(x_j), directions a of length 1, of which a step has K random ones, and
    y_j = ⟨F(x_j), a⟩, sketched isotropic Gaussian regularisation is

        n / K sum_a ∫ |1/n sum_j e^(i t y_j) - e^(-t²/2)|² e^(-t²/2) dt

    with the integral over [-5, 5] on 17 nodes. `iidgan.functional.gaussian.epps_pulley` is the
    same but for the factor n √(2π), which the weight absorbs, and for the interval and the nodes,
    which change the integral by 1e-4 of it or less, and by 1 % where values y_j are 10 apart.
    LeJEPA regularises the embeddings of images by it, beside a loss of prediction; here it is
    added to the loss of the inverse F, as IID-GAN's other distances are.

    The name stands for a `GaussianTerm`, so that a run with it has the id of one with
    `--gaussian.distance epps-pulley`, and its options are those of that term. Weight and number of
    directions (LeJEPA has 256) are those of this library.

    References:
        * LeJEPA: Provable and Scalable Self-Supervised Learning Without the Heuristics
          (Balestriero and LeCun, 2025), https://arxiv.org/abs/2511.08544, for the loss and its
          nodes
        * A test for normality based on the empirical characteristic function (Epps and Pulley,
          1983), https://doi.org/10.1093/biomet/70.3.723

    Examples:
        >>> import iidgan
        >>> iidgan.sigreg() == iidgan.GaussianTerm(distance="epps-pulley")
        True
    """
    return GaussianTerm(distance="epps-pulley")
