"""Differentiable operators between a whole batch and the shares of several processes.

A tensor is one of three: *replicated*, the same in every process; a *share*, the samples of this
process; or *partial*, a number of which the sum over all processes is meant. The gradient of a
replicated tensor that shares are computed with is partial. Each operator is the transpose of
another, and its backward pass is that one, so that derivatives of any order are those of one
process with the whole batch:

| operator | from | to | transpose |
|---|---|---|---|
| `scatter` | replicated | share | `gather` |
| `gather` | share | replicated | `scatter` |
| `replicate` | replicated | replicated, read by shares | sum over processes |
| `sum_over_processes` | partial | replicated, read by shares | itself |

A loss of gathered outputs is computed by every process, and is the same in all. (The plain
`torch.distributed.all_reduce` passes on the gradient of one process alone.)

References:
    Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism (Shoeybi
    et al., 2019), https://arxiv.org/abs/1909.08053, section 3: the conjugate operators f and g
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function


def scatter(whole: Tensor, bounds: Sequence[int], dim: int, group: dist.ProcessGroup) -> Tensor:
    """Select the share of this process from a replicated tensor.

    Arguments:
        whole: All samples.
        bounds: The share of process r is from `bounds[r]` to `bounds[r + 1]`.
        dim: Axis of the samples.
        group: The processes.
    """
    share: Tensor = _Scatter.apply(whole, bounds, dim, group)  # type: ignore[no-untyped-call]
    return share


def gather(share: Tensor, bounds: Sequence[int], dim: int, group: dist.ProcessGroup) -> Tensor:
    """Concatenate the shares of all processes; inverts `scatter`.

    Arguments:
        share: Samples of this process.
        bounds: The share of process r is from `bounds[r]` to `bounds[r + 1]`.
        dim: Axis of the samples.
        group: The processes.
    """
    whole: Tensor = _Gather.apply(share, bounds, dim, group)  # type: ignore[no-untyped-call]
    return whole


def replicate(tensors: Sequence[Tensor], group: dist.ProcessGroup) -> tuple[Tensor, ...]:
    """Return replicated tensors as shares read them: gradients are summed over all processes.

    The gradients of all tensors are one vector for this, which is sent once a backward pass.

    Arguments:
        tensors: Tensors that need gradients, such as parameters.
        group: The processes.
    """
    replicas: tuple[Tensor, ...] = _Replicate.apply(group, *tensors)  # type: ignore[no-untyped-call]
    return replicas


def sum_over_processes(partial: Tensor, group: dist.ProcessGroup) -> Tensor:
    """Sum a tensor over all processes, for computations with shares, such as a batch norm.

    Arguments:
        partial: The summand of this process.
        group: The processes.
    """
    total: Tensor = _SumForShares.apply(partial, group)  # type: ignore[no-untyped-call]
    return total


class _Scatter(Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        whole: Tensor,
        bounds: Sequence[int],
        dim: int,
        group: dist.ProcessGroup,
    ) -> Tensor:
        ctx.bounds, ctx.dim, ctx.group = bounds, dim, group
        rank = dist.get_rank(group)
        share = whole.narrow(dim, bounds[rank], bounds[rank + 1] - bounds[rank])
        return share.clone(memory_format=torch.contiguous_format)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:  # noqa: ANN401
        return gather(gradient, ctx.bounds, ctx.dim, ctx.group), None, None, None


class _Gather(Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        share: Tensor,
        bounds: Sequence[int],
        dim: int,
        group: dist.ProcessGroup,
    ) -> Tensor:
        ctx.bounds, ctx.dim, ctx.group = bounds, dim, group
        sizes = [end - start for start, end in pairwise(bounds)]
        samples_first = share.movedim(dim, 0)
        padded = samples_first.new_zeros(max(sizes), *samples_first.shape[1:])
        padded[: len(samples_first)] = samples_first
        shares = gather_equal(padded, group)
        return torch.cat([part[:size] for part, size in zip(shares, sizes)]).movedim(0, dim)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:  # noqa: ANN401
        return scatter(gradient, ctx.bounds, ctx.dim, ctx.group), None, None, None


def gather_equal(tensor: Tensor, group: dist.ProcessGroup) -> list[Tensor]:
    """Return the tensors of all processes, of equal shapes, without gradients.

    Arguments:
        tensor: That of this process.
        group: The processes.
    """
    tensors = [torch.empty_like(tensor) for _ in range(dist.get_world_size(group))]
    dist.all_gather(tensors, tensor.contiguous(), group=group)
    return tensors


class _Replicate(Function):
    @staticmethod
    def forward(ctx: Any, group: dist.ProcessGroup, *tensors: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401
        ctx.group = group
        return tuple(tensor.view_as(tensor) for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        return None, *_SumGradients.apply(ctx.group, *gradients)  # type: ignore[no-untyped-call]


class _SumGradients(Function):
    """Sums partial tensors to replicated ones that are not read by shares."""

    @staticmethod
    def forward(ctx: Any, group: dist.ProcessGroup, *partials: Tensor) -> tuple[Tensor, ...]:  # noqa: ANN401
        ctx.group = group
        flat = torch.cat([partial.flatten() for partial in partials])
        dist.all_reduce(flat, group=group)
        parts = flat.split([partial.numel() for partial in partials])
        return tuple(part.view(partial.shape) for part, partial in zip(parts, partials))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        return None, *replicate(gradients, ctx.group)


class _SumForShares(Function):
    @staticmethod
    def forward(ctx: Any, partial: Tensor, group: dist.ProcessGroup) -> Tensor:  # noqa: ANN401
        ctx.group = group
        total = partial.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        return sum_over_processes(gradient, ctx.group), None
