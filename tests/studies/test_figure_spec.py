"""Run folders that a figure finds or needs."""

from dataclasses import replace

import pytest

from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.engine.loop import StopRequest
from iidgan.figures.comparison import plot_latents
from iidgan.nn import MLP
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.table_spec import NUM_SEEDS
from iidgan.studies.train_missing import TrainingJob, train_runs
from tests.helpers.score_tables import NUM_IMAGES, make_score_figure
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


def test_with_features_selects_records():
    figure = make_score_figure().with_features("random")
    assert figure.score.features == "random"
    title, is_shown = figure.draw.keywords["title"], figure.draw.keywords["is_shown"]
    assert title == "Tiles FD, random (paper: inception)"
    record = make_record(RUN, 0, 1.0, metric="fd_random")
    shown = replace(record, protocol={"extractor": "random", "num_generated": NUM_IMAGES})
    assert is_shown(shown)
    assert not is_shown(replace(shown, metric="fd_pixels"))
    assert not is_shown(replace(shown, protocol={**shown.protocol, "num_generated": 20}))
    without_score = FigureSpec(title="t", runs={"GAN": RUN}, draw=plot_latents)
    assert without_score.with_features("random") == without_score
