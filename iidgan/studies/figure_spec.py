"""Specifications of published figures: the runs that they show and how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from matplotlib.figure import Figure

from iidgan.config.run import Run
from iidgan.evaluation.arrays import load_arrays
from iidgan.figures.comparison import RunDirs, plot_score
from iidgan.records import MetricRecord, group_by_run
from iidgan.studies.columns import ScoreColumn
from iidgan.studies.measure_scores import missing_scores
from iidgan.studies.table_spec import NUM_SEEDS, TableSpec
from iidgan.studies.train_missing import TrainingJob, Workspace
from iidgan.training.run_dir import RunDir


@dataclass(frozen=True, kw_only=True)
class FigureSpec:
    """A published figure to reproduce, drawn from the folders of its runs.

    Arguments:
        title: What the figure shows and where it was published.
        draw: Draws the figure from the folders of its runs, by label.
        runs: Runs by label.
        num_seeds: Number of seeds to train. Finished runs of the tables, which may have more
            seeds, are used where they exist. One is enough for samples, which are of seed 0.
        keep_checkpoints: Number of checkpoints to keep, for figures that show earlier steps.
        num_checkpoints: How often a run is saved and evaluated during training.
        needs_classifier: Whether it shows metrics that need the classifier of its images.
        quick: The same figure of fewer or shorter runs, or None.
    """

    title: str
    draw: Callable[[RunDirs], Figure]
    runs: Mapping[str, Run] = field(default_factory=dict)
    num_seeds: int = NUM_SEEDS
    keep_checkpoints: int = 3
    num_checkpoints: int = 12
    needs_classifier: bool = True
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


@dataclass(frozen=True, kw_only=True)
class ScoreFigureSpec:
    """A published figure of a score over training to reproduce, drawn from the records of results.

    It is a table whose values are drawn at every checkpoint, so it shares trainings and records
    with other tables of the same runs and scores.

    Arguments:
        title: What the figure shows and where it was published.
        table: Rows by the label of their curve, on one data set, and one column, a score over
            training.
        quick: The same figure of fewer or shorter runs, or None.
    """

    title: str
    table: TableSpec
    quick: ScoreFigureSpec | None = None

    @property
    def runs(self) -> dict[str, Run]:
        """Runs by label."""
        (group,), (dataset_name,) = self.table.row_groups, self.table.dataset_names
        return {label: group.get_run(label, dataset_name) for label in group.rows}

    def draw(self, records: Sequence[MetricRecord]) -> Figure:
        """Draw the values of each run.

        Arguments:
            records: Metric records of all runs.

        Raises:
            InputError: There is no value.
        """
        (column,), records_by_run = self.table.columns.values(), group_by_run(records)
        assert isinstance(column, ScoreColumn)
        points = {
            label: {
                (record.step, record.seed): column.scale * record.value
                for record in column.select_records(
                    records_by_run.get(run.id, ()),
                    column.list_steps(run.steps, self.table.num_checkpoints),
                )
                if record.diverged < 0
            }
            for label, run in self.runs.items()
        }
        return plot_score(replace(column, over_training=False).title, points)

    def list_incomplete(self, records: Sequence[MetricRecord]) -> list[str]:
        """List the labels of the runs that lack a value.

        Arguments:
            records: Metric records of all runs.
        """
        jobs = missing_scores(self.table, range(self.table.num_seeds), records)
        incomplete_ids = {job.run.id for job in jobs}
        return [label for label, run in self.runs.items() if run.id in incomplete_ids]
