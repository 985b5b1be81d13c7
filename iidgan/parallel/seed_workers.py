"""One run whose seeds are split across worker processes, one core each."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

from iidgan.engine.loop import LogRecord, LoopSchedule, StopRequest
from iidgan.errors import InputError
from iidgan.parallel.jobs import SeedsJob
from iidgan.parallel.pool import PROCESS_ENDED, PoolCallbacks, train_jobs
from iidgan.training.plan import ExecutionPlan
from iidgan.training.run_session import RunSession
from iidgan.utils.files import describe_error


def train_in_workers(
    run_session: RunSession, plan: ExecutionPlan, schedule: LoopSchedule, stop: StopRequest
) -> None:
    """Train the seeds of a run in `plan.workers` processes, which do not wait for each other.

    Arguments:
        run_session: The run, whose directory is locked.
        plan: How the run is executed, and in how many processes.
        schedule: Length of the run, and steps between checkpoints and diagnoses.
        stop: Saves and ends all processes when requested.

    Raises:
        InputError: The seeds of a process cannot be trained, or it ended unexpectedly twice. The
            other processes have saved their seeds.
    """
    jobs = [
        SeedsJob(
            spec=run_session.spec,
            seeds=seeds,
            plan=plan,
            schedule=schedule,
            must_measure=run_session.must_measure,
        )
        for seeds in run_session.split_for_workers(plan.workers)
    ]
    _check_picklable(jobs)
    shown_messages: set[str] = set()

    def show_progress(job_index: int, message: str, record: LogRecord | None) -> None:
        if record is not None:
            shown_messages.clear()  # a message that is repeated later is shown again
            run_session.on_progress(message, record)
        elif message not in shown_messages:  # workers say the same
            shown_messages.add(message)
            run_session.notify(message)

    def check_outcome(job_index: int, outcome: str) -> None:
        kind, _, reason = outcome.partition(": ")
        if kind in ("failed", "busy"):
            seeds_text = _list_seeds(jobs[job_index])
            advice = "; rerun the same command to resume, or add --workers 1 for one process"
            raise InputError(
                f"workers: training of {seeds_text} failed ({reason})"
                + (advice if reason.startswith(PROCESS_ENDED) else "")
            )

    def report_restart(job_index: int, message: str) -> None:
        run_session.report_lost_worker(f"{_list_seeds(jobs[job_index])}: {message}")

    callbacks = PoolCallbacks(
        on_progress=show_progress, on_outcome=check_outcome, on_restart=report_restart
    )
    train_jobs(jobs, workers=plan.workers, num_threads=1, callbacks=callbacks, stop=stop)


def _check_picklable(jobs: Sequence[SeedsJob]) -> None:
    """Check that jobs can be sent to other processes.

    Raises:
        InputError: A component of the run, or a metric, is defined where they cannot import it.
    """
    try:
        pickle.dumps(jobs)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"workers: another process cannot get this run ({describe_error(error)}); define its "
            "classes at the top level of a module, or use --workers 1"
        ) from error


def _list_seeds(job: SeedsJob) -> str:
    return f"seed{'s' if len(job.seeds) > 1 else ''} {', '.join(map(str, job.seeds))}"
