"""Laws of a method: what its losses, its moves and its seeds do."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from iidgan.core import Arch, Batch, Loss, Losses, Method, Nets, Player
from iidgan.engine import checkpoint
from iidgan.engine.compile.capture import Compiled
from iidgan.engine.compile.inductor import generate_code
from iidgan.engine.state import tensors
from iidgan.testing import parts
from iidgan.testing.trial import ARCH, MOVES, SEEDS, Trial, float64, fresh, go, snapshot
from iidgan.testing.value import differing, is_a_value, name_of, require, survives_json


def check_method(method: Method, arch: Arch | None = None, *, compiled: bool = False) -> None:
    """Checks every law of a method.

    It is a value that survives JSON; its networks and players fit together; its losses are pure,
    finite, one per seed, and reach the networks that they train; seeds do not mix; shared forward
    passes and a resumption from a checkpoint change nothing.

    Arguments:
        method: What is checked.
        arch: Builds the networks; by default small perceptrons for vectors of two dimensions.
        compiled: Whether to check the compiled move too, which takes about half a minute.

    Raises:
        AssertionError: The method breaks a law.
        ValueError: Its parts do not fit together.
    """
    is_a_value(method)
    survives_json(method)
    trial = Trial(method, arch or ARCH)
    with float64():
        for law in _LAWS:
            law(trial)
    if compiled:
        check_compiled(method, arch)


def check_compiled(
    method: Method,
    arch: Arch | None = None,
    *,
    seeds: Sequence[int] = SEEDS,
    generate: bool = True,
) -> None:
    """Checks that five compiled moves do what eager ones do, to 1e-6.

    Arguments:
        method: What is checked.
        arch: Builds the networks; by default small perceptrons for vectors of two dimensions.
        seeds: Which train side by side.
        generate: Whether code is generated; without, the recorded move is carried out as it is,
            which takes seconds and shows all that a method can get wrong.

    Raises:
        AssertionError: The trajectories differ.
    """
    with float64():
        trial = Trial(method, arch or ARCH, tuple(seeds))
        generated = generate_code if generate else lambda graph, inputs: graph
        make = partial(Compiled.record, generate=generated)
        there = go(trial.start(), method, trial.batches(), make=make)
        odd = differing(there.values, trial.end.values, 1e-6)  # Adam enlarges rounding
    require(
        not odd,
        f"{name_of(method)}: compiled and eager moves differ in {odd}; write losses and layers in "
        "tensor operations, without a Python number or branch that changes from move to move",
    )


def _losses_are_pure(trial: Trial) -> None:
    state = trial.start()
    for player in trial.method.players:
        batch = trial.batch_of(player)
        who, before = f"player {player.name!r}", snapshot(state, batch)
        first = player.loss(fresh(state), batch)
        odd = differing(before, snapshot(state, batch))
        require(
            "rng" not in odd,
            f"{who}: the loss draws random numbers; take them from batch.z, batch.u or "
            "batch.noise, which are functions of seed and step",
        )
        require(
            not odd,
            f"{who}: the loss changes {odd}; compute out of place, and let modules change their "
            "state in `refresh` alone",
        )
        odd = differing(first, player.loss(fresh(state), batch))
        require(
            not odd,
            f"{who}: {odd} differ between two calls with the same networks and batch; let the "
            "loss depend on nothing else",
        )


def _losses_reach_what_they_train(trial: Trial) -> None:
    state = trial.start()
    for player in trial.method.players:
        losses = player.loss(fresh(state), trial.batch_of(player))
        total = torch.stack([value.sum() for value in losses.values()]).sum()
        for name in player.trains:
            gradients = _gradients(total, list(state.nets[name].parameters()))
            require(
                any(bool(gradient.any()) for gradient in gradients),
                f"player {player.name!r} trains {name!r}, but its loss has no gradient there; use "
                f"nets.{name} in it without detaching, or take it out of `trains`",
            )


def _gradients(total: Tensor, parameters: list[nn.Parameter]) -> list[Tensor]:
    wanted = [parameter for parameter in parameters if parameter.requires_grad]
    if not total.requires_grad:
        return []
    found = torch.autograd.grad(total, wanted, retain_graph=True, allow_unused=True)
    return [gradient for gradient in found if gradient is not None]


def _moves_change_what_they_train(trial: Trial) -> None:
    start, end = trial.start().nets, trial.end.state.nets
    trained = {net for player in trial.method.players for net in player.trains}
    for name in start:
        before, after = (dict(nets[name].named_parameters()) for nets in (start, end))
        changed = bool(differing(before, after))
        require(changed or name not in trained, f"moves do not change {name!r}, which is trained")
        require(name in trained or not changed, f"moves change {name!r}, which no player trains")


@dataclass(frozen=True)
class _Watched(Method):
    """A method whose losses compare shared forward passes with their own."""

    method: Method

    @property
    def players(self) -> tuple[Player, ...]:
        return tuple(replace(player, loss=_watch(player)) for player in self.method.players)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return self.method.networks(arch)


def _watch(player: Player) -> Loss:
    def loss(nets: Nets, batch: Batch) -> Losses:
        shared = player.loss(nets, batch)
        odd = differing(shared, player.loss(Nets(dict(nets)), batch))
        require(
            not odd,
            f"player {player.name!r}: {odd} differ when players share forward passes; never "
            "change a network's output in place, nor keep it for a later call",
        )
        return shared

    return loss


def _sharing_changes_nothing(trial: Trial) -> None:
    go(trial.start(), _Watched(trial.method), trial.batches())


def _seeds_train_as_if_alone(trial: Trial) -> None:
    for position, seed in enumerate(trial.seeds):
        beside = trial.end.at(slice(position, position + 1))
        odd = differing(beside, replace(trial, seeds=(seed,)).end.values, 1e-9)
        require(
            not odd,
            f"{name_of(trial.method)} mixes seeds: {odd} of seed {seed} depend on what is beside "
            f"it; {parts.REDUCE}, and let networks map each seed by itself",
        )


def _seeds_suffer_alone(trial: Trial) -> None:
    for factor, what in ((1.5, "moves elsewhere"), (math.nan, "is not finite")):
        state = trial.start()
        with torch.no_grad():
            for parameter in state.nets.parameters():
                parameter[0] *= factor
        spoilt = [[_spoil(batch, factor) for batch in batches] for batches in trial.batches()]
        others = go(state, trial.method, spoilt).at(slice(1, None))
        odd = differing(others, trial.end.at(slice(1, None)), 1e-12)
        require(
            not odd,
            f"{name_of(trial.method)} mixes seeds: when one {what}, {odd} of the others change; "
            f"{parts.REDUCE}, and let networks map each seed by itself",
        )


def _spoil(batch: Batch, factor: float) -> Batch:
    x, z = batch.x.clone(), batch.z.clone()
    x[0] *= factor
    z[0] *= factor
    return replace(batch, x=x, z=z)


def _resumes_exactly(trial: Trial) -> None:
    batches, first, second = trial.batches(), trial.start(), trial.start()
    go(first, trial.method, batches[: MOVES // 2])
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.load(checkpoint.save(Path(folder), first), second)
    go(second, trial.method, batches[MOVES // 2 :])
    odd = differing(tensors(second), tensors(trial.end.state))
    require(
        not odd,
        f"{name_of(trial.method)}: {odd} differ after a resumption from a checkpoint; register "
        "all that changes as parameters or buffers of a network, with the seed axis first",
    )


_LAWS: tuple[Callable[[Trial], None], ...] = (
    parts.networks_are_named,
    parts.players_fit,
    parts.networks_map_right,
    parts.losses_are_per_seed,
    _losses_are_pure,
    _losses_reach_what_they_train,
    _moves_change_what_they_train,
    _sharing_changes_nothing,
    _seeds_train_as_if_alone,
    _seeds_suffer_alone,
    _resumes_exactly,
)
