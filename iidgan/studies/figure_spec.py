"""A published figure as data: the runs that it shows, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from iidgan.config.run import Run
from iidgan.figures.comparison import Folders
from iidgan.figures.run import load_arrays
from iidgan.studies.table_spec import SEEDS
from iidgan.studies.train_missing import Place, Training
from iidgan.training.run_dir import RunFolder


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure to be reproduced.

    Arguments:
        title: What it shows, and where it was published.
        draw: Draws it from the folders of the runs, by label.
        runs: What has to be trained, by label.
        seeds: Trainings per run where it has to train them; where those of the tables are there,
            it shows these. One is enough for points, of which seed 0 is shown.
        keep: Checkpoints that are kept, for figures that look back.
        checkpoints: How often a run is saved and measured on its way.
        quick: The same of fewer or shorter runs, where there is such a profile.
    """

    title: str
    draw: Callable[[Folders], Figure]
    runs: Mapping[str, Run] = field(default_factory=dict)
    seeds: int = SEEDS
    keep: int = 3
    checkpoints: int = 12
    quick: Picture | None = None

    def folders(self, place: Place) -> Folders:
        """Gives the folders of the runs that are trained to their end, by label."""
        there = {label: self._folder(place, run) for label, run in self.runs.items()}
        return {label: folder for label, folder in there.items() if folder is not None}

    def missing(self, place: Place) -> list[Training]:
        """Finds the runs that are not trained to their end."""
        there = self.folders(place)
        return [
            Training(label, run, tuple(range(self.seeds)))
            for label, run in self.runs.items()
            if label not in there
        ]

    def _folder(self, place: Place, run: Run) -> RunFolder | None:
        """Finds the run trained to its end: with the seeds of the tables, or with its own."""
        numbers = (max(SEEDS, self.seeds), self.seeds)
        folders = (place.folder(run, range(number)) for number in numbers)
        return next((folder for folder in folders if _is_done(folder, run)), None)


def _is_done(folder: RunFolder, run: Run) -> bool:
    return folder.arrays.exists() and int(load_arrays(folder)["step"]) == run.steps
