"""Specification of a published figure: the runs that it shows and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from iidgan.config.run import Run
from iidgan.evaluation.arrays import load_arrays
from iidgan.figures.comparison import RunDirs
from iidgan.studies.table_spec import NUM_SEEDS
from iidgan.studies.train_missing import TrainingJob, Workspace
from iidgan.training.run_dir import RunDir


@dataclass(frozen=True, kw_only=True)
class FigureSpec:
    """A published figure to reproduce.

    Arguments:
        title: What the figure shows and where it was published.
        draw: Draws the figure from the folders of its runs, by label.
        runs: Runs by label.
        num_seeds: Number of seeds to train. Finished runs of the tables, which have more seeds,
            are used where they exist. One is enough for scatter plots, which show seed 0.
        keep_checkpoints: Number of checkpoints to keep, for figures that show earlier steps.
        num_checkpoints: How often a run is saved and evaluated during training.
        quick: The same figure of fewer or shorter runs, or None.
    """

    title: str
    draw: Callable[[RunDirs], Figure]
    runs: Mapping[str, Run] = field(default_factory=dict)
    num_seeds: int = NUM_SEEDS
    keep_checkpoints: int = 3
    num_checkpoints: int = 12
    quick: FigureSpec | None = None

    def find_run_dirs(self, workspace: Workspace) -> RunDirs:
        """Return the folders of the runs that are trained to completion, by label.

        Arguments:
            workspace: Where the runs are stored.
        """
        run_dirs = {label: self._find_run_dir(workspace, run) for label, run in self.runs.items()}
        return {label: run_dir for label, run_dir in run_dirs.items() if run_dir is not None}

    def missing_runs(self, workspace: Workspace) -> list[TrainingJob]:
        """List the runs that are not trained to completion.

        Arguments:
            workspace: Where the runs are stored.
        """
        finished_labels = self.find_run_dirs(workspace).keys()
        return [
            TrainingJob(label, run, tuple(range(self.num_seeds)))
            for label, run in self.runs.items()
            if label not in finished_labels
        ]

    def _find_run_dir(self, workspace: Workspace, run: Run) -> RunDir | None:
        """Find the finished run, with the seeds of the tables or with those of the figure."""
        seed_counts = (max(NUM_SEEDS, self.num_seeds), self.num_seeds)
        run_dirs = (workspace.run_dir(run, range(count)) for count in seed_counts)
        return next((run_dir for run_dir in run_dirs if _is_finished(run_dir, run)), None)


def _is_finished(run_dir: RunDir, run: Run) -> bool:
    if not run_dir.arrays_file.exists():
        return False
    return bool((load_arrays(run_dir.arrays_file)["step"] == run.steps).all())
