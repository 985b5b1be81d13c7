"""A batch that several processes share: gathered, with gradients for all of them."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed._functional_collectives import all_gather_single
from torch.nn.functional import pad


def gather_batch(share: Tensor, group: dist.ProcessGroup) -> Tensor:
    """Concatenate the shares of a batch that the processes of a group have.

    The gradient is the sum of those of all processes. So if each computes the same loss of the
    whole batch, each share has R times its gradient, for R processes, and the mean over processes
    that `DistributedDataParallel` takes is the gradient of that loss. (An in-place
    `torch.distributed.all_reduce` or `all_gather` passes on the gradient of one process alone,
    which makes it one R-th of that.)

    Arguments:
        share: Samples of this process, with shape (n, ...), where n may differ between processes.
        group: The processes, such as `torch.distributed.group.WORLD`.

    Returns:
        All samples, in the order of the ranks.
    """
    num = torch.tensor([len(share)], device=share.device)
    nums = all_gather_single(num, 0, group).tolist()
    longest = max(nums)
    padding = [0, 0] * (share.ndim - 1) + [0, longest - len(share)]
    shares = all_gather_single(pad(share, padding), 0, group).split(longest)
    return torch.cat([share[:num] for share, num in zip(shares, nums)])
