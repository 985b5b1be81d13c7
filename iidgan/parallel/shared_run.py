"""One run that several processes train together, each on its share of every batch.

The first process, the leader, does all that one process would do: it opens the run directory,
measures and saves. It tells the others what to train, from which state, and how it ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from iidgan.core import Dataset
from iidgan.distributed.processes import TrainingProcesses
from iidgan.engine.compile import Executor
from iidgan.engine.loop import LoopSchedule, StopRequest, run_training_loop
from iidgan.engine.state import named_tensors, restore_state
from iidgan.errors import InputError
from iidgan.parallel.batched_runs import BatchedSessions, group_by_step
from iidgan.training.context import TrainContext
from iidgan.training.plan import Auto, ExecutionPlan
from iidgan.training.run_session import Result, RunSession
from iidgan.training.session import RunSpec, load_data


class AgreedStop(StopRequest):
    """A stop request that all processes honour at the same step, whichever of them got it.

    Arguments:
        stop: The stop request of this process.
        processes: The processes.
    """

    def __init__(self, stop: StopRequest, processes: TrainingProcesses) -> None:
        super().__init__()
        self._stop, self._processes = stop, processes

    @property
    def requested(self) -> bool:
        """Whether to stop now; all processes have to ask at the same time."""
        return self._processes.agree(flag=self._stop.requested)


@dataclass(frozen=True)
class _SharedTraining:
    """What the leader tells the others before they train together.

    Arguments:
        run_id: Id of the run.
        data_digest: Digest of its data.
        seeds: The seeds that are trained.
        schedule: Length of the run and intervals.
        step: Number of steps taken.
        diverged: Step at which each seed diverged, or -1.
        tensors: The state, on the CPU.
    """

    run_id: str
    data_digest: str
    seeds: tuple[int, ...]
    schedule: LoopSchedule
    step: int
    diverged: Tensor
    tensors: dict[str, Tensor]


def plan_shared_run(
    spec: RunSpec, executor: Executor | Auto, workers: int | Auto, processes: TrainingProcesses
) -> ExecutionPlan:
    """Return how several processes execute one run.

    Arguments:
        spec: The run.
        executor: The requested executor.
        workers: The requested number of processes for the seeds.
        processes: The processes that share its batches.

    Raises:
        InputError: It cannot be executed so.
    """
    num_processes = processes.num_processes
    if executor not in ("auto", "eager"):
        raise InputError(
            f"executor: processes that share batches take eager steps, got {executor}; leave it "
            "out, or train without torchrun"
        )
    if workers not in ("auto", 1):
        raise InputError(
            f"workers: with torchrun, all {num_processes} processes train all seeds, got "
            f"{workers}; leave it out, or train without torchrun"
        )
    if spec.run.batch < num_processes:
        raise InputError(
            f"batch: must have a sample for each of {num_processes} processes, got "
            f"{spec.run.batch}; start fewer processes"
        )
    return ExecutionPlan("eager", workers=1, processes=num_processes)


def lead_training(
    run_session: RunSession,
    *,
    plan: ExecutionPlan,
    checkpoint_every: int,
    stop: StopRequest,
    processes: TrainingProcesses,
) -> None:
    """Train a run as the first of several processes.

    Arguments:
        run_session: The run, whose directory is locked.
        plan: How it is executed, as of `plan_shared_run`.
        checkpoint_every: Steps between checkpoints.
        stop: Saves and ends when requested.
        processes: The processes.
    """
    schedule = run_session.choose_schedule(checkpoint_every)
    run_session.start(plan)
    for sessions in group_by_step(run_session.split_by_step()):
        batched_sessions = BatchedSessions(sessions)
        context = batched_sessions.context
        processes.broadcast(_describe_training(context, schedule))
        context.train_step.group = processes.group
        batched_sessions.fit(
            schedule, AgreedStop(stop, processes), share_verdict=processes.broadcast
        )


def _describe_training(context: TrainContext, schedule: LoopSchedule) -> _SharedTraining:
    state = context.state
    return _SharedTraining(
        run_id=context.run.id,
        data_digest=context.data.compute_sha256(),
        seeds=context.seeds,
        schedule=schedule,
        step=state.step,
        diverged=state.diverged,
        tensors={name: value.cpu() for name, value in named_tensors(state).items()},
    )


def follow_training(spec: RunSpec, stop: StopRequest, processes: TrainingProcesses) -> Result:
    """Train a run as another process than the first, without touching its directory.

    Arguments:
        spec: The run.
        stop: Ends all processes when requested.
        processes: The processes.

    Returns:
        The result of the leader.

    Raises:
        InputError: The run or its data are not those of the leader.
    """
    data = load_data(spec.run.source)
    while isinstance(message := processes.broadcast(), _SharedTraining):
        _check_equal(spec, data, message)
        context = _create_context(spec, data, message)
        context.train_step.group = processes.group
        run_training_loop(
            context.state,
            context.train_step,
            context.batches,
            spec.run.optimiser,
            message.schedule,
            on_log=lambda record: None,
            on_checkpoint=lambda: None,
            on_diagnosis=processes.broadcast,
            stop=AgreedStop(stop, processes),
        )
    assert isinstance(message, Result)
    return message


def _check_equal(spec: RunSpec, data: Dataset, message: _SharedTraining) -> None:
    """Check that this process has the run of the leader.

    Raises:
        InputError: The run or its data differ.
    """
    own_digests = {"run": spec.run.id, "source": data.compute_sha256()}
    expected_digests = {"run": message.run_id, "source": message.data_digest}
    for field, digest in own_digests.items():
        if digest != expected_digests[field]:
            raise InputError(
                f"{field}: all processes must have the same, got {digest[:12]} in this one and "
                f"{expected_digests[field][:12]} in the first; give all machines the same command "
                "and data"
            )


def _create_context(spec: RunSpec, data: Dataset, message: _SharedTraining) -> TrainContext:
    context = TrainContext.create(spec.run, message.seeds, data.to(spec.device), spec.device)
    restore_state(context.state, message.tensors)
    context.state.step = message.step
    context.state.diverged = message.diverged
    return context
