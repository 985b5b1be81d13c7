"""The line that says how much is going to be trained."""

from dataclasses import replace

import pytest

from iidgan.cli.announcement import announce_training
from iidgan.parallel.backend import LocalProcesses
from iidgan.studies.train_missing import TrainingJob, Workspace
from tests.helpers.figures import SMALL_RUN


@pytest.mark.parametrize(
    ("jobs", "num_workers", "words"),
    [
        ([(1, (7,))], 4, "training 1 run of 1 steps, 1 seed in all, on 1 worker;"),
        (
            [(24_000, (0, 1)), (24_000, (3,)), (24_000, (4,))],
            2,
            "training 3 runs of 24,000 steps, 4 seeds in all, on 2 workers;",
        ),
        ([(6_000, (0,)), (24_000, (1,))], 8, "2 runs of 6,000 to 24,000 steps, 2 seeds"),
    ],
)
def test_announce_training(tmp_path, capsys, jobs, num_workers, words):
    workspace = Workspace(
        results_dir=tmp_path, runs_dir=tmp_path, backend=LocalProcesses(num_workers)
    )
    training_jobs = [TrainingJob("", replace(SMALL_RUN, steps=n), seeds) for n, seeds in jobs]
    announce_training(training_jobs, workspace)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert "--no-train" in captured.err
    assert captured.err.count("\n") == 1
