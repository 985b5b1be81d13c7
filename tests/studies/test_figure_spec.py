"""Run folders that a figure finds or needs."""

import pytest

from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.engine.loop import StopRequest
from iidgan.figures.comparison import plot_latents
from iidgan.nn import MLP
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.table_spec import NUM_SEEDS
from iidgan.studies.train_missing import TrainingJob, train_runs
from tests.helpers.tables import make_workspace

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
