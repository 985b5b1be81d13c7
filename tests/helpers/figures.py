"""Two small runs to be compared in a figure."""

from dataclasses import replace

from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.engine.loop import StopRequest
from iidgan.figures.comparison import plot_latents
from iidgan.methods import iid_gan
from iidgan.nn import MLP
from iidgan.parallel.backend import LocalProcesses
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.train_missing import Workspace, train_runs

SMALL_RUN = Run(source=Ring(size=400), arch=MLP(hidden=(8,)), steps=12, batch=16)
SMALL_RUNS = {"GAN": SMALL_RUN, "IID-GAN": replace(SMALL_RUN, method=iid_gan())}


def train_small_runs(path):
    """Trains both runs with all checkpoints kept; returns their folders by label."""
    workspace = Workspace(
        results_dir=path / "results", runs_dir=path / "runs", backend=LocalProcesses(2)
    )
    figure = FigureSpec(title="t", runs=SMALL_RUNS, draw=plot_latents, num_seeds=2)
    outcomes = train_runs(
        figure.missing_runs(workspace),
        workspace,
        on_progress=lambda *_: None,
        stop=StopRequest(),
        keep_checkpoints=12,
    )
    assert {outcome for _, outcome in outcomes} == {"finished"}
    assert figure.missing_runs(workspace) == []
    return figure.find_run_dirs(workspace)
