"""Programs: lists of operations on flat arrays, which pages compute, and their writer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx
from torch.fx.node import map_arg

from iidgan.errors import InputError

Target = Callable[..., Any]
"""Operation of torch."""
Rule = Callable[..., Any]
"""Called with a writer, an operation of torch and its arguments, of which some are values: appends
operations to the program of the writer, and returns the result, a value."""


@dataclass
class WeightStore:
    """The weights of programs, each of which is stored once.

    Arguments:
        dtype: Precision in which they are stored.

    Examples:
        >>> store = WeightStore(torch.float16)
        >>> store.add(torch.ones(3)), store.add(torch.zeros(2)), store.add(torch.ones(3))
        (0, 1, 0)
        >>> store.to_dict()
        {'precision': 'float16', 'sizes': [3, 2], 'numbers': 'ADwAPAA8AAAAAA=='}
    """

    dtype: torch.dtype = torch.float32
    tensors: list[Tensor] = field(default_factory=list)
    _index_by_content: dict[bytes, int] = field(default_factory=dict)

    def add(self, constant: Tensor) -> int:
        """Store a tensor, unless it is already stored, and return its number.

        Arguments:
            constant: The tensor.
        """
        tensor = constant.detach().cpu().to(self.dtype).contiguous()
        index = self._index_by_content.setdefault(_to_bytes(tensor), len(self.tensors))
        if index == len(self.tensors):
            self.tensors.append(tensor)
        return index

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: little-endian numbers, one tensor after the other."""
        content = b"".join(map(_to_bytes, self.tensors))
        return {
            "precision": str(self.dtype).removeprefix("torch."),
            "sizes": [tensor.numel() for tensor in self.tensors],
            "numbers": base64.b64encode(content).decode(),
        }


def _to_bytes(tensor: Tensor) -> bytes:
    array = tensor.numpy()
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


@dataclass(frozen=True)
class NetworkProgram:
    """A function of one sample, as operations on flat arrays of numbers.

    The first values are the inputs, and each operation adds one. An operand of an operation is the
    number of a value, or `{"tensor": number}` for weights.

    Arguments:
        input_sizes: Numbers in a sample of each input.
        operations: Each has a name `op`, its operands `inputs`, the `size` of its result, and
            fields of its own.
        outputs: The operands that are outputs.
    """

    input_sizes: tuple[int, ...]
    operations: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[int | dict[str, int]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "inputSizes": self.input_sizes,
            "operations": self.operations,
            "outputs": self.outputs,
        }


@dataclass(frozen=True)
class Value:
    """An operand: what depends on the inputs, or stored weights.

    Arguments:
        operand: How operations refer to it.
        example: What it is for the example.
    """

    operand: int | dict[str, int]
    example: Tensor


class UnsupportedError(Exception):
    """A use of an operation that programs lack; its words follow the name of the operation."""


def require(condition: bool, words: str) -> None:
    """Raise `UnsupportedError` unless a condition holds.

    Arguments:
        condition: What must hold.
        words: What is unsupported otherwise.
    """
    if not condition:
        raise UnsupportedError(words)


class ProgramWriter(fx.Interpreter):
    """Runs a trace on an example and writes down what depends on the inputs.

    All else, such as quotients of weights and singular values, is a constant of the program.

    Arguments:
        graph: The trace.
        weights: Where weights are stored.
        rules: How operations of torch are written, by their names.
    """

    def __init__(
        self, graph: fx.GraphModule, weights: WeightStore, rules: Mapping[str, Rule]
    ) -> None:
        super().__init__(graph)
        self.weights, self.rules = weights, rules
        self.extra_traceback = False  # errors stay one line

    @torch.no_grad()
    def write(self, row: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Write the program, and return its outputs for one sample.

        Arguments:
            row: One sample of each input.

        Raises:
            InputError: The trace uses an operation that programs lack.
        """
        self.program = NetworkProgram(tuple(tensor.numel() for tensor in row))
        outputs = self.run(*(Value(i, tensor) for i, tensor in enumerate(row)))
        values = outputs if isinstance(outputs, tuple) else (outputs,)
        self.program.outputs.extend(value.operand for value in values)
        return tuple(value.example for value in values)

    def run_node(self, n: fx.Node) -> object:
        """Evaluate a node that depends on no input, and write any other one.

        Arguments:
            n: Node of the trace.
        """
        depends_on_input = any(isinstance(self.env[node], Value) for node in n.all_input_nodes)
        if n.op != "call_function" or not depends_on_input:
            return super().run_node(n)
        assert not isinstance(n.target, str)
        args, kwargs = map_arg((n.args, n.kwargs), self.env.__getitem__)
        return self.apply(n.target, *args, **kwargs)

    def apply(self, target: Target, *args: object, **options: object) -> Value:
        """Apply an operation of torch to arguments of which some are values.

        Arguments:
            target: The operation.
            *args: Its arguments.
            **options: Its keyword arguments.

        Raises:
            InputError: Programs lack the operation.
        """
        try:
            require(str(target) in self.rules, "")
            names = ", ".join(sorted(options.keys() - {"memory_format"}))
            require(not names, f"with {names}")
            return self.rules[str(target)](self, target, *args)
        except UnsupportedError as error:
            raise plain_script_error(f"a network uses {target} {error}".rstrip()) from error

    def append(self, op: str, example: Tensor, *inputs: Value, **fields: object) -> Value:
        """Append an operation to the program and return its result.

        Arguments:
            op: Name of the operation.
            example: Its result for the example.
            *inputs: Its operands.
            **fields: Its other fields.
        """
        operation = {"op": op, "inputs": [value.operand for value in inputs]}
        self.program.operations.append(operation | fields | {"size": example.numel()})
        num_values = len(self.program.input_sizes) + len(self.program.operations)
        return Value(num_values - 1, example)

    def store(self, constant: Tensor) -> Value:
        """Store weights.

        Arguments:
            constant: The weights.

        Returns:
            The operand, whose example is rounded as the weights are stored.
        """
        index = self.weights.add(constant)
        return Value({"tensor": index}, self.weights.tensors[index].float().view(constant.shape))

    def as_value(self, operand: Value | Tensor | float) -> Value:
        """Store an operand if it is a constant.

        Arguments:
            operand: A value or a constant.
        """
        return operand if isinstance(operand, Value) else self.store(torch.as_tensor(operand))


def plain_script_error(reason: str) -> InputError:
    """Create the error of a network that pages cannot compute by plain script.

    Arguments:
        reason: What is wrong.
    """
    return InputError(
        f"out: {reason}, which plain script cannot compute; use --runtime DIR, the folder of "
        "onnxruntime-web, or explore the run without --out"
    )
