"""Capture of a training step as a CUDA graph, which is replayed on the device.

A step of a small network is about a hundred kernels of a few microseconds each, and the CPU cannot
launch them as fast as the device completes them. A CUDA graph is launched at once. It reads and
writes the same memory in every replay: the state's tensors, and copies of the batches.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from iidgan.core import Batch, Losses
from iidgan.engine.compile.capture import flatten_batches, unflatten_batches
from iidgan.engine.compile.verify import StatefulStep, Tolerance, assert_equivalent
from iidgan.engine.state import rollback

Replay = Callable[[], None]
"""Repeats captured work on the same memory."""

GRAPH_TOLERANCE = Tolerance(weights=0.01)  # the kernels are the same
WARM_UP_STEPS = 3  # steps before capture, in which libraries choose kernels and allocate memory


def capture_cuda_graph(work: Callable[[], Tensor]) -> tuple[Replay, Tensor]:
    """Capture the kernels that `work` launches.

    Arguments:
        work: Launches the kernels, on the same memory in every call.

    Returns:
        A function that replays them, and the tensor that holds the result after each replay.

    Raises:
        RuntimeError: `work` synchronises with the device, which a capture does not allow.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP_STEPS):
            work()
        with _synchronisation_forbidden():
            work()
    torch.cuda.current_stream().wait_stream(stream)
    cuda_graph = torch.cuda.CUDAGraph()
    # If the capture fails, the outer context switches back from the capturing stream.
    with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(cuda_graph):
        result = work()
    return cuda_graph.replay, result


@contextmanager
def _synchronisation_forbidden() -> Iterator[None]:
    """Raise an error on synchronisation: within a capture it can break CUDA libraries for good."""
    mode_before = torch.cuda.get_sync_debug_mode()
    try:
        _set_sync_debug_mode("error")
        yield
    finally:
        _set_sync_debug_mode(mode_before)


def _set_sync_debug_mode(mode: str | int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that not every synchronisation is detected
        torch.cuda.set_sync_debug_mode(mode)


class CudaGraphStep:
    """A training step as one captured graph of kernels.

    Arguments:
        step: Step to capture; the state stays as it is.
        example: Batches of the right shapes.
        capture: Captures a function for replay on the same memory.
    """

    def __init__(
        self,
        step: StatefulStep,
        example: Sequence[Batch],
        capture: Callable[[Callable[[], Tensor]], tuple[Replay, Tensor]] = capture_cuda_graph,
    ) -> None:
        self._inputs = [value.clone() for value in flatten_batches(example)]
        self._loss_names: list[str] = []
        batches = unflatten_batches(self._inputs, example)

        def step_on_inputs() -> Tensor:
            losses = step(batches)
            self._loss_names = list(losses)
            return torch.stack(list(losses.values()))

        with rollback(step.state):
            step(batches)  # optimisers create their tensors in the first step
            self._replay, self._loss_values = capture(step_on_inputs)
        self._step = step  # keeps its constants alive, which the kernels read
        self.state = step.state
        assert_equivalent(step, self, batches, tolerance=GRAPH_TOLERANCE)

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        torch._foreach_copy_(self._inputs, flatten_batches(batches))
        self._replay()
        return dict(zip(self._loss_names, self._loss_values.clone(), strict=True))
