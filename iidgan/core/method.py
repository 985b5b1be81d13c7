r"""The vocabulary: what a method is, and what its losses read.

A GAN method is a set of named networks and a few *players*. A player moves some of the networks
down the gradient of its own loss, a pure function of the networks and a batch. Every tensor
carries the seed axis first: S independent runs of one method train side by side, so a loss
returns one value per seed, and since no parameter is shared between seeds, the gradient of the
sum over seeds is the gradient of each.

A *term* is an addend to a player's loss. `Regularised(method, terms)` is a method again, so that
a term works on any method, and IID-GAN is a value rather than a class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from iidgan.core.backbone import Arch
from iidgan.core.batch import Batch
from iidgan.core.networks import Nets

Losses = dict[str, Tensor]
"""Named addends of a loss, each of shape (S,); their sum is minimised, their names are the log."""

Loss = Callable[[Nets, Batch], Losses]

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Player:
    """Who moves, down which loss, and which networks that move trains.

    Arguments:
        name: Name of the player in the logs.
        loss: Pure function of networks and batch.
        trains: Networks that the move changes; all others are constants to it.
        repeat: Moves per step, each on a batch of its own.
        batches: How many batches are joined to one for a move.
        during: The part [start, end) of the run, as shares, in which the player moves.
        pace: The player's learning rate, as a multiple of the run's.
    """

    name: str
    loss: Loss
    trains: tuple[str, ...]
    repeat: int = 1
    batches: int = 1
    during: tuple[float, float] = (0.0, 1.0)
    pace: float = 1.0


class Method(ABC):
    """Named networks and the players that train them; subclasses are frozen dataclasses.

    Attributes:
        strengths: Names of the fields that weigh parts of its losses against each other, which
            a tuning varies.
    """

    strengths: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def players(self) -> tuple[Player, ...]:
        """The players in the order in which they move."""

    @abstractmethod
    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        """Creates the networks; `G` generates, `F`, where there is one, inverts."""

    def noise(self, arch: Arch) -> Shapes:
        """Names the normal numbers that the losses need, with the shape for one sample each."""
        return {}

    @property
    def flat(self) -> tuple[Method, tuple[Term, ...]]:
        """The method without any term, and all terms: those of a regularised method first."""
        return self, ()


class Term(ABC):
    """An addend to the loss of whoever trains certain networks; may bring networks and players.

    Attributes:
        brings: For each network that the term needs, the network whose player trains it, in case
            the method has no such network of its own.
        strengths: Names of the fields that weigh its losses, which a tuning varies.
    """

    brings: ClassVar[Mapping[str, str]] = {}
    strengths: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def addends(self) -> Mapping[str, Loss]:
        """For each network that the term pulls on, the loss to add for its player.

        A player that trains several of them gets a loss that they share once.
        """

    @property
    def players(self) -> tuple[Player, ...]:
        """Players of the term's own."""
        return ()

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        """Creates what the term brings; a network of the same name in the method comes first."""
        return {}

    def noise(self, arch: Arch) -> Shapes:
        """Names the normal numbers that the term needs, with the shape for one sample each."""
        return {}

    def view(self, nets: Nets, batch: Batch) -> Nets:
        """Gives the networks as all losses are to see them, for example with noise before D."""
        return nets
