"""One training of a run: it owns the run directory, and splits the seeds into sessions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from iidgan.config.plugins import check_importable, describe_main_script_classes, list_types
from iidgan.config.run import Run
from iidgan.core import Source, list_path_fields
from iidgan.engine import checkpoint
from iidgan.engine.checkpoint import LatestCheckpoints
from iidgan.engine.compile import Executor, check_executor
from iidgan.engine.loop import LoopSchedule, Outcome
from iidgan.errors import MissingFileError
from iidgan.records import MetricRecord
from iidgan.training.coverage_history import collect_histories, have_collapsed
from iidgan.training.diagnosis_interval import choose_diagnosis_interval
from iidgan.training.export import load as load_model
from iidgan.training.model import Model
from iidgan.training.plan import Auto, ExecutionPlan, choose_plan
from iidgan.training.run_dir import RunDir
from iidgan.training.session import ProgressCallback, RunSpec, TrainSession, is_measured
from iidgan.utils.files import damaged_name, quarantine, remove_partials


@dataclass(frozen=True)
class Result:
    """Outcome of a training.

    Arguments:
        path: The run directory.
        outcome: How the training ended.
        steps: For each seed the steps taken: separate processes stop at their own steps.
        diverged: For each seed the step at which it diverged, or -1.
        run: The run that was trained.

    Examples:
        One process of a stopped run was at step 900, the other at step 1000:

        >>> from pathlib import Path
        >>> from iidgan import Result, Run
        >>> result = Result(Path("runs/ring"), "stopped", (900, 1000), (-1, -1), Run())
        >>> result.step
        900
    """

    path: Path
    outcome: Outcome
    steps: tuple[int, ...]
    diverged: tuple[int, ...]
    run: Run

    @property
    def step(self) -> int:
        """Steps taken by the seed that took least; once finished, by that which took most.

        A process all of whose seeds diverge ends before the others.
        """
        return min(self.steps) if self.outcome == "stopped" else max(self.steps)

    def describe_steps(self) -> str:
        """Describe the steps for a message: one, or the least and the most."""
        return describe_steps(self.steps)

    @property
    def records(self) -> list[MetricRecord]:
        """All metric records of the run."""
        return RunDir(self.path).read_metric_records()

    def model(self, seed: int | None = None) -> Model:
        """Load the trained networks of one seed, by default the first that did not diverge.

        Arguments:
            seed: Which seed.

        Raises:
            InputError: The seed was not trained, every seed diverged, or files are damaged.
        """
        return load_model(self.path, seed, plugins=list_types(self.run))


class RunSession:
    """One training of a run.

    Arguments:
        spec: The run; paths of its source become absolute.
        on_progress: Callback for messages and log records.

    Attributes:
        whole: The session of all seeds.
        must_measure: Whether metric records were lost, and metrics are to be measured again.

    Raises:
        InputError: Other programs could not import a class of the run, or its data cannot be read.
    """

    def __init__(self, spec: RunSpec, on_progress: ProgressCallback) -> None:
        run = replace(spec.run, source=_resolve_paths(spec.run.source))
        check_importable(run)
        self.spec, self.on_progress = replace(spec, run=run), on_progress
        self.run_dir = self.spec.run_dir
        self.whole = TrainSession(self.spec, spec.seeds, on_progress=on_progress)
        self.must_measure = False
        self._checkpoints = LatestCheckpoints({}, {})

    @contextmanager
    def claim_run_dir(self) -> Iterator[None]:
        """Check that the run can be trained, and lock and claim its directory.

        The directory is checked before it is locked, too: nothing is written to a wrong one.

        Raises:
            InputError: A loss fails, or the directory holds a different run.
            FolderInUseError: Another process is training in the directory.
        """
        run, seeds, data = self.spec.run, self.spec.seeds, self.whole.data
        context = self.whole.context
        context.train_step.dry_run(context.batches.batches_at(0))
        if self.spec.diagnose_every not in (0, "auto"):
            self.whole.prepare_diagnosis()
        self.run_dir.check_free(run, seeds, data)
        self.run_dir.check_files()
        with self.run_dir.lock():
            self.run_dir.claim(run, seeds, self.spec.device, data)
            yield

    def resume(self) -> None:
        """Load the newest checkpoints, and remove what was written after them."""
        checkpoint_dir, best_dir = self.run_dir.checkpoint_dir, self.run_dir.best_dir
        checkpoints = checkpoint_dir.glob("step-*")
        past_dir = self.run_dir.past_dir
        for folder in (self.run_dir.path, checkpoint_dir, *checkpoints, best_dir, past_dir):
            remove_partials(folder)
        self._checkpoints = latest = checkpoint.find_latest(checkpoint_dir, self.spec.identity)
        last_plan = ExecutionPlan.from_description(self.run_dir.read_execution())
        # Before anything is written, since it may be refused.
        if len(self._seed_groups) == 1 and (note := self.whole.load(latest.files)):
            self.notify(note)
        for path, reason in latest.damaged.items():
            moved_path = quarantine(path)  # otherwise it counts among the checkpoints to keep
            self.notify(f"{path} is damaged ({reason}); renamed it to {moved_path.name}")
            self.run_dir.log_event("damaged checkpoint", path=path.name, reason=reason)
        damaged_files = self._truncate_logs()
        if message := self._describe_progress():
            self.notify(message)
        self.must_measure = self.run_dir.metrics_file in damaged_files
        self.whole.plan = last_plan if latest.files else None
        if len(self._seed_groups) == 1:
            self.whole.measure_if_needed(must_measure=self.must_measure)
        else:  # sessions of the other seeds measure themselves before they train on
            done_groups = [seeds for seeds in self._seed_groups if self._is_done(seeds)]
            self._measure_groups(done_groups, must_measure=self.must_measure)

    def _is_done(self, seeds: Sequence[int]) -> bool:
        return self._group_outcome(seeds) is not None

    def _measure_groups(
        self, groups: Sequence[tuple[int, ...]], *, must_measure: bool = False
    ) -> None:
        """Measure seeds that have not been, each group at its step."""
        for seeds in groups:
            steps = {seed: self._checkpoints.step_of(seed) for seed in seeds}
            if must_measure or not is_measured(self.spec, steps):
                self._open_session(seeds).measure()

    def _open_session(self, seeds: Sequence[int]) -> TrainSession:
        session = TrainSession(
            self.spec,
            seeds,
            on_progress=self.on_progress,
            data=self.whole.data,
            plan=self.whole.plan,
        )
        session.load(self._checkpoints.files)
        return session

    def _describe_progress(self) -> str:
        if not max(self._steps):
            return "no valid checkpoint left; starting over" if self._checkpoints.damaged else ""
        status_text = "resuming from" if self.outcome is None else f"already {self.outcome} at"
        return f"{status_text} {describe_steps(self._steps)}"

    def _truncate_logs(self) -> dict[Path, str]:
        """Remove what was written after the present steps, and report damaged lines."""
        damaged_files = self.run_dir.truncate_logs(dict(zip(self.spec.seeds, self._steps)))
        for path, reason in damaged_files.items():
            self.notify(
                f"{reason}; removed the damaged lines, and kept the file as "
                f"{damaged_name(path).name}"
            )
            self.run_dir.log_event("damaged file", path=path.name, reason=reason)
        return damaged_files

    @property
    def _steps(self) -> list[int]:
        """For each seed the number of steps taken."""
        return [self._checkpoints.step_of(seed) for seed in self.spec.seeds]

    @property
    def _seed_groups(self) -> list[tuple[int, ...]]:
        """The seeds, split wherever the number of steps taken changes."""
        return self._checkpoints.group_seeds(self.spec.seeds)

    @property
    def outcome(self) -> Outcome | None:
        """How the run has ended, or None while there are steps left."""
        outcomes = [self._group_outcome(seeds) for seeds in self._seed_groups]
        if None in outcomes:
            return None
        return next(
            outcome for outcome in ("finished", "collapsed", "diverged") if outcome in outcomes
        )

    def _group_outcome(self, seeds: Sequence[int]) -> Outcome | None:
        if all(self._checkpoints.diverged_step_of(seed) >= 0 for seed in seeds):
            return "diverged"
        step, num_steps = self._checkpoints.step_of(seeds[0]), self.spec.run.steps
        if step >= num_steps:
            return "finished"
        if not self.spec.stop_when_collapsed:
            return None
        histories = collect_histories(self.run_dir.read_metric_records(), seeds, step)
        diverged = {seed: self._checkpoints.diverged_step_of(seed) for seed in seeds}
        return "collapsed" if have_collapsed(histories, diverged, num_steps) else None

    def choose_plan(self, executor: Executor | Auto, workers: int | Auto) -> ExecutionPlan:
        """Choose how to execute the run.

        With `auto`, a resumed run keeps what it was last started with: another executor or number
        of processes would round differently, and so change the result. On another device, or with
        another number of threads, it is chosen again.

        Arguments:
            executor: The requested executor.
            workers: The requested number of processes.
        """
        execution = self.run_dir.read_execution() if max(self._steps) else {}
        last_plan = ExecutionPlan.from_description(execution)
        is_same_device = execution.get("device") == self.whole.collect_provenance()["device"]
        if last_plan is not None and is_same_device:
            executor = last_plan.executor if executor == "auto" else executor
            workers = last_plan.workers if workers == "auto" else workers
        return choose_plan(self.whole.context, executor, workers)

    def choose_schedule(self, checkpoint_every: int) -> LoopSchedule:
        """Choose when the training is diagnosed, which depends on the run and its data alone.

        Arguments:
            checkpoint_every: Steps between checkpoints.
        """
        diagnose_every = choose_diagnosis_interval(self.whole.context, self.spec.diagnose_every)
        if diagnose_every:
            try:
                self.whole.prepare_diagnosis()
            except MissingFileError as error:  # what nobody asked for must not end a training
                diagnose_every = 0
                self.notify(f"the coverage is not measured during training: {error}")
        schedule = LoopSchedule(
            steps=self.spec.run.steps,
            checkpoint_every=checkpoint_every,
            diagnose_every=diagnose_every,
        )
        if self.spec.stop_when_collapsed and not schedule.is_diagnosis_step(schedule.steps):
            self.notify(
                "stop-when-collapsed has no effect: the coverage is not measured in this run; "
                f"--diagnose-every N with N of at most {schedule.steps} measures it"
            )
        return schedule

    def start(self, plan: ExecutionPlan) -> None:
        """Record that training starts, and how it is executed.

        Arguments:
            plan: How it is executed.
        """
        self.whole.plan = plan
        self.whole.record_execution()
        if message := self.whole.evaluator.warning:
            self.notify(message)
        provenance = self.whole.collect_provenance()
        self.run_dir.log_event("started", step=min(self._steps), **provenance)

    def split_by_step(self) -> list[TrainSession]:
        """Create the sessions that one process trains, each of seeds at the same step."""
        if len(self._seed_groups) == 1:
            return [self.whole]
        unfinished = [seeds for seeds in self._seed_groups if not self._is_done(seeds)]
        sessions = [self._open_session(seeds) for seeds in unfinished]
        for session in sessions:
            session.measure_if_needed(must_measure=self.must_measure)
        return sessions

    def split_for_workers(self, workers: int) -> list[tuple[int, ...]]:
        """Split the seeds into shares for several processes, each of seeds at the same step.

        The shares are those of a new run wherever their seeds are at the same step.

        Arguments:
            workers: Number of processes.

        Returns:
            The seeds of each share that has steps left.
        """
        shares = partition_seeds(self.spec.seeds, workers)
        groups = [seeds for share in shares for seeds in self._checkpoints.group_seeds(share)]
        return [seeds for seeds in groups if not self._is_done(seeds)]

    def finish(self) -> Result:
        """Measure what damage left unmeasured, log how training ended, and summarise it."""
        latest = checkpoint.find_latest(self.run_dir.checkpoint_dir, self.spec.identity)
        self._checkpoints = latest
        self._measure_groups([seeds for seeds in self._seed_groups if seeds[0] in latest.files])
        result = self.make_result(self.outcome or "stopped")
        self.run_dir.log_event(result.outcome, step=result.step)
        return result

    def make_result(self, outcome: Outcome) -> Result:
        """Summarise the training so far.

        Arguments:
            outcome: How training ended.
        """
        diverged = tuple(map(self._checkpoints.diverged_step_of, self.spec.seeds))
        return Result(self.run_dir.path, outcome, tuple(self._steps), diverged, self.spec.run)

    def notify(self, message: str) -> None:
        """Pass a message on to the user.

        Arguments:
            message: Text for the user.
        """
        self.on_progress(message, None)

    def report_lost_worker(self, message: str) -> None:
        """Log that a worker process ended unexpectedly.

        Arguments:
            message: Which process ended, and how, for the log.
        """
        self.run_dir.log_event("lost a worker", news=message)
        self.notify(message)


@contextmanager
def open_run(
    spec: RunSpec, *, executor: Executor | Auto, on_progress: ProgressCallback
) -> Iterator[RunSession]:
    """Lock a run directory, and open a session at its newest checkpoints.

    Arguments:
        spec: What to train, and where to save it.
        executor: The requested executor.
        on_progress: Callback for messages and log records.

    Raises:
        InputError: The device does not support the executor, the run cannot be trained, or the
            directory holds a different run.
        FolderInUseError: Another process is training in the directory.
    """
    if executor != "auto":
        check_executor(executor, spec.device)
    session = RunSession(spec, on_progress)
    with session.claim_run_dir():
        for note in (describe_main_script_classes(session.spec.run), *session.whole.data.notes):
            if note:
                session.notify(note)
        session.resume()
        session.run_dir.renew(session.spec.run)
        yield session


def describe_steps(steps: Sequence[int]) -> str:
    """Describe the steps of several seeds: one, or the least and the most.

    Arguments:
        steps: Steps taken by each seed.

    Examples:
        >>> from iidgan.training.run_session import describe_steps
        >>> describe_steps([2000, 2000])
        'step 2000'
        >>> describe_steps([900, 1000])
        'steps 900 to 1000 (each process stops at its own)'
    """
    first_step, last_step = min(steps), max(steps)
    if first_step == last_step:
        return f"step {last_step}"
    return f"steps {first_step} to {last_step} (each process stops at its own)"


def partition_seeds(seeds: Sequence[int], workers: int) -> list[tuple[int, ...]]:
    """Split seeds in order into at most `workers` shares, whose sizes differ by at most one.

    Arguments:
        seeds: The seeds.
        workers: Largest number of shares.

    Examples:
        >>> from iidgan.training.run_session import partition_seeds
        >>> partition_seeds(range(5), workers=2)
        [(0, 1), (2, 3, 4)]
    """
    workers = min(workers, len(seeds))
    share_bounds = [len(seeds) * i // workers for i in range(workers + 1)]
    return [tuple(seeds[start:end]) for start, end in pairwise(share_bounds)]


def _resolve_paths(source: Source) -> Source:
    """Make the paths of a source absolute, so that the run works from any directory."""
    paths_by_field = {name: getattr(source, name) for name in list_path_fields(source)}
    absolute_paths = {
        name: os.path.abspath(path) for name, path in paths_by_field.items() if path is not None
    }
    return replace(source, **absolute_paths)  # type: ignore[type-var]
