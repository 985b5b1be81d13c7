"""All that changes in a run: networks, their average, optimisers, step, and who has diverged."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import torch
from torch import Tensor, nn

from iidgan.core import Arch, Method
from iidgan.engine.optim import Optimiser, Stepper
from iidgan.errors import InputError


@dataclass
class State:
    """The state of S seeds of one run.

    Arguments:
        nets: Networks by name; every parameter and buffer has the seed axis first.
        average: Exponential moving averages of `nets`, or None.
        optimisers: One per player, by the player's name.
        lr: Learning rates, 0-d tensors, by the pace of the players that share them.
        step: Steps taken.
        diverged: Step at which each seed's loss first was not finite, or -1; int64 (S,), CPU.
    """

    nets: nn.ModuleDict
    average: nn.ModuleDict | None
    optimisers: dict[str, Stepper]
    lr: dict[float, Tensor]
    step: int
    diverged: Tensor

    def set_rate(self, rate: float) -> None:
        """Writes the run's learning rate into those of the players, each times its pace."""
        for pace, lr in self.lr.items():
            lr.fill_(pace * rate)


def entropy(*numbers: int) -> int:
    """Mixes integers into a seed of 63 bits, so that near ones give unrelated streams."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def build(method: Method, arch: Arch, seeds: Sequence[int]) -> nn.ModuleDict:
    """Creates the networks of all seeds, each as if it were alone.

    Raises:
        InputError: A network's parameter has no seed axis.
    """
    with torch.random.fork_rng(devices=[]):
        alone = []
        for seed in seeds:
            torch.manual_seed(entropy(seed, 0))
            alone.append(nn.ModuleDict(method.networks(arch)))
    return _stack(alone)


def _stack(alone: list[nn.ModuleDict]) -> nn.ModuleDict:
    """Concatenates parameters and buffers along the seed axis."""
    stacked = copy.deepcopy(alone[0])
    for name, module in stacked.named_modules():
        twins = [nets.get_submodule(name) for nets in alone]
        for kind in ("_parameters", "_buffers"):
            for key, value in getattr(module, kind).items():
                if value is None:
                    continue
                if value.dim() == 0 or len(value) != 1:
                    raise InputError(
                        f"networks: {name}.{key} of shape {tuple(value.shape)} lacks the seed "
                        f"axis; build it with shape (1, ...), for example with iidgan.nn"
                    )
                joined = torch.cat([getattr(twin, kind)[key].detach() for twin in twins])
                getattr(module, kind)[key] = (
                    nn.Parameter(joined, value.requires_grad) if kind == "_parameters" else joined
                )
    return stacked


def parameters(nets: nn.ModuleDict, names: Sequence[str]) -> list[nn.Parameter]:
    return [parameter for name in names for parameter in nets[name].parameters()]


def init(
    method: Method,
    arch: Arch,
    optimiser: Optimiser,
    seeds: Sequence[int],
    *,
    ema: float = 0.0,
    device: torch.device | str = "cpu",
) -> State:
    """Creates the state before the first step.

    Arguments:
        method: Names the networks and the players.
        arch: Builds the networks.
        optimiser: One is built for each player.
        seeds: Each decides on its own initial weights, whatever its neighbours are.
        ema: Decay per step of the average of the weights; 0 keeps none.
        device: Where the tensors live.
    """
    nets = build(method, arch, seeds).to(device)
    paces = dict.fromkeys(player.pace for player in method.players)
    single = torch.float32 if torch.device(device).type == "cuda" else None  # as kernels there ask
    lr = {pace: torch.tensor(pace * optimiser.lr, dtype=single, device=device) for pace in paces}
    return State(
        nets=nets,
        average=copy.deepcopy(nets).requires_grad_(False) if ema else None,
        optimisers={
            player.name: optimiser.build(parameters(nets, player.trains), lr[player.pace])
            for player in method.players
        },
        lr=lr,
        step=0,
        diverged=torch.full((len(seeds),), -1),
    )


def tensors(state: State) -> dict[str, Tensor]:
    """Lists every tensor that a move changes, by name; the live ones, not copies."""
    found = {f"nets.{name}": value for name, value in state.nets.state_dict().items()}
    if state.average is not None:
        averages = state.average.state_dict()
        found |= {f"average.{name}": value for name, value in averages.items()}
    for player, optimiser in state.optimisers.items():
        for group in optimiser.param_groups:
            for index, parameter in enumerate(group["params"]):
                for key, value in optimiser.state[parameter].items():
                    found[f"optimiser.{player}.{index}.{key}"] = value
    return found


def places(sizes: Sequence[int]) -> list[slice]:
    """Says where each of several runs of seeds lies, laid end to end."""
    ends = [0, *accumulate(sizes)]
    return [slice(start, end) for start, end in pairwise(ends)]


def part(saved: Mapping[str, Tensor], place: slice) -> dict[str, Tensor]:
    """Takes the seeds at `place`; tensors without axes, such as counters, belong to all."""
    return {name: value[place] if value.dim() else value for name, value in saved.items()}


def joined(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Undoes `part`: puts states of one step side by side."""
    first = parts[0]
    return {
        name: torch.cat([other[name] for other in parts]) if value.dim() else value
        for name, value in first.items()
    }


def live(state: State) -> list[Tensor]:
    """Lists every tensor that a move reads or writes, the objects themselves."""
    modules = [nets for nets in (state.nets, state.average) if nets is not None]
    found = [value for nets in modules for value in (*nets.parameters(), *nets.buffers())]
    for optimiser in state.optimisers.values():
        found += [value for slots in optimiser.state.values() for value in slots.values()]
    return [*found, *state.lr.values()]


def restore(state: State, saved: dict[str, Tensor]) -> None:
    """Writes `saved` into the state's tensors, and creates the optimisers' where they lack.

    Raises:
        KeyError: A network's tensor is not in `saved`, or there is no such network.
        ValueError: A tensor has another shape.
    """
    there = tensors(state)
    for name in saved.keys() - there.keys():
        if not name.startswith("optimiser."):
            raise KeyError(name)
    for name in saved.keys() & there.keys():
        if saved[name].shape != there[name].shape:  # copying would broadcast
            shapes = f"{tuple(saved[name].shape)}, not {tuple(there[name].shape)}"
            raise ValueError(f"{name} has shape {shapes}")
    with torch.no_grad():
        for name, value in there.items():
            if name in saved:
                value.copy_(saved[name])
            elif name.startswith("optimiser."):
                value.zero_()  # born after `saved` was taken: as it was born
            else:
                raise KeyError(name)
    for player, optimiser in state.optimisers.items():
        for group in optimiser.param_groups:
            for index, parameter in enumerate(group["params"]):
                prefix = f"optimiser.{player}.{index}."
                for key in (k.removeprefix(prefix) for k in saved if k.startswith(prefix)):
                    if key not in optimiser.state[parameter]:
                        value = saved[prefix + key].to(parameter.device)
                        optimiser.state[parameter][key] = value.clone()


@contextmanager
def undone(state: State) -> Iterator[None]:
    """Undoes on leaving whatever moves have done to the state's tensors since."""
    before = {name: value.clone() for name, value in tensors(state).items()}
    try:
        yield
    finally:
        restore(state, before)
