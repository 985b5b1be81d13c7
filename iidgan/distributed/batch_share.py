"""The share of a batch that a process computes with, and what layers ask it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch.distributed as dist
from torch import Tensor, nn

from iidgan.distributed.operators import gather, scatter, sum_over_processes


@dataclass(frozen=True)
class BatchShare:
    """The samples of a batch with which this process computes.

    The batch axis may be shorter than the batch, if networks make one output of several samples;
    the shares are then as much shorter.

    Arguments:
        bounds: Process r has the samples from `bounds[r]` to `bounds[r + 1]`, at least one.
        group: The processes.
    """

    bounds: tuple[int, ...]
    group: dist.ProcessGroup

    @classmethod
    def divide(cls, num_samples: int, unit: int, group: dist.ProcessGroup) -> BatchShare | None:
        """Divide a batch as evenly as possible; None if there is not a share for each process.

        Arguments:
            num_samples: Number of samples.
            unit: Number of consecutive samples that stay together.
            group: The processes.
        """
        num_units, num_processes = -(-num_samples // unit), dist.get_world_size(group)
        if num_units < num_processes:
            return None
        starts = [num_units * rank // num_processes for rank in range(num_processes + 1)]
        return cls(tuple(min(unit * start, num_samples) for start in starts), group)

    @property
    def num_samples(self) -> int:
        """Number of samples of this process."""
        rank = dist.get_rank(self.group)
        return self.bounds[rank + 1] - self.bounds[rank]

    def scatter(self, whole: Tensor, dim: int) -> Tensor:
        """Select the share of this process.

        Arguments:
            whole: Values of the whole batch.
            dim: Batch axis.
        """
        bounds = self._scale_bounds(whole.shape[dim], self.bounds[-1])
        return scatter(whole, bounds, dim, self.group)

    def gather(self, share: Tensor, dim: int) -> Tensor:
        """Concatenate the shares of all processes.

        Arguments:
            share: Values of the share of this process.
            dim: Batch axis.
        """
        bounds = self._scale_bounds(share.shape[dim], self.num_samples)
        return gather(share, bounds, dim, self.group)

    def mean(self, share: Tensor, dims: Sequence[int]) -> Tensor:
        """Compute the mean of the whole batch over its first and other axes, which are kept.

        Arguments:
            share: Values of the share of this process, with the batch axis first.
            dims: The axes, among them the first.
        """
        numbers_per_sample = math.prod(share.shape[dim] for dim in dims) / self.num_samples
        total = sum_over_processes(share.sum(tuple(dims), keepdim=True), self.group)
        return total / (self.bounds[-1] * numbers_per_sample)

    def _scale_bounds(self, size: int, num_samples: int) -> tuple[int, ...]:
        return tuple(bound * size // num_samples for bound in self.bounds)

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Let layers know that what they get is a share."""
        token = _active_share.set(self)
        try:
            yield
        finally:
            _active_share.reset(token)


_active_share: ContextVar[BatchShare | None] = ContextVar("active share", default=None)


def active_share() -> BatchShare | None:
    """Return the share that a network is being evaluated on; None if it gets the whole batch.

    Layers whose outputs depend on other samples of the batch compute with it.
    """
    return _active_share.get()


def find_unit(network: nn.Module) -> int:
    """Return how many consecutive samples a network has to see together.

    It is the least common multiple of `share_unit` of its modules, where they have it: the number
    of samples of which they make one output, or after which they treat samples in the same way.

    Arguments:
        network: A network.
    """
    units = (getattr(module, "share_unit", 1) for module in network.modules())
    return math.lcm(*units)
