"""How the operations of gradients are written, by the operations that forward passes need too.

Gradients of weights are not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from iidgan.explorer.operation_rules import per_channel, positions_of
from iidgan.explorer.program_writer import ProgramWriter, Rule, Target, Value, require

aten = torch.ops.aten


def _convolve_back(
    writer: ProgramWriter,
    target: Target,
    gradient: Value,
    x: Value,
    weight: Tensor,
    bias_sizes: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> Value:
    """Convolve the other way: transposed if the convolution is not."""
    require(not any(output_mask[1:]), "of weights")
    sizes = zip(x.example.shape[2:], gradient.example.shape[2:], stride, padding, weight.shape[2:])
    missing_pixels = [
        0 if transposed else size - ((outputs - 1) * step - 2 * pad + kernel)
        for size, outputs, step, pad, kernel in sizes
    ]
    options = (stride, padding, dilation, not transposed, missing_pixels, groups)
    return writer.apply(aten.convolution.default, gradient, weight, None, *options)


def _normalise_batch_back(
    writer: ProgramWriter,
    target: Target,
    gradient: Value,
    x: Value,
    weight: Tensor | None,
    mean: Tensor,
    var: Tensor,
    batch_mean: Value,
    batch_scale: Value,
    training: bool,
    eps: float,
    output_mask: Sequence[bool],
) -> Value:
    require(not any(output_mask[1:]), "of weights")
    require(not training, "with statistics of the batch")
    scale = (var + eps).rsqrt() * (1 if weight is None else weight)
    return writer.apply(aten.mul.Tensor, gradient, per_channel(scale, x.example))


def _rectify_back(
    writer: ProgramWriter, target: Target, gradient: Value, x: Value, threshold: float
) -> Value:
    require(threshold == 0, "at other values than 0")
    example = target(gradient.example, x.example, threshold)
    return writer.append("gate", example, gradient, x, slope=0)


def _rectify_leakily_back(
    writer: ProgramWriter,
    target: Target,
    gradient: Value,
    x: Value,
    slope: float,
    is_result: bool,
) -> Value:
    example = target(gradient.example, x.example, slope, is_result)
    return writer.append("gate", example, gradient, x, slope=slope)


def _tanh_back(writer: ProgramWriter, target: Target, gradient: Value, y: Value) -> Value:
    """Multiply by 1 - tanh²."""
    square = writer.apply(aten.mul.Tensor, y, y)
    factor = writer.apply(aten.add.Tensor, writer.apply(aten.mul.Tensor, square, -1.0), 1.0)
    return writer.apply(aten.mul.Tensor, gradient, factor)


def _upsample_back(
    writer: ProgramWriter,
    target: Target,
    gradient: Value,
    output_size: Sequence[int],
    input_size: Sequence[int],
    *scales: float | None,
) -> Value:
    """Sum the pixels that a pixel was copied to."""
    factors = [after // before for before, after in zip(input_size[2:], output_size)]
    means = writer.apply(aten.avg_pool2d.default, gradient, factors)
    return writer.apply(aten.mul.Tensor, means, float(prod(factors)))


def _place(writer: ProgramWriter, target: Target, x: Value, *args: object) -> Value:
    """Put numbers in their places among zeros."""
    padded = writer.append(
        "concat", torch.cat([x.example.flatten(), torch.zeros(1)]), x, writer.store(torch.zeros(1))
    )
    index = target(positions_of(x.example) + 1, *args).flatten() - 1
    index[index < 0] = x.example.numel()
    return writer.append("gather", target(x.example, *args), padded, index=index.tolist())


GRADIENT_RULES: dict[str, Rule] = {
    "aten.convolution_backward.default": _convolve_back,
    "aten.native_batch_norm_backward.default": _normalise_batch_back,
    "aten.threshold_backward.default": _rectify_back,
    "aten.leaky_relu_backward.default": _rectify_leakily_back,
    "aten.tanh_backward.default": _tanh_back,
    "aten.upsample_nearest2d_backward.default": _upsample_back,
    "aten.select_backward.default": _place,
    "aten.slice_backward.default": _place,
}
"""Rules by the names of torch's operations."""
