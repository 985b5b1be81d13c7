"""A method with added terms, which is a method again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from torch import nn

from iidgan.core.backbone import NetworkFactory
from iidgan.core.batch import Batch
from iidgan.core.conditioning import Conditioning
from iidgan.core.method import Losses, LossFn, Method, NoiseShapes, Player, Term
from iidgan.core.networks import Nets
from iidgan.errors import InputError


@dataclass(frozen=True)
class _LazyLoss:
    """A loss that enters every k-th step: its gradient counts k times, its value once."""

    loss: LossFn
    every: int

    def __call__(self, nets: Nets, batch: Batch) -> Losses:
        return {
            name: value + (self.every - 1) * (value - value.detach())
            for name, value in self.loss(nets, batch).items()
        }


@dataclass(frozen=True)
class _GeneratorLoss:
    """The method's own loss for G, computed on the batch as wrapped by the terms."""

    loss: LossFn
    terms: tuple[Term, ...]

    def __call__(self, nets: Nets, batch: Batch) -> Losses:
        for term in self.terms:
            batch = term.wrap_batch(nets, batch)
        return self.loss(nets, batch)


@dataclass(frozen=True)
class _SummedLoss:
    """The sum of several losses, computed on the networks as wrapped by method and terms."""

    losses: tuple[LossFn, ...]
    wrapping: tuple[Method | Term, ...]

    def __call__(self, nets: Nets, batch: Batch) -> Losses:
        for part in self.wrapping:
            nets = part.wrap_networks(nets, batch)
        summed: Losses = {}
        for loss in self.losses:
            added = loss(nets, batch)
            if duplicate_names := summed.keys() & added.keys():
                raise InputError(
                    "terms: the losses of one player must have unique names, got twice: "
                    f"{', '.join(sorted(duplicate_names))}"
                )
            summed |= added
        return summed


@dataclass(frozen=True, kw_only=True)
class Regularised(Method):
    """A method with added terms, which is a method again.

    Networks are merged by name, and the method's take precedence: a method with an inverse shares
    its `F` with the terms. `players` raises an `InputError` if a term does not fit the method.

    Arguments:
        method: The method; it may be one with terms.
        terms: Terms to add to it.

    Examples:
        >>> import iidgan
        >>> method = Regularised(method=iidgan.GAN(), terms=(iidgan.CycleTerm(), iidgan.R1()))
        >>> {player.name: player.trains for player in method.players}  # the cycle adds F
        {'D': ('D',), 'G': ('G', 'F')}
        >>> base, terms = method.base_and_terms
        >>> base
        GAN(loss='non-saturating')
    """

    method: Method
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        for term in self.terms:
            if term.every < 1:
                raise InputError(f"every: must be a number of steps >= 1, got {term.every}")
            if term.every > 1 and not term.losses and not term.players:
                raise InputError(
                    f"every: must be 1 for {type(term).__name__}, which changes networks and adds "
                    f"no loss, got {term.every}"
                )

    @property
    def base_and_terms(self) -> tuple[Method, tuple[Term, ...]]:
        base, inner_terms = self.method.base_and_terms
        return base, (*inner_terms, *self.terms)

    @property
    def players(self) -> tuple[Player, ...]:
        base, terms = self.base_and_terms
        for term in terms:
            term.check_fits(base)
        players = self.players_at(0)
        if duplicate_names := _find_duplicates(player.name for player in players):
            raise InputError(
                "terms: players must have unique names, got twice: " + ", ".join(duplicate_names)
            )
        trained_names = {name for player in players for name in player.trains}
        loss_names = {name for term in terms for name in term.losses}
        if untrained_names := sorted(loss_names - trained_names):
            raise InputError(
                f"terms: a term adds a loss for network {untrained_names[0]!r}, but no player "
                f"trains it; trained networks: {', '.join(sorted(trained_names))}"
            )
        return players

    @property
    def period(self) -> int:
        base, terms = self.base_and_terms
        return math.lcm(base.period, *(term.every for term in terms))

    def players_at(self, step: int) -> tuple[Player, ...]:
        base, terms = self.base_and_terms
        due_terms = tuple(term for term in terms if _is_due(term, step))
        fed_names = {name for term in due_terms for name in (*term.owned_networks, *term.losses)}
        players = base.players_at(step)
        for term in terms:
            owned_networks = {
                name: host for name, host in term.owned_networks.items() if name in fed_names
            }
            players = _assign_owned_networks(players, owned_networks)
            if _is_due(term, step):
                players += tuple(
                    replace(player, loss=_scale_loss(player.loss, term)) for player in term.players
                )
        wrapping: tuple[Method | Term, ...] = (base, *terms)
        return tuple(
            _add_post_updates(_add_term_losses(player, due_terms, wrapping), terms)
            for player in players
        )

    @property
    def has_centred_logits(self) -> bool:
        return self.method.has_centred_logits

    @property
    def conditioning(self) -> Conditioning | None:
        return self.method.conditioning

    def adapt_factory(self, factory: NetworkFactory) -> NetworkFactory:
        return self.method.adapt_factory(factory)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        base, terms = self.base_and_terms
        factory = base.adapt_factory(factory)
        networks = base.networks(factory)
        for term in terms:
            networks = term.networks(factory) | networks
        return networks

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        base, terms = self.base_and_terms
        noise_shapes = dict(base.noise_shapes(factory))
        for term in terms:
            for name, shape in term.noise_shapes(factory).items():
                if noise_shapes.setdefault(name, shape) != shape:
                    raise InputError(
                        f"terms: noise {name!r} must have one shape, got {noise_shapes[name]} and "
                        f"{shape}; rename one of them"
                    )
        return noise_shapes


def _find_duplicates(names: Iterable[str]) -> list[str]:
    name_list = list(names)
    return sorted({name for name in name_list if name_list.count(name) > 1})


def _is_due(term: Term, step: int) -> bool:
    return step % term.every == 0


def _scale_loss(loss: LossFn, term: Term) -> LossFn:
    return loss if term.every == 1 else _LazyLoss(loss, term.every)


def _add_term_losses(
    player: Player, terms: tuple[Term, ...], wrapping: tuple[Method | Term, ...]
) -> Player:
    """Add the losses that the terms list for the networks of `player`, each of them once."""
    own_loss = _GeneratorLoss(player.loss, terms) if "G" in player.trains else player.loss
    losses = [own_loss]
    for term in terms:
        term_losses = [
            _scale_loss(term.losses[name], term) for name in player.trains if name in term.losses
        ]
        losses += dict.fromkeys(term_losses)
    return replace(player, loss=_SummedLoss(tuple(losses), wrapping))


def _add_post_updates(player: Player, terms: tuple[Term, ...]) -> Player:
    """Add what the terms do after updates of the networks of `player`."""
    added = tuple(
        update
        for term in terms
        for name, update in term.post_updates.items()
        if name in player.trains
    )
    return replace(player, post_updates=(*player.post_updates, *added))


def _assign_owned_networks(
    players: tuple[Player, ...], owned_networks: Mapping[str, str]
) -> tuple[Player, ...]:
    """Let the player of `host` train `name` too, for each `name -> host` that has no player."""
    for name, host in owned_networks.items():
        if any(name in player.trains for player in players):
            continue
        if not any(host in player.trains for player in players):
            raise InputError(
                f"terms: network {name!r} is trained together with {host!r}, but no player trains "
                f"{host!r}"
            )
        players = tuple(
            replace(player, trains=(*player.trains, name)) if host in player.trains else player
            for player in players
        )
    return players
