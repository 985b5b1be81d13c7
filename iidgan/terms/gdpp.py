"""GDPP: make a generated batch as diverse as a real one, as measured by D's features."""

from __future__ import annotations

from dataclasses import dataclass

from iidgan.core import Batch, Losses, Nets, Reference, cites
from iidgan.functional import checks, diversity
from iidgan.terms.weighted import WeightedTerm

PAPER = Reference(
    title="GDPP: Learning Diverse Generations Using Determinantal Point Process",
    authors="Mohamed Elfeki, Camille Couprie, Morgane Rivière and Mohamed Elhoseiny",
    year=2019,
    url="https://arxiv.org/abs/1812.00068",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class GDPP(WeightedTerm):
    """Difference of the eigenvalues and eigenvectors of similarity matrices, for G.

    With the eigenpairs λ_j, v_j of the cosine similarities between the samples of a batch,
    computed from the last hidden layer of D, and w_j in [0, 1], the rescaled λ_j of the real
    batch, the loss of G is extended by

        w (m/B sum_j (λ_j(fake) - λ_j(real))² - sum_j w_j |⟨v_j(fake), v_j(real)⟩|)

    The eigenvectors have one entry per sample, so that the second part depends on how generated
    and real samples are paired; this is how the paper and its code define it. There the sign of an
    eigenvector is arbitrary; here the absolute value removes it, and eigenvectors of eigenvalues
    near 0, which are determined by rounding errors, are excluded.

    References:
        GDPP: Learning Diverse Generations Using Determinantal Point Process (Elfeki et al., 2019),
        https://arxiv.org/abs/1812.00068

    Examples:
        >>> import torch
        >>> D = torch.nn.Module()
        >>> D.features, D.head = torch.nn.Identity(), torch.nn.Linear(2, 1)  # features are x
        >>> nets = Nets({"D": D, "G": torch.nn.Identity()})
        >>> x = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])  # eigenvalues 0, 1, 2
        >>> fake = torch.tensor([[[1.0, 0.0]] * 3])  # collapsed: eigenvalues 0, 0, 3
        >>> GDPP(magnitude=1.0).compute_loss(nets, Batch(x=x, z=fake, u=torch.zeros(1, 3)))
        {'gdpp_magnitude': tensor([0.6667]), 'gdpp_structure': tensor([-0.8165])}
    """

    weight: float = 1.0
    """Weight of the term; the paper uses 1 for all data."""
    magnitude: float = 1e-4
    """Weight m of the eigenvalues, whose differences are large, relative to the eigenvectors."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.require_non_negative("magnitude", self.magnitude)

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        fake_features = nets.features("D", nets.G(batch.z))
        real_features = nets.features("D", batch.x)
        magnitude, structure = diversity.gdpp_losses(
            fake_features.flatten(2), real_features.flatten(2)
        )
        return {
            "gdpp_magnitude": self.weight * self.magnitude * magnitude,
            "gdpp_structure": self.weight * structure,
        }
