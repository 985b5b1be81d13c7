"""Capture of a training step as graphs of tensor operations, and their compilation.

The eager step is traced once, autograd and optimisers included: as one graph, unless a player is
updated several times, whose update is then a graph of its own that is called as often. Whatever a
loss computes, double backward included, is therefore compiled, and there is only one definition of
a step.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.core import Batch, Losses
from iidgan.engine.compile.constant_folding import fold_constants
from iidgan.engine.compile.decompositions import DECOMPOSITIONS
from iidgan.engine.compile.inductor import CompiledLibrary, compile_graph, shared_fake_mode
from iidgan.engine.compile.shared_casts import share_casts
from iidgan.engine.state import State, rollback, state_tensors
from iidgan.engine.step import StepSegment, TrainStep

GraphCompiler = Callable[[fx.GraphModule, list[Tensor]], Callable[..., Any]]
"""Compiles a captured graph, given example inputs, to a callable of the same signature."""


def capture_and_compile(
    function: Callable[..., Any],
    inputs: list[Tensor],
    graph_compiler: GraphCompiler = compile_graph,
) -> Callable[..., Any]:
    """Trace what a function does to its inputs, gradients included, and compile the graph.

    Arguments:
        function: Function of tensors.
        inputs: Example inputs; some of them may be updated in place.
        graph_compiler: Compiles the graph.

    Returns:
        A callable that computes the same as `function`.
    """
    with shared_fake_mode():
        graph = make_fx(function, decomposition_table=DECOMPOSITIONS)(*inputs)
    _remove_profiler_nodes(graph)
    share_casts(graph)
    fold_constants(graph)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations within the compiler itself
        compiled_function = graph_compiler(graph, inputs)
        compiled_function(*inputs)
    return compiled_function


@dataclass(frozen=True)
class CompiledSegment:
    """A segment of a training step with compiled code, which is called once per repetition.

    Arguments:
        function: Takes `state_tensors(state)` and the tensors of the batches of a repetition, and
            returns the losses.
        loss_names: Names of these losses.
        batch_slices: Positions of these batches among those of the step.
    """

    function: Callable[..., Any]
    loss_names: tuple[str, ...]
    batch_slices: tuple[slice, ...]

    @property
    def library_name(self) -> str:
        """Name of the library in the user's cache, or "" if the code is not a library."""
        return self.function.name if isinstance(self.function, CompiledLibrary) else ""


class CompiledStep:
    """A training step with compiled code.

    Arguments:
        state: State to update; its optimisers have created their tensors.
        segments: Compiled segments, in order.
    """

    def __init__(self, state: State, segments: Sequence[CompiledSegment]) -> None:
        self.state = state
        self.segments = tuple(segments)
        self._state_tensors = state_tensors(state)

    @classmethod
    def capture(
        cls,
        step: TrainStep,
        example: Sequence[Batch],
        graph_compiler: GraphCompiler = compile_graph,
    ) -> CompiledStep:
        """Capture and compile a step, each segment once; the state stays as it is.

        Arguments:
            step: Eager step.
            example: Batches of the right shapes.
            graph_compiler: Compiles the captured graphs.
        """
        with rollback(step.state):
            step(example)  # some optimisers create their tensors in the first step
            segments = [_capture_segment(s, example, graph_compiler) for s in step.segments]
        return cls(step.state, segments)

    @torch.no_grad()
    def __call__(self, batches: Sequence[Batch]) -> Losses:
        losses: Losses = {}
        for segment in self.segments:
            for batch_slice in segment.batch_slices:
                batch_tensors = flatten_batches(batches[batch_slice])
                values = segment.function(*self._state_tensors, *batch_tensors)
            losses |= dict(zip(segment.loss_names, values, strict=True))
        return losses


def _capture_segment(
    segment: StepSegment, example: Sequence[Batch], graph_compiler: GraphCompiler
) -> CompiledSegment:
    tensors, segment_example = state_tensors(segment.state), example[segment.batch_slices[0]]
    loss_names: list[str] = []

    def traced_segment(*inputs: Tensor) -> list[Tensor]:
        # It reads the state's own tensors; as inputs, they are known to the tracer.
        losses = segment(unflatten_batches(inputs[len(tensors) :], segment_example))
        loss_names[:] = losses
        return list(losses.values())

    inputs = [*tensors, *flatten_batches(segment_example)]
    function = capture_and_compile(traced_segment, inputs, graph_compiler)
    return CompiledSegment(function, tuple(loss_names), segment.batch_slices)


def flatten_batches(batches: Sequence[Batch]) -> list[Tensor]:
    """List the tensors of batches, in a fixed order.

    Arguments:
        batches: Batches of one step.

    Examples:
        >>> import torch
        >>> from iidgan import Batch
        >>> from iidgan.engine.compile.capture import flatten_batches, unflatten_batches
        >>> batch = Batch(x=torch.ones(1, 4, 2), z=torch.zeros(1, 4, 3), u=torch.zeros(1, 4))
        >>> tensors = flatten_batches([batch])
        >>> [tuple(tensor.shape) for tensor in tensors]  # x, z, u and t
        [(1, 4, 2), (1, 4, 3), (1, 4), ()]
        >>> unflatten_batches(tensors, [batch])[0].x is batch.x
        True
    """
    return [value for batch in batches for value in batch.to_tensors().values()]


def unflatten_batches(tensors: Sequence[Tensor], example: Sequence[Batch]) -> list[Batch]:
    """Build batches with the fields of `example`; inverts `flatten_batches`.

    Arguments:
        tensors: As `flatten_batches` lists them.
        example: Batches with the same fields.
    """
    remaining: Iterator[Tensor] = iter(tensors)
    return [
        Batch.from_tensors({name: next(remaining) for name in batch.to_tensors()})
        for batch in example
    ]


def _remove_profiler_nodes(graph: fx.GraphModule) -> None:
    """Remove the optimisers' profiler marks, which compilers do not accept."""
    for node in reversed(list(graph.graph.nodes)):
        if "profiler" in str(node.target):
            graph.graph.erase_node(node)
    graph.recompile()
