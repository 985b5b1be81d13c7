"""Laws of the parts: networks, players, and the values of losses."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from iidgan.core import Nets, Player
from iidgan.testing.trial import Trial, fresh
from iidgan.testing.value import name_of, require

REDUCE = "reduce everything but the first axis, for example with iidgan.functional.reduce.mean"


def networks_are_named(trial: Trial) -> None:
    name, nets = name_of(trial.method), trial.method.networks(trial.arch)
    require("G" in nets, f"{name} has no network 'G'; call the generator so, it is what is kept")
    for net in nets:
        callable_so = net.isidentifier() and not hasattr(Nets, net)
        require(callable_so, f"{name}: a network cannot be named {net!r}; losses call nets.NAME")


def players_fit(trial: Trial) -> None:
    name, players = name_of(trial.method), trial.method.players
    nets = trial.method.networks(trial.arch)
    require(bool(players), f"{name} has no player; let `players` give at least one")
    names = [player.name for player in players]
    require(len(set(names)) == len(names), f"{name}: players share a name: {names}; rename one")
    for player in players:
        _player_fits(player, nets)
    for share in (0.0, *(player.during[1] for player in players)):
        moves = any(player.during[0] <= share < player.during[1] for player in players)
        require(
            moves or share == 1,
            f"{name}: nobody moves when a share {share} of the run is done; mend the `during` of "
            "a player",
        )
    trained = {net for player in players for net in player.trains}
    idle = [net for net in nets if net not in trained and can_train(nets[net])]
    require(
        not idle,
        f"{name}: no player trains {idle}; name them in the `trains` of a player (a term: in "
        "`brings`), or freeze them on purpose with requires_grad_(False)",
    )


def _player_fits(player: Player, nets: Mapping[str, nn.Module]) -> None:
    who = f"player {player.name!r}"
    require(player.repeat >= 1, f"{who} repeats {player.repeat} times; let it move at least once")
    require(player.batches >= 1, f"{who} joins {player.batches} batches; let it read at least one")
    start, end = player.during
    part = 0 <= start < end <= 1
    require(part, f"{who} moves during {player.during}; give a part [start, end) of (0.0, 1.0)")
    unique = bool(player.trains) and len(set(player.trains)) == len(player.trains)
    require(unique, f"{who} trains {player.trains}; name one or more networks, each once")
    for net in player.trains:
        require(
            net in nets,
            f"{who} trains {net!r}, which the method does not have (there are {', '.join(nets)}); "
            "create it in `networks`, or correct `trains`",
        )
        require(
            can_train(nets[net]),
            f"{who} trains {net!r}, which has no parameter to train; take it out of `trains`",
        )


def can_train(net: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in net.parameters())


def networks_map_right(trial: Trial) -> None:
    nets, batch = trial.start().nets, trial.batches()[0][0]
    ends = {"G": (batch.z, batch.x, "generator"), "F": (batch.x, batch.z, "inverse")}
    for name, (inputs, target, maker) in ends.items():
        if name in nets:
            shape, right = tuple(nets[name](inputs).shape), tuple(target.shape)
            require(
                shape == right,
                f"network {name!r} maps {tuple(inputs.shape)} to {shape} rather than {right}; "
                f"build it with arch.{maker}()",
            )


def losses_are_per_seed(trial: Trial) -> None:
    state = trial.start()
    for player in trial.method.players:
        who, losses = f"player {player.name!r}", player.loss(fresh(state), trial.batch_of(player))
        named = isinstance(losses, dict) and bool(losses)
        require(named, f"{who}: the loss gives {losses!r}; return a dict of named tensors")
        for name, value in losses.items():
            _is_a_loss(f"{who}: loss {name!r}", name, value, len(trial.seeds))


def _is_a_loss(what: str, name: object, value: object, seeds: int) -> None:
    named = isinstance(name, str) and name.isidentifier()
    require(named, f"{what} has no proper name; use a Python identifier")
    found = f"has shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"is {value!r}"
    require(
        isinstance(value, Tensor) and value.shape == (seeds,),
        f"{what} {found} rather than ({seeds},), one value per seed; {REDUCE}",
    )
    require(
        isinstance(value, Tensor) and bool(value.isfinite().all()),
        f"{what} is not finite at the start ({value}); keep logarithms, roots and quotients away "
        "from 0",
    )
