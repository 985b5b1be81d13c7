"""The move of the players that are active now, compiled whole.

The eager move is recorded once, autograd and optimiser included, as one flat graph of tensor
operations, and handed to the compiler. So whatever a loss does, double backward included, is
compiled, and there is one definition of a move.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.core import Batch, Losses
from iidgan.engine.decompositions import DECOMPOSITIONS
from iidgan.engine.move import Move
from iidgan.engine.state import live, undone

Generate = Callable[[fx.GraphModule, list[Tensor]], Callable[..., Any]]
"""Makes a function of a recorded graph, which is one itself, and of examples of its inputs."""


def generate_code(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Hands a graph straight to the compiler: there is no Python left in it to look at."""
    from torch._inductor import standalone_compile  # takes a second, which only this needs

    code: Callable[..., Any] = standalone_compile(graph, [*inputs])
    return code


def compiled(
    function: Callable[..., Any], inputs: list[Tensor], generate: Generate = generate_code
) -> Callable[..., Any]:
    """Records what a function does to its inputs, gradients included, and makes code of it."""
    graph = make_fx(function, decomposition_table=DECOMPOSITIONS)(*inputs)
    _forget_profiling(graph)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about parts of the compiler itself
        call = generate(graph, inputs)
        call(*inputs)
    return call


class Compiled:
    """A move as one graph of tensor operations, for which code is generated.

    Arguments:
        move: What is recorded.
        example: Batches of the right shapes.
        generate: Makes code of what was recorded.
    """

    def __init__(
        self,
        move: Move,
        example: Sequence[Batch],
        generate: Generate = generate_code,
    ) -> None:
        self._generate = generate
        self.state = move.state
        with undone(move.state):
            move(example)  # optimisers make their tensors at the first step
            self._compile(move, example)

    def _compile(self, move: Move, example: Sequence[Batch]) -> None:
        self._live = live(move.state)
        self._names: list[str] = []

        def record(*arguments: Tensor) -> list[Tensor]:
            # The move reads the state's own tensors: being arguments here makes them known.
            logs = move(unflatten(arguments[len(self._live) :], example))
            self._names = list(logs)
            return list(logs.values())

        inputs = [*self._live, *flatten(example)]
        self._call = compiled(record, inputs, self._generate)

    @torch.no_grad()
    def __call__(self, batches: Sequence[Batch]) -> Losses:
        values = self._call(*self._live, *flatten(batches))
        return dict(zip(self._names, values, strict=True))


def flatten(batches: Sequence[Batch]) -> list[Tensor]:
    return [part for batch in batches for part in batch.tensors().values()]


def unflatten(inputs: Sequence[Tensor], example: Sequence[Batch]) -> list[Batch]:
    parts: Iterator[Tensor] = iter(inputs)
    return [Batch.of({name: next(parts) for name in batch.tensors()}) for batch in example]


def _forget_profiling(graph: fx.GraphModule) -> None:
    """Removes the marks that optimisers leave for the profiler: no compiler takes them."""
    for node in reversed(list(graph.graph.nodes)):
        if "profiler" in str(node.target):
            graph.graph.erase_node(node)
    graph.recompile()
