"""How operations of torch are written as operations of programs, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from operator import getitem

import torch
from torch import Tensor

from iidgan.explorer.program_writer import (
    ProgramWriter,
    Rule,
    Target,
    UnsupportedError,
    Value,
    require,
)

aten = torch.ops.aten
Operand = Value | Tensor | float


def _activation(operand: Operand) -> Value:
    if not isinstance(operand, Value):
        raise UnsupportedError("of weights by an activation")
    return operand


def _constant(operand: Operand) -> Tensor:
    if not isinstance(operand, Tensor):
        raise UnsupportedError("by other than weights")
    return operand


def positions_of(x: Tensor) -> Tensor:
    """Number the elements of a tensor.

    Arguments:
        x: The tensor.
    """
    return torch.arange(x.numel()).view(x.shape)


def _move(writer: ProgramWriter, target: Target, x: Value, *args: object) -> Value:
    """Apply an operation that only moves numbers, to their positions as well."""
    example = target(x.example, *args)
    index = target(positions_of(x.example), *args).flatten()
    if torch.equal(index, positions_of(x.example).flatten()):
        return Value(x.operand, example)
    return writer.append("gather", example, x, index=index.tolist())


def _concatenate(
    writer: ProgramWriter, target: Target, parts: Sequence[Operand], dim: int = 0
) -> Value:
    values = [writer.as_value(part) for part in parts]
    example = target([value.example for value in values], dim)
    sizes = [value.example.numel() for value in values]
    positions = torch.arange(sum(sizes)).split(sizes)
    index = target([p.view(value.example.shape) for p, value in zip(positions, values)], dim)
    require(torch.equal(index, positions_of(index)), f"on axis {dim}")
    return writer.append("concat", example, *values)


def _elementwise(op: str, *names: str) -> Rule:
    """Create the rule of an operation on each number, whose further arguments have names."""

    def write(writer: ProgramWriter, target: Target, x: Value, *args: object) -> Value:
        return writer.append(op, target(x.example, *args), x, **dict(zip(names, args)))

    return write


def _binary(op: str) -> Rule:
    """Create the rule of an operation on two operands, of which one may be repeated.

    Number i of the result reads number i / repeat of the operand, rounded down, modulo its size.
    """

    def write(writer: ProgramWriter, target: Target, *operands: Operand) -> Value:
        values = [writer.as_value(operand) for operand in operands]
        example = target(*(value.example for value in values))
        repeats = [_find_repeat(value.example, example) for value in values]
        return writer.append(op, example, *values, repeats=repeats)

    return write


def _find_repeat(operand: Tensor, result: Tensor) -> int:
    """Find how often each number of an operand is repeated at once when it is broadcast."""
    index = positions_of(operand).expand(result.shape).flatten()
    repeat = int((index == 0).long().cumprod(0).sum())
    periodic = positions_of(result).flatten() // repeat % operand.numel()
    require(torch.equal(index, periodic), "on operands of such shapes")
    return repeat


def _subtract(writer: ProgramWriter, target: Target, x: Operand, y: Operand) -> Value:
    negative = writer.apply(aten.mul.Tensor, y, -1.0) if isinstance(y, Value) else -y
    return writer.apply(aten.add.Tensor, x, negative)


def _divide(writer: ProgramWriter, target: Target, x: Operand, y: Operand) -> Value:
    if isinstance(y, Value):
        raise UnsupportedError("by an activation")
    return writer.apply(aten.mul.Tensor, x, 1 / y)


def _normalise_batch(
    writer: ProgramWriter,
    target: Target,
    x: Value,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    var: Tensor,
    training: bool,
    momentum: float,
    eps: float,
) -> Value:
    """Multiply by the scale of each channel, and add its shift."""
    require(not training, "with statistics of the batch")
    scale = (var + eps).rsqrt() * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - mean * scale
    scaled = writer.apply(aten.mul.Tensor, x, per_channel(scale, x.example))
    return writer.apply(aten.add.Tensor, scaled, per_channel(shift, x.example))


def per_channel(values: Tensor, x: Tensor) -> Tensor:
    """Give numbers of channels the axes of images.

    Arguments:
        values: One number for each channel, (C,).
        x: The images, (n, C, ...).
    """
    return values.view(-1, *[1] * (x.dim() - 2))


def _multiply_matrix(writer: ProgramWriter, target: Target, x: Operand, weight: Operand) -> Value:
    """Multiply a vector by a constant matrix, (1, in) by (in, out)."""
    vector, weights = _activation(x), _constant(weight)
    num_inputs, num_outputs = weights.shape[-2:]
    require(vector.example.numel() == num_inputs, "of several vectors")
    matrix = writer.store(weights.reshape(num_inputs, num_outputs).mT)
    example = target(vector.example, matrix.example.mT.view(weights.shape))
    return writer.append("linear", example, vector, matrix)


def _multiply_matrix_and_add(
    writer: ProgramWriter, target: Target, bias: Operand, x: Operand, weight: Operand
) -> Value:
    multiply = aten.bmm.default if _constant(weight).dim() == 3 else aten.mm.default
    return writer.apply(aten.add.Tensor, writer.apply(multiply, x, weight), bias)


def _convolve(
    writer: ProgramWriter,
    target: Target,
    x: Operand,
    weight: Operand,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Value:
    image, kernel = _activation(x), writer.store(_constant(weight))
    require(image.example.dim() == 4, "of other than images")
    require(groups == 1 and {*dilation} == {1}, "with groups or dilation")
    options = (stride, padding, dilation, transposed, output_padding, groups)
    example = target(image.example, kernel.example, None, *options)
    window = _describe_window(kernel.example.shape[2:], stride, padding)
    shapes = _describe_shapes(image.example, example)
    op = "convTranspose2d" if transposed else "conv2d"
    result = writer.append(op, example, image, kernel, **shapes, **window)
    if bias is None:
        return result
    return writer.apply(aten.add.Tensor, result, per_channel(bias, example))


def _describe_window(
    kernel_size: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> dict[str, list[int]]:
    return {"kernelSize": [*kernel_size], "stride": [*stride], "padding": [*padding]}


def _describe_shapes(x: Tensor, result: Tensor) -> dict[str, list[int]]:
    """Describe images (1, C, H, W) before and after an operation."""
    return {"inputShape": [*x.shape[1:]], "outputShape": [*result.shape[1:]]}


def _average_pool(
    writer: ProgramWriter,
    target: Target,
    x: Value,
    kernel_size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    *options: object,
) -> Value:
    require(not options, "with further options")
    example = target(x.example, kernel_size, stride, padding)
    window = _describe_window(kernel_size, stride or kernel_size, padding)
    return writer.append(
        "averagePool", example, x, **_describe_shapes(x.example, example), **window
    )


def _upsample(
    writer: ProgramWriter, target: Target, x: Value, size: Sequence[int], *scales: float | None
) -> Value:
    example = target(x.example, size, *scales)
    factors = [after // before for before, after in zip(x.example.shape[2:], size)]
    repeated = x.example.repeat_interleave(factors[0], 2).repeat_interleave(factors[1], 3)
    require(torch.equal(example, repeated), "by a factor that is not an integer")
    return writer.append("upsample", example, x, **_describe_shapes(x.example, example))


def _sum(writer: ProgramWriter, target: Target, x: Value, *args: object) -> Value:
    """Sum blocks of numbers that follow each other."""
    example = target(x.example, *args)
    positions = positions_of(x.example)
    sums = positions.view(example.numel(), -1).sum(1)
    require(torch.equal(target(positions, *args).flatten(), sums), "over such axes")
    return writer.append("sum", example, x)


def _softmax(
    writer: ProgramWriter, target: Target, x: Value, dim: int, half_to_float: bool
) -> Value:
    require(x.example.shape[dim] == x.example.numel(), "over one of several axes")
    return writer.append("softmax", target(x.example, dim, half_to_float), x)


def _take_first(writer: ProgramWriter, target: Target, outputs: Value, index: int) -> Value | None:
    """Take the first of several outputs; statistics of a batch, for example, are not written."""
    return outputs if index == 0 else None


RULES: dict[str, Rule] = {
    str(getitem): _take_first,
    **dict.fromkeys(
        (
            *("aten.view.default", "aten._unsafe_view.default", "aten.unsqueeze.default"),
            *("aten.transpose.int", "aten.permute.default", "aten.expand.default"),
            *("aten.select.int", "aten.slice.Tensor", "aten.squeeze.dim", "aten.t.default"),
            *("aten.clone.default", "aten.detach.default", "aten.alias.default"),
        ),
        _move,
    ),
    "aten.cat.default": _concatenate,
    "aten.add.Tensor": _binary("add"),
    "aten.mul.Tensor": _binary("multiply"),
    "aten.sub.Tensor": _subtract,
    "aten.div.Tensor": _divide,
    "aten.relu.default": _elementwise("relu"),
    "aten.leaky_relu.default": _elementwise("leakyRelu", "slope"),
    "aten.tanh.default": _elementwise("tanh"),
    "aten.sigmoid.default": _elementwise("sigmoid"),
    "aten._softmax.default": _softmax,
    "aten.native_batch_norm.default": _normalise_batch,
    "aten.mm.default": _multiply_matrix,
    "aten.bmm.default": _multiply_matrix,
    "aten.addmm.default": _multiply_matrix_and_add,
    "aten.baddbmm.default": _multiply_matrix_and_add,
    "aten.convolution.default": _convolve,
    "aten.avg_pool2d.default": _average_pool,
    "aten.upsample_nearest2d.default": _upsample,
    "aten.sum.default": _sum,
    "aten.sum.dim_IntList": _sum,
}
"""Rules by the names of torch's operations."""
