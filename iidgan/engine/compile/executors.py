"""Executors of a training step: eager, compiled, or captured as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import torch

from iidgan.core import Batch, Losses
from iidgan.engine.compile.cache import load_cached_step, store_cached_step
from iidgan.engine.compile.capture import CompiledStep
from iidgan.engine.compile.cuda_graph import CudaGraphStep
from iidgan.engine.compile.verify import COMPILED_TOLERANCES, assert_equivalent
from iidgan.engine.step import StepFn, StepKind, TrainStep
from iidgan.errors import InputError

Executor = Literal["eager", "compiled", "graphed"]
"""How steps are executed (not a pool of processes); `training.plan` decides what `auto` means."""
StepBuilder = Callable[[TrainStep, Sequence[Batch]], StepFn]
"""Prepares the state's current step, for batches of the example's shapes."""


def build_compiled_step(step: TrainStep, example: Sequence[Batch]) -> StepFn:
    """Compile a step, or load it from the cache; on CUDA its kernels are captured as well.

    On CUDA, code that has to synchronise with the device is not captured.

    Arguments:
        step: Eager step.
        example: Batches of the right shapes.

    Raises:
        RuntimeError: The compiled step differs from the eager one.
    """
    if cached_step := load_cached_step(step, example):
        return cached_step
    compiled_step = CompiledStep.capture(step, example)
    tolerance = COMPILED_TOLERANCES[step.precision]
    for batches in (example, [_shift_progress(batch) for batch in example]):
        assert_equivalent(step, compiled_step, batches, tolerance=tolerance)
    store_cached_step(step, compiled_step)
    if next(step.state.nets.parameters()).is_cuda:
        with suppress(RuntimeError):
            return CudaGraphStep(compiled_step, example)
    return compiled_step


def _shift_progress(batch: Batch) -> Batch:
    """Shift `batch.t`, so that a loss that baked it in as a Python constant is caught."""
    return replace(batch, t=(batch.t + 0.5) % 1)


EXECUTORS: dict[Executor, StepBuilder] = {
    "compiled": build_compiled_step,
    "graphed": CudaGraphStep,
}
ACTIVITIES: dict[Executor, str] = {
    "compiled": "compiling",
    "graphed": "capturing a CUDA graph",
}


def check_executor(name: Executor, device: torch.device) -> None:
    """Check that an executor works on a device.

    Arguments:
        name: Executor.
        device: Device of the state.

    Raises:
        InputError: It does not.

    Examples:
        >>> import torch
        >>> from iidgan.engine.compile import check_executor
        >>> check_executor("graphed", torch.device("cpu"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: executor: graphed requires a CUDA device, got cpu; ...
    """
    if name == "graphed" and device.type != "cuda":
        raise InputError(
            f"executor: graphed requires a CUDA device, got {device}; use compiled instead"
        )


def compile_step(
    name: Executor,
    step: TrainStep,
    example: Sequence[Batch],
    on_message: Callable[[str], None] = lambda text: None,
) -> StepFn:
    """Prepare a step for an executor; the state stays as it is.

    A step that cannot be prepared is executed eagerly, with the same results. A step of another
    kind, in which other players or losses take part, is prepared when it is due.

    Arguments:
        name: Executor.
        step: Eager step, which defines what is computed.
        example: Batches of the right shapes.
        on_message: Called with a short text before each preparation, and when one fails.

    Returns:
        The prepared step, or `step` itself if it is to be executed eagerly.
    """
    if name == "eager":
        return step
    activity = ACTIVITIES[name]

    def build(step: TrainStep, example: Sequence[Batch]) -> StepFn:
        on_message(activity)
        return EXECUTORS[name](step, example)

    def build_or_fall_back(step: TrainStep, example: Sequence[Batch]) -> StepFn:
        try:
            return build(step, example)
        except Exception as error:  # compilers may raise anything
            on_message(_fallback_message(activity, error))
            return step

    try:
        return StepDispatcher(step, example, build=build, build_later=build_or_fall_back)
    except Exception as error:  # compilers may raise anything
        on_message(_fallback_message(activity, error))
        return step


def _fallback_message(activity: str, error: Exception) -> str:
    error_lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{activity} failed ({error_lines[0]}); running eagerly"


class StepDispatcher:
    """Dispatches to one prepared step for each kind of step.

    Arguments:
        step: Eager step.
        example: Batches of the right shapes.
        build: Prepares the first step.
        build_later: Prepares the steps of other kinds; by default `build`.
    """

    def __init__(
        self,
        step: TrainStep,
        example: Sequence[Batch],
        *,
        build: StepBuilder,
        build_later: StepBuilder | None = None,
    ) -> None:
        self._step, self._build_later = step, build_later or build
        self._steps_by_kind: dict[StepKind, StepFn] = {step.kind: build(step, example)}

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        kind = self._step.kind
        if kind not in self._steps_by_kind:
            self._steps_by_kind[kind] = self._build_later(self._step, batches)
        return self._steps_by_kind[kind](batches)
