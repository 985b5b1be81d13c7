"""Training of a run, into a directory with checkpoints, logs, metrics and networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import index
from pathlib import Path
from reprlib import repr as shorten_repr
from typing import get_args

import torch

from iidgan.config.run import Run
from iidgan.core import Metric
from iidgan.distributed.processes import (
    choose_local_device,
    join_processes,
)
from iidgan.engine.compile import Executor
from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError, unknown_name_error
from iidgan.parallel.batched_runs import BatchedSessions, group_by_step
from iidgan.parallel.seed_workers import train_in_workers
from iidgan.parallel.shared_run import follow_training, lead_training, plan_shared_run
from iidgan.training.extra_metrics import resolve_metrics
from iidgan.training.plan import Auto
from iidgan.training.run_session import Result, RunSession, open_run
from iidgan.training.session import ProgressCallback, RunSpec
from iidgan.utils.device import resolve_device
from iidgan.utils.processes import exit_without_main_guard, num_launched_processes

MAX_SEEDS = 10_000
"""Largest number of seeds of a run."""


def train(
    run: Run,
    *,
    out: str | Path,
    seeds: int | Sequence[int] = 1,
    checkpoint_every: int = 2000,
    keep: int = 3,
    keep_networks: bool = False,
    device: str = "auto",
    executor: Executor | Auto = "auto",
    workers: int | Auto = 1,
    metrics: Mapping[str, Metric | str] | Sequence[Metric | str] | None = None,
    diagnose_every: int | Auto = "auto",
    stop_when_collapsed: bool = False,
    on_progress: ProgressCallback = lambda message, record: None,
    stop: StopRequest | None = None,
) -> Result:
    """Train all seeds in parallel, or resume where an earlier call stopped.

    In processes that torchrun starts, all train this run together: each evaluates the networks on
    its share of every batch, and the first one writes the files. The result is, up to rounding,
    that of one process.

    Arguments:
        run: The run to train.
        out: Run directory; it is created if it does not exist.
        seeds: Number of seeds (0, 1, ...), or a list of seeds.
        checkpoint_every: Steps between checkpoints, at each of which metrics are measured.
        keep: Number of newest checkpoints of each seed to keep.
        keep_networks: Whether to keep G, and F, of every checkpoint, in `out/past`.
        device: `cpu`, `cuda`, ..., or `auto`.
        executor: How steps are executed; `auto` compiles long runs. With `auto`, a resumed run
            keeps the executor and the number of processes that it was last started with, on the
            same device with as many threads.
        workers: Processes across which the seeds are split, or `auto` for one per core in long
            runs. They do not wait for each other. Processes import the main module again, so
            scripts need `if __name__ == "__main__":`.
        metrics: Metrics to measure in addition to the registered ones: a mapping from the name of
            the family to a `Metric`, or a list of metrics or of names such as `module:Name`. They
            are not stored in the run directory; pass them again to measure them after resuming.
        diagnose_every: Steps between measurements of the coverage, the share of the data's variety
            that 2,000 samples of a seed show; 0: none. With `auto` they cost at most 2 % of the
            training; short runs have none, nor have mixtures that are known, whose modes are
            counted at every checkpoint. The best networks of each seed are kept in
            `out/best/seed-K`, and a fall below half of the best coverage is reported.
        stop_when_collapsed: Whether to end the training once every seed has collapsed: for three
            measurements in a row, its coverage is below half of its best or below 0.05, and a
            third of the run is over. Several processes each end their own seeds. The same call
            does not train on; without this option it does.
        on_progress: Callback `(message, record)`, called with a message for the user, or with a
            log record and an empty message. Each of several processes has records of its own
            seeds.
        stop: A stop request that other code may trigger. Inside `stop.handle_signals()`, Ctrl-C
            saves a checkpoint and ends the training, as it does on the command line;
            `StopRequest(max_seconds=7200)` does so after two hours.

    Returns:
        Outcome, steps and divergences of the seeds, with access to metric records and models.

    Raises:
        InputError: A field, the data or the run directory is invalid.

    Examples:
        Two steps of a plain GAN; a run of the default length takes minutes.

        >>> import tempfile
        >>> import iidgan
        >>> source, arch = iidgan.Ring(size=100), iidgan.MLP(hidden=(8,))
        >>> run = iidgan.Run(source=source, method=iidgan.GAN(), arch=arch, steps=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = iidgan.train(run, out=f"{folder}/ring", seeds=2)
        ...     samples = result.model(seed=1).sample(1000)
        >>> result.outcome, result.steps, samples.shape
        ('finished', (2, 2), torch.Size([1000, 2]))
    """
    exit_without_main_guard()
    if not isinstance(run, Run):
        raise InputError(f"run: expected a Run such as Run(source=Ring()), got {run!r}")
    seed_list = _resolve_seeds(seeds)
    _check_options(seed_list, checkpoint_every, keep, executor, workers)
    _check_average(run)
    _check_diagnosis_options(diagnose_every, stop_when_collapsed=stop_when_collapsed)
    stop = stop or StopRequest()
    is_shared = num_launched_processes() > 1
    spec = RunSpec(
        run=run,
        seeds=seed_list,
        out=Path(out),
        keep=keep,
        keep_networks=keep_networks,
        device=resolve_device(choose_local_device(device) if is_shared else device),
        metrics=resolve_metrics(metrics),
        diagnose_every=diagnose_every,
        stop_when_collapsed=stop_when_collapsed,
    )
    if not is_shared:
        train_sessions = partial(
            _train_sessions,
            executor=executor,
            workers=workers,
            checkpoint_every=checkpoint_every,
            stop=stop,
        )
        return _train_opened(spec, executor, on_progress, train_sessions)
    with join_processes(spec.device) as processes:
        plan = plan_shared_run(spec, executor, workers, processes)
        if not processes.is_leader:
            return follow_training(spec, stop, processes)
        train_sessions = partial(
            lead_training,
            plan=plan,
            checkpoint_every=checkpoint_every,
            stop=stop,
            processes=processes,
        )
        result: Result = processes.broadcast(
            _train_opened(spec, executor, on_progress, train_sessions)
        )
        return result


def _train_opened(
    spec: RunSpec,
    executor: Executor | Auto,
    on_progress: ProgressCallback,
    train_sessions: Callable[[RunSession], None],
) -> Result:
    """Open the run directory, and train what is left with the function."""
    opened_run = open_run(spec, executor=executor, on_progress=on_progress)
    with torch.random.fork_rng(devices=[]), opened_run as run_session:
        if outcome := run_session.outcome:
            if spec.metrics is not None:
                run_session.notify(
                    f"not measured again; iidgan evaluate {spec.out} --metric NAME measures"
                )
            return run_session.make_result(outcome)
        train_sessions(run_session)
        return run_session.finish()


def _train_sessions(
    run_session: RunSession,
    *,
    executor: Executor | Auto,
    workers: int | Auto,
    checkpoint_every: int,
    stop: StopRequest,
) -> None:
    """Train a run in this process, or in workers."""
    plan = run_session.choose_plan(executor, workers)
    schedule = run_session.choose_schedule(checkpoint_every)
    run_session.start(plan)
    if plan.workers == 1:
        for sessions in group_by_step(run_session.split_by_step()):
            BatchedSessions(sessions).fit(schedule, stop)
    else:
        train_in_workers(run_session, plan, schedule, stop)


def _resolve_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    if not isinstance(seeds, int):
        return tuple(map(index, seeds))
    if not 1 <= seeds <= MAX_SEEDS:
        raise InputError(f"seeds: must be between 1 and {MAX_SEEDS:,}, got {seeds}")
    return tuple(range(seeds))


def _check_options(
    seeds: tuple[int, ...],
    checkpoint_every: int,
    keep: int,
    executor: str,
    workers: int | Auto,
) -> None:
    is_valid = seeds and len(set(seeds)) == len(seeds) and 0 <= min(seeds) <= max(seeds) < 2**63
    if not is_valid:
        raise InputError(
            "seeds: must be one or more distinct integers from 0 to 2**63 - 1, "
            f"got {shorten_repr(seeds)}"
        )
    if len(seeds) > MAX_SEEDS:
        raise InputError(f"seeds: must be at most {MAX_SEEDS:,}, got {len(seeds):,}")
    numbers = {"checkpoint-every": checkpoint_every, "keep": keep}
    if workers != "auto":
        if not isinstance(workers, int):
            raise InputError(f"workers: must be an integer >= 1, or auto, got {workers!r}")
        numbers["workers"] = workers
    for name, number in numbers.items():
        if number < 1:
            raise InputError(f"{name}: must be >= 1, got {number}")
    if executor not in (choices := ("auto", *get_args(Executor))):
        raise unknown_name_error("executor", executor, choices)


def _check_average(run: Run) -> None:
    """Refuse a limit of an average that there is not; runs that were trained so still load."""
    if run.ema_rampup and not run.ema:
        raise InputError(
            f"ema_rampup: limits the average of the weights, got {run.ema_rampup} with ema 0, no "
            "average; set ema, such as 0.999, or ema_rampup to 0"
        )


def _check_diagnosis_options(diagnose_every: int | Auto, *, stop_when_collapsed: bool) -> None:
    if diagnose_every != "auto":
        if type(diagnose_every) is not int or diagnose_every < 0:
            raise InputError(
                f"diagnose-every: must be an integer >= 0, or auto, got {diagnose_every!r}"
            )
        if stop_when_collapsed and diagnose_every == 0:
            raise InputError(
                "stop-when-collapsed: needs the coverage, which diagnose-every 0 does not "
                "measure; use auto or a number of steps"
            )
