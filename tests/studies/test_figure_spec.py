"""Run folders that a figure finds or needs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.engine.loop import StopRequest
from iidgan.figures.comparison import plot_latents
from iidgan.nn import MLP
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.table_spec import NUM_SEEDS
from iidgan.studies.train_missing import TrainingJob, train_runs
from tests.helpers.errors import raises_input_error
from tests.helpers.score_tables import RUN as TILES_RUN
from tests.helpers.score_tables import make_score_figure
from tests.helpers.tables import make_record, make_workspace

RUN = Run(source=Ring(size=400), arch=MLP(hidden=(8,)), steps=12, batch=16)


@pytest.mark.slow
def test_find_run_dirs_of_tables(tmp_path):
    workspace = make_workspace(tmp_path, num_workers=1)
    figure = FigureSpec(title="t", runs={"GAN": RUN}, draw=plot_latents, num_seeds=1)
    assert figure.find_run_dirs(workspace) == {}
    seeds = tuple(range(NUM_SEEDS))
    jobs = [TrainingJob("GAN", RUN, seeds)]
    train_runs(jobs, workspace, on_progress=lambda *_: None, stop=StopRequest())
    assert figure.missing_runs(workspace) == []
    assert figure.find_run_dirs(workspace)["GAN"] == workspace.run_dir(RUN, seeds)
    (job,) = replace(figure, num_seeds=NUM_SEEDS + 1).missing_runs(workspace)
    assert job.seeds == tuple(range(NUM_SEEDS + 1))


def test_missing_runs_need_classifier(tmp_path):
    workspace = make_workspace(tmp_path)
    for needs_classifier in (True, False):
        figure = FigureSpec(
            title="t", runs={"GAN": RUN}, draw=plot_latents, needs_classifier=needs_classifier
        )
        (job,) = figure.missing_runs(workspace)
        assert job.needs_classifier == needs_classifier


def make_score(seed, step, value, **changes):
    score = {"metric": "fd_pixels", "protocol": {"extractor": "pixels"}} | changes
    return make_record(TILES_RUN, seed, value, step=step, **score)


def test_score_figure_draws_records_of_table():
    records = [
        *(make_score(0, step, value) for step, value in ((1, 9.0), (2, 5.0))),
        make_score(1, 1, 7.0),
        make_score(1, 2, math.nan, diverged=2),
        make_score(0, 3, 1.0),
        replace(make_score(0, 2, 1.0), run="other"),
        make_score(0, 2, 1.0, protocol={"extractor": "random"}),
    ]
    (axis,) = make_score_figure().draw(records).axes
    assert axis.get_ylabel() == "Tiles FD, pixels (paper: inception)"
    np.testing.assert_array_equal(axis.get_lines()[0].get_xydata(), [[1, 8.0], [2, 5.0]])


def test_score_figure_lists_incomplete_runs():
    records = [make_score(seed, step, 1.0) for seed in (0, 1) for step in (1, 2)]
    figure = make_score_figure()
    assert figure.list_incomplete(records) == []
    assert figure.list_incomplete(records[1:]) == ["GAN"]
    with raises_input_error("train", "Tiles FD", "--no-train"):
        figure.draw([])
