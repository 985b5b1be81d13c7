"""How a run is executed: eagerly, compiled or as a CUDA graph, and in how many processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from iidgan.engine.compile import Executor, compile_step
from iidgan.engine.step import StepFn
from iidgan.training.context import TrainContext
from iidgan.utils.processes import num_cores

Auto = Literal["auto"]

MIN_STEPS_TO_COMPILE = 8_000
"""Compiling takes about 30 s, the first time; it saves about 4 ms a step with five seeds (IID-GAN
on Ring), and 2.5 ms with one."""
MIN_STEPS_FOR_WORKERS = 2_000
"""Starting processes takes about 4 s; a second one saves about 2 ms a step (IID-GAN on Ring)."""
MIN_IMAGE_STEPS_FOR_WORKERS = 100
"""The same on images, where a step takes a tenth of a second or more."""


@dataclass(frozen=True)
class ExecutionPlan:
    """How a run is executed.

    Arguments:
        executor: How steps are executed.
        workers: Processes across which the seeds are split.
        processes: Processes across which every batch is split.

    Examples:
        >>> from iidgan.training.plan import ExecutionPlan
        >>> plan = ExecutionPlan("compiled", workers=2)
        >>> plan.describe()
        {'executor': 'compiled', 'workers': '2'}
        >>> ExecutionPlan.from_description(plan.describe()) == plan
        True
    """

    executor: Executor
    workers: int
    processes: int = 1

    def describe(self) -> dict[str, str]:
        """What `run.json`, events and metric records say of the plan."""
        processes = {"processes": str(self.processes)} if self.processes > 1 else {}
        return {"executor": self.executor, "workers": str(self.workers), **processes}

    @classmethod
    def from_description(cls, description: Mapping[str, str]) -> ExecutionPlan | None:
        """Invert `describe`; None without a description.

        Arguments:
            description: Result of `describe`, or an empty mapping.
        """
        if not description:
            return None
        executor, workers = description["executor"], description["workers"]
        processes = description.get("processes", "1")
        return cls(cast(Executor, executor), int(workers), int(processes))


def choose_plan(
    context: TrainContext,
    executor: Executor | Auto,
    workers: int | Auto,
    *,
    cores: int | None = None,
) -> ExecutionPlan:
    """Choose what is `auto`, from the device, the kind of data and the remaining steps.

    CUDA devices use CUDA graphs, other accelerators run eagerly, both in one process. On a CPU,
    long runs on points are compiled, and long runs on any data use one process per core.

    Arguments:
        context: The run to execute.
        executor: The requested executor.
        workers: The requested number of processes.
        cores: Available cores; counted by default.

    Returns:
        A plan without `auto`.
    """
    device_type = next(context.state.nets.parameters()).device.type
    remaining_steps = context.run.steps - context.state.step
    is_image = context.data.is_image
    if executor == "auto":
        is_long = not is_image and remaining_steps >= MIN_STEPS_TO_COMPILE
        executor = "compiled" if device_type == "cpu" and is_long else "eager"
        executor = "graphed" if device_type == "cuda" else executor
    if workers == "auto":
        min_steps = MIN_IMAGE_STEPS_FOR_WORKERS if is_image else MIN_STEPS_FOR_WORKERS
        is_split = device_type == "cpu" and remaining_steps >= min_steps
        workers = (cores or num_cores()) if is_split else 1
    return ExecutionPlan(executor, min(workers, len(context.seeds)))


def build_step(
    executor: Executor,
    context: TrainContext,
    on_message: Callable[[str], None] = lambda message: None,
) -> tuple[StepFn, Executor]:
    """Build the step function of a run.

    Arguments:
        executor: How the step is to be executed.
        context: The run.
        on_message: Callback for messages about compilation, including later ones and failures.

    Returns:
        The step function, and how it is executed: `eager` where it could not be compiled.
    """
    example_batches = context.batches.batches_at(context.state.step)
    step = compile_step(executor, context.train_step, example_batches, on_message)
    return step, "eager" if step is context.train_step else executor
