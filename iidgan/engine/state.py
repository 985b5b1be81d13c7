"""The training state of several seeds: networks, their EMA, optimisers, step and divergence."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from iidgan.core import Method, NetworkFactory, Player
from iidgan.engine.freezing import freeze_first_layers
from iidgan.engine.optim import Optimiser, TorchOptimizer
from iidgan.errors import InputError


@dataclass
class State:
    """The training state of S seeds of one run.

    Arguments:
        nets: Networks by name; every parameter and buffer has the seed axis first.
        ema_nets: Exponential moving averages of `nets`, or None.
        optimisers: By the player's name, one optimiser for each set of networks that it updates
            equally often.
        learning_rates: 0-d tensors by their factor on the run's learning rate; optimisers of the
            same factor share one.
        step: Number of steps taken.
        diverged: Step of each seed's first non-finite loss, or -1; int64 (S,), on the CPU.
    """

    nets: nn.ModuleDict
    ema_nets: nn.ModuleDict | None
    optimisers: dict[str, tuple[TorchOptimizer, ...]]
    learning_rates: dict[float, Tensor]
    step: int
    diverged: Tensor

    def set_lr(self, base_lr: float) -> None:
        """Set every learning rate to `base_lr` times its factor.

        Arguments:
            base_lr: The run's learning rate.
        """
        for lr_scale, lr in self.learning_rates.items():
            lr.fill_(lr_scale * base_lr)


def derive_seed(*numbers: int) -> int:
    """Hash integers into a seed of 63 bits; similar integers give unrelated random streams.

    Arguments:
        *numbers: Non-negative integers, such as the seed of a run, a purpose and an index.

    Examples:
        >>> from iidgan.engine.state import derive_seed
        >>> derive_seed(0, 1) == derive_seed(0, 1), derive_seed(0, 1) == derive_seed(1, 0)
        (True, False)
    """
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def build_networks(method: Method, arch: NetworkFactory, seeds: Sequence[int]) -> nn.ModuleDict:
    """Create the networks of all seeds, each initialised independently of the other seeds.

    Arguments:
        method: Defines the networks.
        arch: Builds the networks.
        seeds: The S seeds.

    Returns:
        Networks by name, whose parameters and buffers have shape (S, ...).

    Raises:
        InputError: A parameter or buffer has no seed axis.

    Examples:
        >>> from iidgan import GAN, MLP
        >>> from iidgan.core import NetworkFactory
        >>> from iidgan.engine.state import build_networks
        >>> factory = NetworkFactory(MLP(latent=2, hidden=(16,)), shape=(2,))
        >>> nets = build_networks(GAN(), factory, seeds=[0, 1, 2])
        >>> nets["G"].body[0].weight.value.shape
        torch.Size([3, 2, 16])
    """
    with torch.random.fork_rng(devices=[]):
        nets_per_seed = []
        for seed in seeds:
            torch.manual_seed(derive_seed(seed, 0))
            nets_per_seed.append(nn.ModuleDict(method.networks(arch)))
    return _stack_networks(nets_per_seed)


def _stack_networks(nets_per_seed: list[nn.ModuleDict]) -> nn.ModuleDict:
    """Concatenate parameters and buffers along the seed axis; changes the first networks."""
    stacked_nets = nets_per_seed[0]
    for module_name, module in stacked_nets.named_modules():
        seed_modules = [nets.get_submodule(module_name) for nets in nets_per_seed]
        for registry in ("_parameters", "_buffers"):
            for key, value in getattr(module, registry).items():
                if value is None:
                    continue
                _check_seed_axis(f"{module_name}.{key}", value)
                values = [getattr(other, registry)[key].detach() for other in seed_modules]
                stacked = torch.cat(values)
                if registry == "_parameters":
                    stacked = nn.Parameter(stacked, value.requires_grad)
                getattr(module, registry)[key] = stacked
    return stacked_nets


def _check_seed_axis(tensor_name: str, value: Tensor) -> None:
    if value.dim() == 0 or len(value) != 1:
        raise InputError(
            f"networks: {tensor_name} must have shape (1, ...), with the seed axis first, "
            f"got {tuple(value.shape)}; layers of iidgan.nn have this axis"
        )


def collect_parameters(nets: nn.ModuleDict, names: Sequence[str]) -> list[nn.Parameter]:
    """List the parameters of the networks in `names` that are trained, in order.

    Arguments:
        nets: Networks by name.
        names: Names of some of them.
    """
    parameters = [parameter for name in names for parameter in nets[name].parameters()]
    return [parameter for parameter in parameters if parameter.requires_grad]


NO_FACTORS: Mapping[str, float] = MappingProxyType({})
"""The learning rate of every player is that of the method."""


def init_state(
    method: Method,
    arch: NetworkFactory,
    optimiser: Optimiser,
    seeds: Sequence[int],
    *,
    ema: float = 0.0,
    lr_factors: Mapping[str, float] = NO_FACTORS,
    freeze_d: int = 0,
    device: torch.device | str = "cpu",
) -> State:
    """Create the state before the first step.

    Arguments:
        method: Defines the networks and the players.
        arch: Builds the networks.
        optimiser: Options from which the optimiser of each player is built.
        seeds: Each determines its own initial weights, independently of the other seeds.
        ema: Decay per step of the moving average of the weights; 0 keeps no average.
        lr_factors: Factors of the learning rate by player, beside those of the method.
        freeze_d: Number of layers of D, from its input, that keep their weights.
        device: Device of the tensors.

    Returns:
        The state at step 0.

    Raises:
        InputError: D does not exist, or has no more layers than are to be frozen.
    """
    nets = build_networks(method, arch, seeds).to(device)
    if freeze_d:
        if "D" not in nets:
            raise InputError("freeze-d: the method has no D")
        freeze_first_layers(nets["D"], freeze_d)
    # Fused kernels on CUDA require a learning rate in float32.
    lr_dtype = torch.float32 if torch.device(device).type == "cuda" else None
    learning_rates: dict[float, Tensor] = {}

    def build_optimiser(player: Player, interval: float, names: Sequence[str]) -> TorchOptimizer:
        options = optimiser.at_interval(interval)
        factor = lr_factors.get(player.name, 1.0)
        lr_scale = factor * player.lr_scale * (options.lr / optimiser.lr)
        if lr_scale not in learning_rates:
            lr = lr_scale * optimiser.lr
            learning_rates[lr_scale] = torch.tensor(lr, dtype=lr_dtype, device=device)
        return options.build(collect_parameters(nets, names), learning_rates[lr_scale])

    optimisers = {
        player.name: tuple(
            build_optimiser(player, interval, names)
            for interval, names in _group_by_interval(method, player).items()
        )
        for player in method.players
    }
    return State(
        nets=nets,
        ema_nets=copy.deepcopy(nets).requires_grad_(False) if ema else None,
        optimisers=optimisers,
        learning_rates=learning_rates,
        step=0,
        diverged=torch.full((len(seeds),), -1),
    )


def _group_by_interval(method: Method, player: Player) -> dict[float, list[str]]:
    """Group the networks of a player by the mean number of steps from one update to the next."""
    trained_at = [
        {other.name: other.trains for other in method.players_at(step)}.get(player.name, ())
        for step in range(method.period)
    ]
    names_by_interval: dict[float, list[str]] = {}
    for name in player.trains:
        num_updates = sum(name in trained_names for trained_names in trained_at)
        names_by_interval.setdefault(method.period / num_updates, []).append(name)
    return names_by_interval


def named_tensors(state: State) -> dict[str, Tensor]:
    """Return every tensor that a step changes, by name; the tensors themselves, not copies.

    Arguments:
        state: The state of S seeds.

    Returns:
        Tensors as `nets.*`, `average.*` and `optimiser.PLAYER.*`.
    """
    tensors = {f"nets.{name}": value for name, value in state.nets.state_dict().items()}
    if state.ema_nets is not None:
        ema_tensors = state.ema_nets.state_dict()
        tensors |= {f"average.{name}": value for name, value in ema_tensors.items()}
    for prefix, slots in _optimiser_slots(state):
        tensors |= {prefix + key: value for key, value in slots.items()}
    return tensors


def _optimiser_slots(state: State) -> Iterator[tuple[str, dict[str, Any]]]:
    """Iterate over the optimisers' tensors of each parameter, with the prefix of their names."""
    for player_name, optimisers in state.optimisers.items():
        all_slots = [
            optimiser.state[parameter]
            for optimiser in optimisers
            for group in optimiser.param_groups
            for parameter in group["params"]
        ]
        for index, slots in enumerate(all_slots):
            yield f"optimiser.{player_name}.{index}.", slots


def seed_slices(seed_counts: Sequence[int]) -> list[slice]:
    """Return the slice of each group of seeds when the groups are concatenated.

    Arguments:
        seed_counts: Number of seeds of each group.

    Examples:
        >>> from iidgan.engine.state import seed_slices
        >>> seed_slices([2, 3])
        [slice(0, 2, None), slice(2, 5, None)]
    """
    boundaries = [0, *accumulate(seed_counts)]
    return [slice(start, end) for start, end in pairwise(boundaries)]


def select_seeds(tensors: Mapping[str, Tensor], seeds: slice) -> dict[str, Tensor]:
    """Select the seeds at positions `seeds`; 0-d tensors, such as counters, are shared by all.

    Arguments:
        tensors: Tensors by name, with the seed axis first.
        seeds: Positions of the seeds.

    Examples:
        >>> import torch
        >>> from iidgan.engine.state import select_seeds
        >>> tensors = {"weight": torch.tensor([1.0, 2.0, 3.0]), "step": torch.tensor(7)}
        >>> select_seeds(tensors, slice(0, 2))
        {'weight': tensor([1., 2.]), 'step': tensor(7)}
    """
    return {name: value[seeds] if value.dim() else value for name, value in tensors.items()}


def concat_seeds(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Concatenate named tensors of the same step along the seed axis; inverts `select_seeds`.

    Arguments:
        parts: Tensors by name of disjoint seeds, all with the same names.
    """
    return {
        name: torch.cat([part[name] for part in parts]) if value.dim() else value
        for name, value in parts[0].items()
    }


def state_tensors(state: State) -> list[Tensor]:
    """List every tensor that a step reads or writes; the tensors themselves, not copies.

    Arguments:
        state: The state of S seeds.
    """
    tensors: list[Tensor] = []
    for nets in (state.nets, state.ema_nets):
        if nets is not None:
            tensors += [*nets.parameters(), *nets.buffers()]
    for optimisers in state.optimisers.values():
        for optimiser in optimisers:
            tensors += [value for slots in optimiser.state.values() for value in slots.values()]
    return [*tensors, *state.learning_rates.values()]


def restore_state(state: State, saved: Mapping[str, Tensor]) -> None:
    """Copy `saved` into the state's tensors; missing optimiser tensors are created.

    Optimiser tensors that are not in `saved` did not exist yet, and are set to zero.

    Arguments:
        state: State to change in place.
        saved: Tensors by the names of `named_tensors`.

    Raises:
        KeyError: A network's tensor is missing from `saved`, or `saved` has an unknown one.
        ValueError: A tensor has another shape.
    """
    current = named_tensors(state)
    _check_names_and_shapes(current, saved)
    with torch.no_grad():
        for name, value in current.items():
            if name in saved:
                value.copy_(saved[name])
            else:
                value.zero_()
    for prefix, slots in _optimiser_slots(state):
        saved_keys = [name.removeprefix(prefix) for name in saved if name.startswith(prefix)]
        for key in saved_keys:
            if key not in slots:
                value = saved[prefix + key]
                slots[key] = value.to(next(state.nets.parameters()).device).clone()


def _check_names_and_shapes(current: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    for name in current.keys() ^ saved.keys():
        if not name.startswith("optimiser."):
            raise KeyError(name)
    for name in saved.keys() & current.keys():
        if saved[name].shape != current[name].shape:  # copying would broadcast
            shapes = f"{tuple(current[name].shape)}, got {tuple(saved[name].shape)}"
            raise ValueError(f"{name} must have shape {shapes}")


@contextmanager
def rollback(state: State) -> Iterator[None]:
    """Restore the state's tensors on exit, whatever steps were taken in between.

    Arguments:
        state: State to restore.
    """
    tensors_before = {name: value.clone() for name, value in named_tensors(state).items()}
    try:
        yield
    finally:
        restore_state(state, tensors_before)
