"""Ways to carry out the same move: as it is written, or compiled whole.

The compiled executor records the eager move once, autograd and optimiser included, as one flat
graph of tensor operations, and hands that to the compiler. So whatever a loss does, double
backward included, is compiled, and there is one definition of a move.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.core import Batch, Losses, Player
from iidgan.engine.move import Move
from iidgan.engine.state import live, restore, tensors

Executor = Literal["eager", "compiled"]
Step = Callable[[Sequence[Batch]], Losses]
Make = Callable[[Move, Sequence[Batch]], Step]


def executor(name: Executor, move: Move, example: Sequence[Batch]) -> Step:
    """Prepares `move` for batches of the shapes of `example`; the state stays as it is."""
    return move if name == "eager" else _or_eager(_compiled, move, example)


def _compiled(move: Move, example: Sequence[Batch]) -> Step:
    return Compiled(move, example, later=partial(_or_eager, Graph))


def _or_eager(make: Make, move: Move, example: Sequence[Batch]) -> Step:
    try:
        return make(move, example)
    except Exception as error:  # whatever a compiler may raise, the eager move gives the same
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        warnings.warn(f"compilation failed ({reason}); running eagerly", stacklevel=2)
        return move


class Compiled:
    """A move as compiled graphs, one for each part of the run with players of its own.

    Arguments:
        move: What is compiled.
        example: Batches of the right shapes.
        make: Makes the first graph; by default one for which code is generated.
        later: Makes the graphs of the parts that come later; by default as the first.
    """

    def __init__(
        self,
        move: Move,
        example: Sequence[Batch],
        *,
        make: Make | None = None,
        later: Make | None = None,
    ) -> None:
        make = make or Graph
        self._move, self._later = move, later or make
        self._graphs: dict[tuple[Player, ...], Step] = {move.active: make(move, example)}

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        active = self._move.active
        if active not in self._graphs:
            self._graphs[active] = self._later(self._move, batches)
        return self._graphs[active](batches)


def _generate(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Hands a graph straight to the compiler: there is no Python left in it to look at."""
    from torch._inductor import standalone_compile  # takes a second, which only this needs

    code: Callable[..., Any] = standalone_compile(graph, [*inputs])
    return code


class Graph:
    """A move of the players that are active now, as one graph of tensor operations.

    Arguments:
        move: What is recorded.
        example: Batches of the right shapes.
        generate: Makes a function of the recorded graph, which is one itself, and of examples of
            its inputs.
    """

    def __init__(
        self,
        move: Move,
        example: Sequence[Batch],
        generate: Callable[[fx.GraphModule, list[Tensor]], Callable[..., Any]] = _generate,
    ) -> None:
        self._generate = generate
        before = {name: value.clone() for name, value in tensors(move.state).items()}
        try:
            move(example)  # optimisers make their tensors at the first step
            self._compile(move, example)
        finally:
            restore(move.state, before)

    def _compile(self, move: Move, example: Sequence[Batch]) -> None:
        self._state = live(move.state)
        self._names: list[str] = []

        def record(*arguments: Tensor) -> list[Tensor]:
            # The move reads the state's own tensors: being arguments here makes them known.
            logs = move(_unflatten(arguments[len(self._state) :], example))
            self._names = list(logs)
            return list(logs.values())

        inputs = [*self._state, *_flatten(example)]
        graph = make_fx(record, decomposition_table=_DECOMPOSITIONS)(*inputs)
        _forget_profiling(graph)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about parts of the compiler itself
            self._call = self._generate(graph, inputs)
            self._call(*inputs)

    @torch.no_grad()
    def __call__(self, batches: Sequence[Batch]) -> Losses:
        values = self._call(*self._state, *_flatten(batches))
        return dict(zip(self._names, values, strict=True))


def _flatten(batches: Sequence[Batch]) -> list[Tensor]:
    return [part for batch in batches for part in batch.tensors().values()]


def _unflatten(inputs: Sequence[Tensor], example: Sequence[Batch]) -> list[Batch]:
    parts: Iterator[Tensor] = iter(inputs)
    return [Batch.of({name: next(parts) for name in batch.tensors()}) for batch in example]


def _forget_profiling(graph: fx.GraphModule) -> None:
    """Removes the marks that optimisers leave for the profiler: no compiler takes them."""
    for node in reversed(list(graph.graph.nodes)):
        if "profiler" in str(node.target):
            graph.graph.erase_node(node)
    graph.recompile()


def _fused_adam_(
    parameters: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    _: list[Tensor],
    steps: list[Tensor],
    *,
    lr: Tensor,
    beta1: float,
    beta2: float,
    eps: float,
    **unused: Any,  # noqa: ANN401 - options that our optimisers leave at their defaults
) -> None:
    """Spells the fused kernel out in operations that a compiler can fuse with the rest."""
    for value, gradient, mean, square, step in zip(
        parameters, gradients, means, squares, steps, strict=True
    ):
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        count = step.double()  # the kernel corrects the bias in double precision
        scale = (1 - beta2**count).sqrt()
        value.sub_(lr / (1 - beta1**count) * mean / (square.sqrt() / scale + eps))


_DECOMPOSITIONS = {torch.ops.aten._fused_adam_.tensor_lr: _fused_adam_}
