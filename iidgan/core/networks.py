"""Networks as a loss sees them, and what a network may offer besides its map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeGuard, runtime_checkable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from iidgan.core.batch import Batch
from iidgan.errors import InputError

Change = Callable[[Tensor], Tensor]


class Nets(Mapping[str, nn.Module]):
    """Networks by name, callable as attributes: `nets.D(nets.G(batch.z))`.

    The same network on the same tensor is evaluated once: losses stay pure and self-contained,
    and yet G(z) serves both players and F(x) all terms. `moved` forgets what a network that has
    just moved had a part in.

    Arguments:
        modules: The networks.
        half: Whether they compute in bfloat16, where autocast does; what they give has the dtype
            of what they get all the same, so that losses keep their digits.
    """

    def __init__(self, modules: Mapping[str, nn.Module], *, half: bool = False) -> None:
        self._modules, self._half = modules, half
        # (name, input ids) -> (inputs, output); the inputs are held so that their ids stay theirs.
        self._known: dict[tuple[object, ...], tuple[tuple[Tensor, ...], Tensor]] = {}
        self._lineage: dict[int, frozenset[str]] = {}
        self._before: dict[str, tuple[Change, ...]] = {}
        self._after: dict[str, tuple[Change, ...]] = {}

    def __getitem__(self, name: str) -> nn.Module:
        if name not in self._modules:
            raise KeyError(self._lack(name))
        return self._modules[name]

    def _lack(self, name: str) -> str:
        return f"no network {name!r}; there are {', '.join(self._modules)}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        if name.startswith("_") or name not in self._modules:
            raise AttributeError(self._lack(name))
        return lambda *inputs: self._call(name, *inputs)

    def features(self, name: str, x: Tensor) -> Tensor:
        """Computes the last hidden layer of network `name`, which it shares with its output.

        Raises:
            InputError: The network has none to show.
        """
        module = self[name]
        if not _is_headed(module):
            kind = type(module).__name__
            raise InputError(f"method: network {name!r} ({kind}) has no last hidden layer to read")
        return self._recall((name, "features"), (x,), lambda: module.features(self._seen(name, x)))

    def seeing(self, name: str, change: Change) -> Nets:
        """Gives a view in which the first input of network `name` is changed before it enters.

        The memory is shared: within one move all losses have to look through the same changes.
        """
        view = self._shared()
        view._before = self._before | {name: (*self._before.get(name, ()), change)}
        return view

    def saying(self, name: str, change: Change) -> Nets:
        """Gives a view in which the output of network `name` is changed; memory as in `seeing`."""
        view = self._shared()
        view._after = self._after | {name: (*self._after.get(name, ()), change)}
        return view

    def _shared(self) -> Nets:
        view = Nets(self._modules, half=self._half)
        view._known, view._lineage = self._known, self._lineage
        view._before, view._after = self._before, self._after
        return view

    def holding(self, name: str, parameters: Mapping[str, Tensor]) -> Nets:
        """Gives a view, with a memory of its own, in which network `name` has other parameters."""
        held = _Held(self._modules[name], parameters)
        view = Nets({**self._modules, name: held}, half=self._half)
        view._before, view._after = self._before, self._after
        return view

    def moved(self, names: Iterable[str]) -> None:
        """Forgets every output that one of the networks `names` helped to compute."""
        gone = set(names)
        for key, (_, output) in list(self._known.items()):
            if gone & self._lineage[id(output)]:
                del self._known[key]
        alive = {id(output) for _, output in self._known.values()}
        for output_id in self._lineage.keys() - alive:
            del self._lineage[output_id]

    def _call(self, name: str, *inputs: Tensor) -> Tensor:
        return self._recall((name,), inputs, lambda: self._evaluate(name, *inputs))

    def _evaluate(self, name: str, *inputs: Tensor) -> Tensor:
        module = self._modules[name]
        if _is_headed(module):
            output: Tensor = module.head(self.features(name, *inputs))
        else:
            seen = (self._seen(name, inputs[0]), *inputs[1:]) if inputs else ()
            output = module(*seen)
        return _through(self._after.get(name, ()), output)

    def _seen(self, name: str, x: Tensor) -> Tensor:
        return _through(self._before.get(name, ()), x)

    def _recall(
        self, key: tuple[str, ...], inputs: tuple[Tensor, ...], compute: Callable[[], Tensor]
    ) -> Tensor:
        """Looks up what network `key[0]` made of these inputs, or computes it."""
        known = (*key, *map(id, inputs))
        if known not in self._known:
            output = self._halved(inputs, compute)
            self._known[known] = (inputs, output)
            ancestors = (self._lineage.get(id(i), frozenset()) for i in inputs)
            self._lineage[id(output)] = frozenset({key[0]}).union(*ancestors)
        return self._known[known][1]

    def _halved(self, inputs: tuple[Tensor, ...], compute: Callable[[], Tensor]) -> Tensor:
        if not self._half or not inputs:
            return compute()
        with torch.autocast(inputs[0].device.type, torch.bfloat16):
            return compute().to(inputs[0].dtype)


def _through(changes: Iterable[Change], x: Tensor) -> Tensor:
    for change in changes:
        x = change(x)
    return x


class _Held(nn.Module):
    """A network with other parameters than its own."""

    def __init__(self, net: nn.Module, parameters: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._pair = net, dict(parameters)  # in a tuple: the network is no part of this one

    def forward(self, *inputs: Tensor) -> Tensor:
        output: Tensor = functional_call(*self._pair, inputs)
        return output


class Headed(Protocol):
    """A network whose output is `head(features(x))`: features are its last hidden layer."""

    head: nn.Module

    def features(self, x: Tensor) -> Tensor: ...


def _is_headed(module: nn.Module) -> TypeGuard[Headed]:
    # A check against the protocol would look past __getattr__, where torch keeps submodules.
    return hasattr(module, "head") and callable(getattr(module, "features", None))


@runtime_checkable
class Refreshing(Protocol):
    """A module with state that changes after its player's moves, never in a forward pass.

    `refresh` is told the batch of the move, computes in tensors alone, and keeps seeds apart.
    """

    def refresh(self, batch: Batch) -> None: ...


@runtime_checkable
class Standing(Protocol):
    """A layer that normalises by the batch in training and by standing statistics in sampling."""

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Computes the means of `x` and of its square that the layer normalises by."""
        ...

    def stand(self, mean: Tensor, square: Tensor) -> None:
        """Sets the standing statistics from averages of `moments`."""
        ...
