"""The processes of one training, as torchrun starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from iidgan.errors import InputError

TIMEOUT = timedelta(hours=6)
"""How long processes wait for the first one, which saves and measures; if it fails, torchrun ends
them."""
_CPU = torch.device("cpu")


class TrainingProcesses:
    """The processes that train one run; the first of them, the leader, writes its files.

    Arguments:
        group: The processes.
    """

    def __init__(self, group: dist.ProcessGroup) -> None:
        self.group = group

    @property
    def is_leader(self) -> bool:
        """Whether this is the first process."""
        return dist.get_rank(self.group) == 0

    @property
    def num_processes(self) -> int:
        """Number of processes."""
        return dist.get_world_size(self.group)

    def broadcast(self, value: object = None) -> Any:  # noqa: ANN401 - the leader's value
        """Return the value of the leader in every process.

        Arguments:
            value: The value; that of other processes is not read.
        """
        values = [value]
        dist.broadcast_object_list(values, src=0, group=self.group, device=_CPU)
        return values[0]

    def agree(self, *, flag: bool) -> bool:
        """Return whether the flag of any process is set.

        Arguments:
            flag: The flag of this process.
        """
        num_set = torch.tensor(int(flag))
        dist.all_reduce(num_set, group=self.group)
        return bool(num_set)


@contextmanager
def join_processes(device: torch.device) -> Iterator[TrainingProcesses]:
    """Join the processes that torchrun started with this one, and leave them on exit.

    Arguments:
        device: Device of this process, which no other one uses if it is a GPU.

    Raises:
        InputError: Another process has ended.
    """
    if dist.is_initialized():  # by the script that trains
        yield TrainingProcesses(dist.group.WORLD)  # type: ignore[arg-type]
        return
    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"
    store, rank, num_processes = next(
        dist.rendezvous("env://", timeout=TIMEOUT)  # type: ignore[attr-defined]
    )
    dist.init_process_group(
        backend,
        timeout=TIMEOUT,
        store=_separate_attempts(store),
        rank=rank,
        world_size=num_processes,
    )
    try:
        yield TrainingProcesses(dist.group.WORLD)  # type: ignore[arg-type]
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo/transport" in str(error):
            raise InputError(
                "torchrun: the connection to another process is lost, see its message; the same "
                "command resumes"
            ) from error
        raise
    finally:
        dist.destroy_process_group()


def _separate_attempts(store: Any) -> Any:  # noqa: ANN401 - a store of torch.distributed
    """Separate the addresses of processes from those of processes that torchrun restarted.

    On one machine, torchrun keeps its store, where new processes would find the ports of old ones.
    """
    if os.environ["LOCAL_WORLD_SIZE"] != os.environ["WORLD_SIZE"]:
        return store  # restarts are counted by each machine for itself
    prefix = f"attempt {os.environ['TORCHELASTIC_RESTART_COUNT']}"
    return dist.PrefixStore(prefix, store)  # type: ignore[attr-defined]


def choose_local_device(name: str) -> str:
    """Return the name of the GPU of this process, among those of its machine.

    Arguments:
        name: The requested device; other names than `auto` and `cuda` stay.
    """
    if name in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return name
