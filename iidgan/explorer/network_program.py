"""Networks as programs of a few operations, which a page computes by plain script.

A network is traced rather than walked module by module: whatever its layers are called, backbones
and plug-ins compute with few operations of torch, all of which are in the tables `RULES` and
`GRADIENT_RULES`. The trace is of a single sample. All shapes are then fixed, axes of seeds and
batch have length 1, and most changes of layout move no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.explorer.gradient_rules import GRADIENT_RULES
from iidgan.explorer.operation_rules import RULES
from iidgan.explorer.program_writer import (
    NetworkProgram,
    ProgramWriter,
    WeightStore,
    plain_script_error,
)

MAX_ERROR = 1e-4
"""Largest difference of outputs by rounding, as a share of the largest output."""
TensorFunction = Callable[..., Tensor | tuple[Tensor, ...]]
"""Maps batches of inputs, (n, ...) each, to one or several batches of outputs."""


def encode_network(
    functions: Mapping[str, tuple[TensorFunction, Sequence[Tensor]]], tolerance: float
) -> dict[str, Any]:
    """Encode functions that share weights as `page/network.js` reads them.

    Weights are in half precision, unless this changes an output of the first function too much.

    Arguments:
        functions: Functions by name, with examples of their inputs, (n, ...) each.
        tolerance: Largest change of an output that half precision may cause.

    Raises:
        InputError: As for `write_program`.
    """
    (function, examples), *_ = functions.values()
    with torch.no_grad():
        expected, *_ = _as_tuple(function(*examples))
    for dtype in (torch.float16, torch.float32):
        weights = WeightStore(dtype)
        written = {name: write_program(*parts, weights) for name, parts in functions.items()}
        (_, (actual, *_)), *_ = written.values()
        if (actual - expected).abs().max() <= tolerance:
            break
    programs = {name: program.to_dict() for name, (program, _) in written.items()}
    return {"weights": weights.to_dict(), "programs": programs}


def write_program(
    function: TensorFunction, examples: Sequence[Tensor], weights: WeightStore
) -> tuple[NetworkProgram, list[Tensor]]:
    """Write a function as a program.

    Arguments:
        function: Function whose samples do not depend on each other.
        examples: Examples of its inputs, (n, ...) each.
        weights: Where the weights of the program are stored.

    Returns:
        The program, and its outputs for the examples, (n, ...) each.

    Raises:
        InputError: The function cannot be traced, uses an operation that programs lack, or treats
            the samples of a batch differently.

    Examples:
        >>> from iidgan.nn import MLP
        >>> G = MLP(hidden=(8,)).build_generator((2,))
        >>> program, outputs = write_program(
        ...     lambda z: G(z[None])[0], [torch.randn(4, 2)], WeightStore()
        ... )
        >>> [operation["op"] for operation in program.operations]
        ['linear', 'add', 'relu', 'linear', 'add']
        >>> outputs[0].shape
        torch.Size([4, 2])
    """
    rows = list(zip(*(example.split(1) for example in examples)))
    graph = _trace(function, rows[0])
    _check_samples_are_independent(function, graph, examples, rows)
    writers = [ProgramWriter(graph, weights, RULES | GRADIENT_RULES) for _ in rows]
    outputs = [writer.write(row) for writer, row in zip(writers, rows)]
    return writers[0].program, [torch.cat(batch) for batch in zip(*outputs)]


def _trace(function: TensorFunction, row: Sequence[Tensor]) -> fx.GraphModule:
    """Trace the operations of a function on a batch of one sample.

    Raises:
        InputError: Its code cannot be traced.
    """
    try:
        with torch.no_grad():
            graph = make_fx(lambda *inputs: function(*inputs))(*row)  # of methods as well
    except Exception as error:  # of many types, whatever its code does
        raise plain_script_error("a network decides by values, or cannot be traced") from error
    graph.graph.eliminate_dead_code()
    return graph


def _check_samples_are_independent(
    function: TensorFunction,
    graph: fx.GraphModule,
    examples: Sequence[Tensor],
    rows: Sequence[Sequence[Tensor]],
) -> None:
    """Check that the trace, on one sample at a time, returns what the function does of a batch.

    Raises:
        InputError: It does not.
    """
    with torch.no_grad():
        expected, *_ = _as_tuple(function(*examples))
        actual = torch.cat([_as_tuple(graph(*row))[0] for row in rows])
    if not (actual - expected).abs().max() <= MAX_ERROR * expected.abs().max():
        raise plain_script_error(
            "a network draws random numbers, or treats samples by their place in a batch"
        )


def _as_tuple(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
