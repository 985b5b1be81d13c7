"""A batch that several processes share: gathered, with gradients for all of them."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from iidgan.distributed.operators import gather_equal


def gather_batch(share: Tensor, group: dist.ProcessGroup) -> Tensor:
    """Concatenate the shares of a batch that the processes of a group have.

    The gradient is the sum of those of all processes. So if each computes the same loss of the
    whole batch, each share has R times its gradient, for R processes, and the mean over processes
    that `DistributedDataParallel` takes is the gradient of that loss. (An in-place
    `torch.distributed.all_reduce` passes on the gradient of one process alone, which makes it one
    R-th of that.)

    Arguments:
        share: Samples of this process, with shape (n, ...), where n may differ between processes.
        group: The processes, such as `torch.distributed.group.WORLD`.

    Returns:
        All samples, in the order of the ranks.
    """
    nums = [int(num) for num in gather_equal(torch.tensor(len(share), device=share.device), group)]
    padding = [0, 0] * (share.ndim - 1) + [0, max(nums) - len(share)]
    shares = _GatheredShares.apply(pad(share, padding), group)  # type: ignore[no-untyped-call]
    return torch.cat([share[:num] for share, num in zip(shares, nums)])


class _GatheredShares(torch.autograd.Function):
    """The tensors of all processes, stacked in the order of the ranks."""

    @staticmethod
    def forward(ctx: Any, share: Tensor, group: dist.ProcessGroup) -> Tensor:  # noqa: ANN401
        ctx.group = group
        return torch.stack(gather_equal(share, group))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        summed = gradient.contiguous()
        dist.all_reduce(summed, group=ctx.group)
        return summed[dist.get_rank(ctx.group)], None
