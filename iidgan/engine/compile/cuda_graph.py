"""The move of the players that are active now, recorded on a CUDA device and replayed there.

A step of a small network is some hundred kernels of a few microseconds each, which the processor
cannot launch as fast as the device ends them. A CUDA graph is launched at once. It reads and
writes the same memory every time: the state's tensors, and copies of the batches.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from iidgan.core import Batch, Losses
from iidgan.engine.compile.capture import flatten, unflatten
from iidgan.engine.compile.verify import Moving, ensure_agreement
from iidgan.engine.state import undone

Replay = Callable[[], None]


TOLERANCE = 0.01  # of a step's length: the kernels are the same
WARM_UP = 3  # moves before recording: libraries choose their kernels and take their memory


def on_device(work: Callable[[], Tensor]) -> tuple[Replay, Tensor]:
    """Records what `work` launches; gives what repeats it, and where its result will lie.

    Raises:
        RuntimeError: It waits for the device, which a recording cannot.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            work()
        with _refusing_to_wait():
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    # The outer context comes back from the stream of a recording that fails.
    with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph):
        result = work()
    return graph.replay, result


@contextmanager
def _refusing_to_wait() -> Iterator[None]:
    """Lets nothing wait for the device: met by a recording, it can break libraries for good."""
    mode = torch.cuda.get_sync_debug_mode()
    try:
        _set_waiting("error")
        yield
    finally:
        _set_waiting(mode)


def _set_waiting(mode: str | int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it does not find every wait
        torch.cuda.set_sync_debug_mode(mode)


class Graphed:
    """A move as one recorded graph of kernels.

    Arguments:
        move: What is recorded.
        example: Batches of the right shapes.
        record: Makes a function repeat itself, always on the same memory.
    """

    def __init__(
        self,
        move: Moving,
        example: Sequence[Batch],
        record: Callable[[Callable[[], Tensor]], tuple[Replay, Tensor]] = on_device,
    ) -> None:
        self._inputs = [part.clone() for part in flatten(example)]
        self._names: list[str] = []
        batches = unflatten(self._inputs, example)

        def work() -> Tensor:
            logs = move(batches)
            self._names = list(logs)
            return torch.stack(list(logs.values()))

        with undone(move.state):
            move(batches)  # optimisers make their tensors at the first step
            self._replay, self._logs = record(work)
        self._move = move  # its constants, which the kernels read, are to stay where they are
        self.state = move.state
        ensure_agreement(move, self, batches, tolerance=TOLERANCE)

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        torch._foreach_copy_(self._inputs, flatten(batches))
        self._replay()
        return dict(zip(self._names, self._logs.clone(), strict=True))
