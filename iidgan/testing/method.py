"""Contracts of a method: how its losses, its training steps and its seeds behave."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from iidgan.core import Batch, Losses, LossFn, Method, Nets, NetworkFactory, Player
from iidgan.engine import checkpoint
from iidgan.engine.compile import CompiledStep, compile_graph
from iidgan.engine.state import named_tensors
from iidgan.testing import parts
from iidgan.testing.mini_run import (
    ARCH,
    NUM_STEPS,
    SEEDS,
    MiniRun,
    copy_mutable,
    float64_default,
    run_steps,
    without_cache,
)
from iidgan.testing.value import (
    class_name,
    differing_names,
    require,
    require_json_roundtrip,
    require_value,
)


def check_method(
    method: Method, arch: NetworkFactory | None = None, *, compiled: bool = False
) -> None:
    """Check every contract of a method.

    It is a value that survives JSON; its networks and players fit together; its losses are pure,
    finite, one per seed, and have gradients in the networks that they train; seeds do not mix;
    shared forward passes and resuming from a checkpoint change nothing. It takes about a second.

    Arguments:
        method: The method to check.
        arch: Builds the networks; by default small MLPs for vectors of two dimensions.
        compiled: Whether to check the compiled step too, which takes about half a minute.

    Raises:
        AssertionError: The method violates a contract.
        ValueError: Its parts do not fit together.

    Examples:
        >>> import iidgan
        >>> check_method(iidgan.GAN)
        Traceback (most recent call last):
        ...
        AssertionError: method: must be a Method, got <class 'iidgan.methods.gan.GAN'>; call it
    """
    require_value(method, Method)
    require_json_roundtrip("method", method)
    mini_run = MiniRun(method, arch or ARCH)
    with float64_default():
        for check_contract in _CONTRACTS:
            check_contract(mini_run)
    if compiled:
        check_compiled(method, arch)


def check_compiled(
    method: Method,
    arch: NetworkFactory | None = None,
    *,
    seeds: Sequence[int] = SEEDS,
    generate: bool = True,
) -> None:
    """Check that three compiled steps equal eager ones up to 1e-6.

    Arguments:
        method: The method to check.
        arch: Builds the networks; by default small MLPs for vectors of two dimensions.
        seeds: Seeds that train side by side.
        generate: Whether to generate code; without, the captured graph is interpreted, which
            takes seconds and finds every mistake that a method can make.

    Raises:
        AssertionError: The trajectories differ.
    """
    with float64_default():
        mini_run = MiniRun(method, arch or ARCH, tuple(seeds))
        code_generator = compile_graph if generate else lambda graph, inputs: graph
        make_step = partial(CompiledStep.capture, graph_compiler=code_generator)
        compiled_end = run_steps(
            mini_run.init_state(), method, mini_run.draw_batches(), make=make_step
        )
        odd_names = differing_names(
            compiled_end.values, mini_run.trajectory.values, 1e-6
        )  # Adam amplifies rounding errors
    require(
        not odd_names,
        f"{class_name(method)}: compiled and eager steps differ in {odd_names}; write losses and "
        "layers in tensor operations, without Python numbers or branches that change from step to "
        "step",
    )


def _check_losses_pure(mini_run: MiniRun) -> None:
    state = mini_run.init_state()
    for player in mini_run.method.players:
        batch = mini_run.first_batch(player)
        prefix, tensors_before = f"player {player.name!r}", copy_mutable(state, batch)
        first_losses = player.loss(without_cache(state), batch)
        odd_names = differing_names(tensors_before, copy_mutable(state, batch))
        require(
            "rng" not in odd_names,
            f"{prefix}: the loss draws random numbers; take them from batch.z, batch.u or "
            "batch.noise, which are functions of seed and step",
        )
        require(
            not odd_names,
            f"{prefix}: the loss changes {odd_names}; compute out of place, and update the state "
            "of modules only in `post_update`",
        )
        odd_names = differing_names(first_losses, player.loss(without_cache(state), batch))
        require(
            not odd_names,
            f"{prefix}: {odd_names} differ between two calls with the same networks and batch; "
            "the loss must depend on these alone",
        )


def _check_loss_gradients(mini_run: MiniRun) -> None:
    state = mini_run.init_state()
    for player in mini_run.method.players:
        losses = player.loss(without_cache(state), mini_run.first_batch(player))
        total_loss = torch.stack([value.sum() for value in losses.values()]).sum()
        for net_name in player.trains:
            gradients = _compute_gradients(total_loss, list(state.nets[net_name].parameters()))
            require(
                any(bool(gradient.any()) for gradient in gradients),
                f"player {player.name!r} trains {net_name!r}, but its loss has no gradient there; "
                f"use nets.{net_name} in it without detaching, or remove it from `trains`",
            )


def _compute_gradients(total_loss: Tensor, parameters: list[nn.Parameter]) -> list[Tensor]:
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    if not total_loss.requires_grad:
        return []
    gradients = torch.autograd.grad(total_loss, trainable, retain_graph=True, allow_unused=True)
    return [gradient for gradient in gradients if gradient is not None]


def _check_trained_networks(mini_run: MiniRun) -> None:
    """Check that the steps change the networks that players train, and no other."""
    nets_before, nets_after = mini_run.initial_state.nets, mini_run.trajectory.state.nets
    trained_nets = {net for player in mini_run.method.players for net in player.trains}
    for net_name in nets_before:
        weights_before, weights_after = (
            dict(nets[net_name].named_parameters()) for nets in (nets_before, nets_after)
        )
        is_changed = bool(differing_names(weights_before, weights_after))
        is_trained = net_name in trained_nets
        require(is_changed or not is_trained, f"{net_name!r} is trained, but no step changes it")
        require(
            is_trained or not is_changed, f"steps change {net_name!r}, but no player trains it"
        )


@dataclass(frozen=True)
class _CacheCheckedMethod(Method):
    """A method whose losses compare shared forward passes with separate ones."""

    method: Method

    @property
    def players(self) -> tuple[Player, ...]:
        return tuple(replace(p, loss=_compare_with_uncached(p)) for p in self.method.players)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return self.method.networks(factory)


def _compare_with_uncached(player: Player) -> LossFn:
    def loss(nets: Nets, batch: Batch) -> Losses:
        shared_losses = player.loss(nets, batch)
        odd_names = differing_names(shared_losses, player.loss(nets.with_own_cache(), batch))
        require(
            not odd_names,
            f"player {player.name!r}: {odd_names} differ when players share forward passes; do "
            "not change the output of a network in place or keep it for a later call",
        )
        return shared_losses

    return loss


def _check_shared_forward_passes(mini_run: MiniRun) -> None:
    run_steps(mini_run.init_state(), _CacheCheckedMethod(mini_run.method), mini_run.draw_batches())


def _check_seeds_independent(mini_run: MiniRun) -> None:
    """Check that a seed trains among others as it does alone."""
    for position, seed in enumerate(mini_run.seeds):
        joint_values = mini_run.trajectory.select_seeds(slice(position, position + 1))
        single_values = replace(mini_run, seeds=(seed,)).train_initial_state().values
        odd_names = differing_names(joint_values, single_values, 1e-9)
        require(
            not odd_names,
            f"{class_name(mini_run.method)} mixes seeds: {odd_names} of seed {seed} depend on the "
            f"other seeds; {parts.REDUCE_ADVICE}, and map each seed separately in networks",
        )


def _check_seed_failures_isolated(mini_run: MiniRun) -> None:
    """Check that a seed that is perturbed or not finite leaves the others unchanged."""
    for factor, condition in ((1.5, "is perturbed"), (math.nan, "is not finite")):
        state = mini_run.init_state()
        with torch.no_grad():
            for parameter in state.nets.parameters():
                parameter[0] *= factor
        perturbed_batches = [
            [_perturb_first_seed(batch, factor) for batch in step_batches]
            for step_batches in mini_run.draw_batches()
        ]
        other_seeds = slice(1, None)
        perturbed_end = run_steps(state, mini_run.method, perturbed_batches)
        odd_names = differing_names(
            perturbed_end.select_seeds(other_seeds),
            mini_run.trajectory.select_seeds(other_seeds),
            1e-12,
        )
        require(
            not odd_names,
            f"{class_name(mini_run.method)} mixes seeds: when one {condition}, {odd_names} of the "
            f"others change; {parts.REDUCE_ADVICE}, and map each seed separately in networks",
        )


def _perturb_first_seed(batch: Batch, factor: float) -> Batch:
    x, z = batch.x.clone(), batch.z.clone()
    x[0] *= factor
    z[0] *= factor
    return replace(batch, x=x, z=z)


def _check_resume(mini_run: MiniRun) -> None:
    """Check that training through a checkpoint equals training in one go."""
    batches = mini_run.draw_batches()
    saved_state, loaded_state = mini_run.init_state(), mini_run.init_state()
    half = NUM_STEPS // 2
    run_steps(saved_state, mini_run.method, batches[:half])
    with tempfile.TemporaryDirectory() as folder:
        identity = checkpoint.RunIdentity("mini-run", mini_run.seeds)
        checkpoint.save_state(Path(folder), saved_state, identity=identity)
        files = checkpoint.find_latest(Path(folder), identity).files
        checkpoint.load_state(loaded_state, mini_run.seeds, files)
    run_steps(loaded_state, mini_run.method, batches[half:])
    odd_names = differing_names(
        named_tensors(loaded_state), named_tensors(mini_run.trajectory.state)
    )
    require(
        not odd_names,
        f"{class_name(mini_run.method)}: {odd_names} differ after resuming from a checkpoint; "
        "register everything that changes as parameters or buffers of a network, with the seed "
        "axis first",
    )


_CONTRACTS: tuple[Callable[[MiniRun], None], ...] = (
    parts.check_network_names,
    parts.check_players,
    parts.check_network_shapes,
    parts.check_losses_per_seed,
    _check_losses_pure,
    _check_loss_gradients,
    _check_trained_networks,
    _check_shared_forward_passes,
    _check_seeds_independent,
    _check_seed_failures_isolated,
    _check_resume,
)
