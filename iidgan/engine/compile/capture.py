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
from iidgan.engine.compile.constant_folding import fold
from iidgan.engine.compile.decompositions import DECOMPOSITIONS
from iidgan.engine.compile.inductor import Library, generate_code
from iidgan.engine.state import State, live, undone
from iidgan.engine.step import Move

Generate = Callable[[fx.GraphModule, list[Tensor]], Callable[..., Any]]
"""Makes a function of a recorded graph, which is one itself, and of examples of its inputs."""


def compiled(
    function: Callable[..., Any], inputs: list[Tensor], generate: Generate = generate_code
) -> Callable[..., Any]:
    """Records what a function does to its inputs, gradients included, and makes code of it."""
    graph = make_fx(function, decomposition_table=DECOMPOSITIONS)(*inputs)
    _forget_profiling(graph)
    fold(graph)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about parts of the compiler itself
        call = generate(graph, inputs)
        call(*inputs)
    return call


class Compiled:
    """A move as one graph of tensor operations, for which there is code.

    Arguments:
        state: What moves; its optimisers have made their tensors.
        code: Takes the state's live tensors and those of the batches; gives the losses' values.
        names: The losses' names.
    """

    def __init__(self, state: State, code: Callable[..., Any], names: Sequence[str]) -> None:
        self.state, self.code, self.names = state, code, list(names)
        self._live = live(state)

    @classmethod
    def record(
        cls, move: Move, example: Sequence[Batch], generate: Generate = generate_code
    ) -> Compiled:
        """Records a move, and makes code of it.

        Arguments:
            move: What is recorded.
            example: Batches of the right shapes.
            generate: Makes code of what was recorded.
        """
        with undone(move.state):
            move(example)  # some optimisers make their tensors at the first step
            tensors = live(move.state)
            names: list[str] = []

            def record(*arguments: Tensor) -> list[Tensor]:
                # The move reads the state's own tensors: being arguments here makes them known.
                logs = move(unflatten(arguments[len(tensors) :], example))
                names[:] = logs
                return list(logs.values())

            code = compiled(record, [*tensors, *flatten(example)], generate)
        return cls(move.state, code, names)

    @property
    def library(self) -> str:
        """Name of the library that holds the code, or "" where there is none."""
        return self.code.name if isinstance(self.code, Library) else ""

    @torch.no_grad()
    def __call__(self, batches: Sequence[Batch]) -> Losses:
        values = self.code(*self._live, *flatten(batches))
        return dict(zip(self.names, values, strict=True))


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
