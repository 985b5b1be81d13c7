"""Contracts of a method's parts: networks, players, and the values of losses."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from iidgan.core import Nets, Player
from iidgan.testing.mini_run import MiniRun, without_cache
from iidgan.testing.value import class_name, require

REDUCE_ADVICE = (
    "reduce every axis except the first, for example with iidgan.functional.reduce.mean_per_seed"
)


def check_network_names(mini_run: MiniRun) -> None:
    """Check that there is a generator `G`, and that `nets.NAME` works for every network."""
    method_name = class_name(mini_run.method)
    networks = mini_run.method.networks(mini_run.factory)
    require("G" in networks, f"{method_name} has no network 'G'; name the generator 'G'")
    for net_name in networks:
        is_attribute = net_name.isidentifier() and not hasattr(Nets, net_name)
        require(
            is_attribute,
            f"{method_name}: {net_name!r} is not allowed as the name of a network; use an "
            "identifier that is not an attribute of Nets",
        )


def check_players(mini_run: MiniRun) -> None:
    """Check players one by one, that training never pauses, and that every network is trained."""
    method_name, players = class_name(mini_run.method), mini_run.method.players
    networks = mini_run.method.networks(mini_run.factory)
    require(bool(players), f"{method_name} has no player; return at least one from `players`")
    player_names = [player.name for player in players]
    require(
        len(set(player_names)) == len(player_names),
        f"{method_name}: player names must be unique, got {player_names}",
    )
    for player in players:
        _check_player(player, networks)
    _check_active_intervals(method_name, players)
    trained_nets = {net for player in players for net in player.trains}
    untrained_nets = [
        net for net in networks if net not in trained_nets and is_trainable(networks[net])
    ]
    require(
        not untrained_nets,
        f"{method_name}: no player trains {untrained_nets}; list them in `Player.trains` (for a "
        "term: in `owned_networks`), or freeze them with requires_grad_(False)",
    )


def _check_active_intervals(method_name: str, players: tuple[Player, ...]) -> None:
    interval_ends = (player.active[1] for player in players)
    for progress in (0.0, *interval_ends):
        is_anyone_active = any(
            player.active[0] <= progress < player.active[1] for player in players
        )
        require(
            is_anyone_active or progress == 1,
            f"{method_name}: no player is active at {100 * progress:g} % of training; check "
            "`Player.active`",
        )


def _check_player(player: Player, networks: Mapping[str, nn.Module]) -> None:
    prefix = f"player {player.name!r}"
    require(
        player.updates_per_step >= 1,
        f"{prefix}: updates_per_step must be >= 1, got {player.updates_per_step}",
    )
    require(
        player.batches_per_update >= 1,
        f"{prefix}: batches_per_update must be >= 1, got {player.batches_per_update}",
    )
    start, end = player.active
    require(
        0 <= start < end <= 1,
        f"{prefix}: active must be an interval [start, end) within [0, 1], got {player.active}",
    )
    is_unique = bool(player.trains) and len(set(player.trains)) == len(player.trains)
    require(
        is_unique,
        f"{prefix}: trains must name one or more networks, each once, got {player.trains}",
    )
    for net in player.trains:
        require(
            net in networks,
            f"{prefix} trains {net!r}, which the method does not have (available: "
            f"{', '.join(networks)}); create it in `networks`, or correct `trains`",
        )
        require(
            is_trainable(networks[net]),
            f"{prefix} trains {net!r}, which has no trainable parameter; remove it from `trains`",
        )


def is_trainable(net: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in net.parameters())


def check_network_shapes(mini_run: MiniRun) -> None:
    """Check the output shapes of `G` and `F`."""
    nets, batch = mini_run.init_state().nets, mini_run.draw_batches()[0][0]
    inputs_and_targets = {"G": (batch.z, batch.x, "generator"), "F": (batch.x, batch.z, "inverse")}
    for net_name, (inputs, target, builder_name) in inputs_and_targets.items():
        if net_name in nets:
            output_shape = tuple(nets[net_name](inputs).shape)
            target_shape = tuple(target.shape)
            require(
                output_shape == target_shape,
                f"network {net_name!r} maps {tuple(inputs.shape)} to {output_shape}, expected "
                f"{target_shape}; build it with arch.{builder_name}()",
            )


def check_losses_per_seed(mini_run: MiniRun) -> None:
    """Check that losses are dicts of named, finite tensors with one value per seed."""
    state = mini_run.init_state()
    for player in mini_run.method.players:
        prefix = f"player {player.name!r}"
        losses = player.loss(without_cache(state), mini_run.first_batch(player))
        is_named = isinstance(losses, dict) and bool(losses)
        require(is_named, f"{prefix}: the loss returns {losses!r}; return a dict of named tensors")
        for loss_name, value in losses.items():
            _check_loss(f"{prefix}: loss {loss_name!r}", loss_name, value, len(mini_run.seeds))


def _check_loss(prefix: str, loss_name: object, value: object, num_seeds: int) -> None:
    is_identifier = isinstance(loss_name, str) and loss_name.isidentifier()
    require(is_identifier, f"{prefix}: the name is not a Python identifier; rename it")
    got = f"has shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"is {value!r}"
    require(
        isinstance(value, Tensor) and value.shape == (num_seeds,),
        f"{prefix} {got}, expected shape ({num_seeds},), one value per seed; {REDUCE_ADVICE}",
    )
    require(
        isinstance(value, Tensor) and bool(value.isfinite().all()),
        f"{prefix} is not finite at the start ({value}); avoid logarithms, roots and quotients "
        "near 0",
    )
