"""Gaussian consistency: the codes F(x) of a real batch should look like samples of N(0, I)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from torch import Tensor, nn

from iidgan.core import OMIT_IF_DEFAULT, Batch, Losses, Method, Nets, NetworkFactory, cites
from iidgan.core.references import IID_GAN
from iidgan.errors import InputError
from iidgan.functional import checks, gaussian
from iidgan.terms.weight_schedule import weight_schedule
from iidgan.terms.weighted import WeightedTerm

PAPER = replace(
    IID_GAN,
    note="The distance epps-pulley is SIGReg of LeJEPA (2025): iidgan cite sigreg",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class GaussianTerm(WeightedTerm):
    """Distance between the codes of real data and the prior, for the inverse F.

    With the mean μ and the covariance Σ of the codes F(x₁) ... F(x_n) of a batch, the loss of F is
    extended by

        w (‖μ‖_p + ‖Σ - I‖_p)

    or by another distance of these codes from N(0, I) (see `iidgan.functional.gaussian`). F is
    added if the method has none, and is trained by the player of G.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, section 4.3 and appendix A

    Examples:
        >>> import torch
        >>> x = torch.tensor([[[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]])
        >>> x = x + torch.tensor([3.0, 4.0])
        >>> nets = Nets({"F": torch.nn.Identity()})  # the codes are x: μ = (3, 4), Σ = I
        >>> batch = Batch(x=x, z=torch.zeros(1, 4, 2), u=torch.zeros(1, 4))
        >>> GaussianTerm(weight=10.0).compute_loss(nets, batch)
        {'gaussian': tensor([50.])}
    """

    owned_networks: ClassVar[Mapping[str, str]] = {"F": "G"}
    target_networks: ClassVar[tuple[str, ...]] = ("F",)

    weight: float = 10.0
    """Weight of the term."""
    distance: gaussian.Distance = "p-norm"
    """Name of the distance of a batch of codes from N(0, I)."""
    p: float = 2.0
    """Exponent of the p-norm."""
    root: bool = False
    """Whether w2 and w2-1d are the distance itself (InvertGAN) rather than its square."""
    eps: float | None = None
    """Shrinkage of kl, about 1e-3 if a batch has fewer codes than dimensions; None: minimal."""
    directions: int = 16
    """Number of random directions per step of a sliced distance (Epps-Pulley)."""
    growth: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Factor by which the weight is larger at the end of the run; it grows after a quarter of the
    run. Use the same as for the cycle term, so that codes stay close to the prior."""
    per_class: bool = field(default=False, metadata=OMIT_IF_DEFAULT)
    """Whether the codes of each class are compared with the prior, for conditional methods with
    uniform classes: latents are then independent of the class."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.require_positive("growth", self.growth)
        checks.require_gaussian_options(self.p, self.eps, self.directions)

    def check_fits(self, method: Method) -> None:
        if not self.per_class:
            return
        if method.conditioning is None or method.conditioning.classes != "uniform":
            raise InputError(
                "per_class: the codes of a class are for conditional methods with uniform "
                "classes, such as cgan; otherwise use per_class=False"
            )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"F": factory.build_inverse()}

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        # Normalised samples of the prior are uniform on the sphere.
        latents, _ = batch.split_code(batch.z)
        directions = latents[:, : self.directions]
        if self.distance == "epps-pulley" and directions.shape[1] < self.directions:
            batch_size = len(batch.z[0])
            raise InputError(
                f"directions: must be <= the batch size {batch_size}, got {self.directions}"
            )
        codes, _ = batch.split_code(nets.F(batch.x))
        if self.per_class:
            codes, directions = _group_by_class(codes, batch), directions[:, None]
        distance = gaussian.gaussian_distance(
            self.distance, codes, directions, p=self.p, root=self.root, eps=self.eps
        )
        if self.per_class:
            distance = distance.mean(1)
        return {"gaussian": self.weight * weight_schedule(self.growth, batch.t) * distance}


def _group_by_class(codes: Tensor, batch: Batch) -> Tensor:
    """Group codes by class, (S, B, M) -> (S, K, B // K, M), where classes take turns in a batch.

    Raises:
        InputError: There are fewer than two samples of each class.
    """
    assert batch.c is not None, "check_fits"
    batch_size, num_classes = batch.c.shape[1:]
    num_turns = batch_size // num_classes
    if num_turns < 2:
        raise InputError(
            f"batch: must be at least {2 * num_classes} for a Gaussian loss per class, two of "
            f"each of the {num_classes} classes, got {batch_size}"
        )
    turns = codes[:, : num_turns * num_classes].unflatten(1, (num_turns, num_classes))
    return turns.transpose(1, 2)
