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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from iidgan.errors import InputError

Losses = dict[str, Tensor]
"""Named addends of a loss, each of shape (S,); their sum is minimised, their names are the log."""

Loss = Callable[["Nets", "Batch"], Losses]


@dataclass(frozen=True)
class Batch:
    """What a loss may read besides the networks; all of its randomness is here.

    Arguments:
        x: Real samples, with shape (S, B, *shape).
        z: Samples of the prior N(0, I), with shape (S, B, M).
        u: Spare uniform numbers in [0, 1), with shape (S, B).
        y: Labels of `x`, with shape (S, B), or None.
    """

    x: Tensor
    z: Tensor
    u: Tensor
    y: Tensor | None = None


class Nets(Mapping[str, nn.Module]):
    """Networks by name, callable as attributes: `nets.D(nets.G(batch.z))`.

    The same network on the same tensor is evaluated once: losses stay pure and self-contained,
    and yet G(z) serves both players and F(x) all terms. `moved` forgets what a network that has
    just moved had a part in.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self._modules = modules
        # (name, input ids) -> (inputs, output); the inputs are held so that their ids stay theirs.
        self._known: dict[tuple[object, ...], tuple[tuple[Tensor, ...], Tensor]] = {}
        self._lineage: dict[int, frozenset[str]] = {}

    def __getitem__(self, name: str) -> nn.Module:
        return self._modules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        if name.startswith("_") or name not in self._modules:
            raise AttributeError(f"no network {name!r}; there are {', '.join(self._modules)}")
        return lambda *inputs: self._call(name, *inputs)

    def _call(self, name: str, *inputs: Tensor) -> Tensor:
        key = (name, *map(id, inputs))
        if key not in self._known:
            output: Tensor = self._modules[name](*inputs)
            self._known[key] = (inputs, output)
            ancestors = (self._lineage.get(id(i), frozenset()) for i in inputs)
            self._lineage[id(output)] = frozenset({name}).union(*ancestors)
        return self._known[key][1]

    def moved(self, names: Iterable[str]) -> None:
        """Forgets every output that one of the networks `names` helped to compute."""
        gone = set(names)
        self._known = {
            key: (inputs, output)
            for key, (inputs, output) in self._known.items()
            if not gone & self._lineage[id(output)]
        }
        alive = {id(output) for _, output in self._known.values()}
        self._lineage = {i: names for i, names in self._lineage.items() if i in alive}


@runtime_checkable
class Refreshing(Protocol):
    """A module with state that changes between moves, never in a forward pass."""

    def refresh(self) -> None: ...


@runtime_checkable
class Standing(Protocol):
    """A layer that normalises by the batch in training and by standing statistics in sampling."""

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Computes the means of `x` and of its square that the layer normalises by."""
        ...

    def stand(self, mean: Tensor, square: Tensor) -> None:
        """Sets the standing statistics from averages of `moments`."""
        ...


class Backbone(ABC):
    """A family of networks; subclasses are frozen dataclasses, their fields its options.

    Every network is built with a seed axis of length one in its parameters and buffers.

    Attributes:
        latent: Dimension M of the prior.
    """

    latent: int

    @abstractmethod
    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        """Creates a map (S, B, M) -> (S, B, *shape)."""

    @abstractmethod
    def discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        """Creates a map (S, B, *shape) -> (S, B) of logits."""

    @abstractmethod
    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        """Creates a map (S, B, *shape) -> (S, B, M)."""

    @abstractmethod
    def latent_discriminator(self) -> nn.Module:
        """Creates a map (S, B, M) -> (S, B) of logits."""


@dataclass(frozen=True)
class Arch:
    """A backbone for data of one shape: what a method builds its networks with."""

    backbone: Backbone
    shape: tuple[int, ...]

    @property
    def latent(self) -> int:
        return self.backbone.latent

    def generator(self) -> nn.Module:
        return self.backbone.generator(self.shape)

    def discriminator(self) -> nn.Module:
        return self.backbone.discriminator(self.shape)

    def inverse(self) -> nn.Module:
        return self.backbone.inverse(self.shape)

    def latent_discriminator(self) -> nn.Module:
        return self.backbone.latent_discriminator()


@dataclass(frozen=True)
class Player:
    """Who moves, down which loss, and which networks that move trains.

    Arguments:
        name: Name of the player in the logs.
        loss: Pure function of networks and batch.
        trains: Networks that the move changes; all others are constants to it.
        repeat: Moves per step, each on a batch of its own.
    """

    name: str
    loss: Loss
    trains: tuple[str, ...]
    repeat: int = 1


class Method(ABC):
    """Named networks and the players that train them; subclasses are frozen dataclasses."""

    @property
    @abstractmethod
    def players(self) -> tuple[Player, ...]:
        """The players in the order in which they move."""

    @abstractmethod
    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        """Creates the networks; `G` generates, `F`, where there is one, inverts."""


class Term(ABC):
    """An addend to the loss of whoever trains certain networks; may bring networks and players.

    Attributes:
        brings: For each network that the term needs, the network whose player trains it, in case
            the method has no such network of its own.
    """

    brings: ClassVar[Mapping[str, str]] = {}

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


@dataclass(frozen=True)
class _Sum:
    """The loss whose addends are those of several losses; equal if these are equal."""

    losses: tuple[Loss, ...]

    def __call__(self, nets: Nets, batch: Batch) -> Losses:
        total: Losses = {}
        for loss in self.losses:
            addends = loss(nets, batch)
            if both := total.keys() & addends.keys():
                names = ", ".join(sorted(both))
                raise InputError(f"terms: two addends of one loss are named {names}")
            total |= addends
        return total


@dataclass(frozen=True, kw_only=True)
class Regularised(Method):
    """A method with terms added: again a method.

    Networks merge by name, the method's first: a method that owns an inverse shares its `F`.
    """

    method: Method
    terms: tuple[Term, ...]

    @property
    def players(self) -> tuple[Player, ...]:
        players = self.method.players
        for term in self.terms:
            players = (*_adopt(players, term.brings), *term.players)
        return tuple(self._with_addends(player) for player in players)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        made = self.method.networks(arch)
        for term in self.terms:
            made = term.networks(arch) | made
        return made

    def _with_addends(self, player: Player) -> Player:
        losses = [player.loss]
        for term in self.terms:
            addends = [term.addends[name] for name in player.trains if name in term.addends]
            losses += dict.fromkeys(addends)
        return replace(player, loss=_Sum(tuple(losses)))


def _adopt(players: tuple[Player, ...], brings: Mapping[str, str]) -> tuple[Player, ...]:
    """Lets the player of `host` train `name` too, for each `name -> host` that nobody trains."""
    for name, host in brings.items():
        if any(name in player.trains for player in players):
            continue
        if not any(host in player.trains for player in players):
            raise InputError(
                f"terms: network {name!r} is to move with {host!r}, which no player trains"
            )
        players = tuple(
            replace(player, trains=(*player.trains, name)) if host in player.trains else player
            for player in players
        )
    return players
