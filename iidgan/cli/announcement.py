"""What is said before a training: how much is going to be trained, or what it lacks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from iidgan.studies.train_missing import TrainingJob, Workspace, check_trainable


def announce_training(jobs: Sequence[TrainingJob], workspace: Workspace) -> None:
    """Print on standard error how much is trained now, which may take hours.

    Arguments:
        jobs: Jobs to train, at least one.
        workspace: Where they are trained.

    Raises:
        InputError: They cannot be trained, as of `check_trainable`; nothing is printed.
    """
    check_trainable(jobs, workspace)
    num_seeds = sum(len(job.seeds) for job in jobs)
    steps = sorted({job.run.steps for job in jobs})
    step_range = " to ".join(f"{number:,}" for number in dict.fromkeys((steps[0], steps[-1])))
    print(
        f"training {_count(len(jobs), 'run')} of {step_range} steps, {_count(num_seeds, 'seed')} "
        f"in all, on {workspace.backend.describe(len(jobs))}; --no-train shows only what is there",
        file=sys.stderr,
    )


def announce_missing(subject: str, missing: Sequence[str]) -> None:
    """Print on standard error why something cannot be trained.

    Arguments:
        subject: What it is, such as `table: ring`.
        missing: What it lacks and how to get it, one line each.
    """
    print(f"iidgan: {subject} cannot be trained yet; it lacks:", file=sys.stderr)
    print(*(f"  * {line}" for line in missing), sep="\n", file=sys.stderr)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s'[: number != 1]}"
