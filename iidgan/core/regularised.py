"""A method with terms added is a method again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import nn

from iidgan.core.backbone import Arch
from iidgan.core.batch import Batch
from iidgan.core.method import Loss, Losses, Method, Player, Shapes, Term
from iidgan.core.networks import Nets
from iidgan.errors import InputError


@dataclass(frozen=True)
class _Sum:
    """The loss whose addends are those of several losses, all seen through the terms' views."""

    losses: tuple[Loss, ...]
    terms: tuple[Term, ...]

    def __call__(self, nets: Nets, batch: Batch) -> Losses:
        for term in self.terms:
            nets = term.view(nets, batch)
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
    def flat(self) -> tuple[Method, tuple[Term, ...]]:
        base, terms = self.method.flat
        return base, (*terms, *self.terms)

    @property
    def players(self) -> tuple[Player, ...]:
        base, terms = self.flat
        players = base.players
        for term in terms:
            players = (*_adopt(players, term.brings), *term.players)
        names = [player.name for player in players]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"terms: two players are named {', '.join(twice)}")
        trained = {net for player in players for net in player.trains}
        if idle := sorted({net for term in terms for net in term.addends} - trained):
            raise InputError(
                f"terms: a loss is to be added for who trains {idle[0]!r}, which no player does; "
                f"trained are {', '.join(sorted(trained))}"
            )
        return tuple(_with_addends(player, terms) for player in players)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        base, terms = self.flat
        made = base.networks(arch)
        for term in terms:
            made = term.networks(arch) | made
        return made

    def noise(self, arch: Arch) -> Shapes:
        base, terms = self.flat
        found = dict(base.noise(arch))
        for term in terms:
            for name, shape in term.noise(arch).items():
                if found.setdefault(name, shape) != shape:
                    raise InputError(f"terms: two kinds of noise are named {name!r}")
        return found


def _with_addends(player: Player, terms: tuple[Term, ...]) -> Player:
    losses = [player.loss]
    for term in terms:
        addends = [term.addends[name] for name in player.trains if name in term.addends]
        losses += dict.fromkeys(addends)
    return replace(player, loss=_Sum(tuple(losses), terms))


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
