"""The base class of terms that add one weighted loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from iidgan.core import Batch, Losses, LossFn, Nets, Term
from iidgan.functional import checks


class WeightedTerm(Term):
    """A term with a single loss, proportional to `weight`; subclasses are frozen dataclasses.

    Attributes:
        target_networks: Networks to the losses of whose players the term is added.
        weight: Weight of the term, a field of the subclass.

    Examples:
        >>> from dataclasses import dataclass
        >>> import torch
        >>> @dataclass(frozen=True, kw_only=True)
        ... class MeanMatching(WeightedTerm):
        ...     weight: float = 1.0
        ...
        ...     def compute_loss(self, nets, batch):
        ...         difference = nets.G(batch.z).mean(1) - batch.x.mean(1)
        ...         return {"mean": self.weight * difference.square().sum(-1)}
        >>> batch = Batch(x=torch.ones(1, 8, 2), z=torch.zeros(1, 8, 2), u=torch.zeros(1, 8))
        >>> MeanMatching().losses["G"](Nets({"G": torch.nn.Identity()}), batch)
        {'mean': tensor([2.])}
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("weight",)
    target_networks: ClassVar[tuple[str, ...]] = ("G",)
    weight: float

    def __post_init__(self) -> None:
        checks.require_weight(self.weight)

    @property
    def losses(self) -> Mapping[str, LossFn]:
        return dict.fromkeys(self.target_networks, self.compute_loss)

    @abstractmethod
    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the named parts of the loss.

        Arguments:
            nets: Networks of the method and its terms.
            batch: Real samples, latents and noise.

        Returns:
            Losses of shape (S,) by name, with their weights.
        """
