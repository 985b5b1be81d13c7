"""Specification of a published figure: the runs that it shows and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from matplotlib.figure import Figure

from iidgan.config.run import Run
from iidgan.evaluation.arrays import load_arrays
from iidgan.figures.comparison import RunDirs
from iidgan.studies.columns import ScoreColumn
from iidgan.studies.table_spec import NUM_SEEDS
from iidgan.studies.train_missing import TrainingJob, Workspace
from iidgan.training.run_dir import RunDir


@dataclass(frozen=True, kw_only=True)
class FigureSpec:
    """A published figure to reproduce.

    Arguments:
        title: What the figure shows and where it was published.
        draw: Draws the figure from the folders of its runs, by label. With a score, it also takes
            the keywords `title` and `is_shown` of `plot_score`.
        runs: Runs by label.
        num_seeds: Number of seeds to train. Finished runs of the tables, which may have more
            seeds, are used where they exist. One is enough for samples, which are of seed 0.
        keep_checkpoints: Number of checkpoints to keep, for figures that show earlier steps.
        num_checkpoints: How often a run is saved and evaluated during training.
        needs_classifier: Whether it shows metrics that need the classifier of its images.
        score: Score that is measured of every checkpoint, which should all be kept, or None.
        quick: The same figure of fewer or shorter runs, or None.
    """

    title: str
    draw: Callable[..., Figure]
    runs: Mapping[str, Run] = field(default_factory=dict)
    num_seeds: int = NUM_SEEDS
    keep_checkpoints: int = 3
    num_checkpoints: int = 12
    needs_classifier: bool = True
    score: ScoreColumn | None = None
    quick: FigureSpec | None = None

    def with_features(self, features: str) -> FigureSpec:
        """Return the figure with its score on the features of a network.

        Arguments:
            features: Name of the extractor.
        """
        if self.score is None:
            return self
        score = self.score.with_features(features)
        draw = partial(self.draw, title=score.title, is_shown=score.has_evaluation)
        return replace(self, score=score, draw=draw)

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
            TrainingJob(label, run, tuple(range(self.num_seeds)), self.needs_classifier)
            for label, run in self.runs.items()
            if label not in finished_labels
        ]

    def _find_run_dir(self, workspace: Workspace, run: Run) -> RunDir | None:
        """Find the finished run with most seeds, those of the figure among them."""
        run_dirs = [
            run_dir
            for run_dir in workspace.list_run_dirs(run)
            if _list_finished_seeds(run_dir, run) >= {*range(self.num_seeds)}
        ]
        return max(run_dirs, key=lambda item: len(_list_finished_seeds(item, run)), default=None)


def _list_finished_seeds(run_dir: RunDir, run: Run) -> set[int]:
    """List the seeds of a run directory; none unless all are trained to the end."""
    if not run_dir.arrays_file.exists():
        return set()
    arrays = load_arrays(run_dir.arrays_file)
    return {*arrays["seeds"].tolist()} if (arrays["step"] == run.steps).all() else set()
