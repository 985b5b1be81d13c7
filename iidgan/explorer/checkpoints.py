"""The networks that a run has kept, of all seeds and steps, and those of one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from iidgan.config.plugins import Plugin
from iidgan.config.run import Run
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.training.export import CONFIG_FILE, load, load_point
from iidgan.training.model import Model, TrainedNetworks
from iidgan.training.replay import load_checkpoint
from iidgan.training.run_dir import RunDir

MAX_MODELS = 32
"""Number of models in memory: those that a slider over checkpoints passes."""
_PAST_NAME = re.compile(r"seed-([0-9]{1,19})-step-([0-9]{8,19})")
_CHECKPOINT_NAME = re.compile(r"step-([0-9]{8,19})")


@dataclass(frozen=True)
class RunNetworks:
    """The networks of a run: of its last step, its best one, and of other checkpoints if kept.

    Arguments:
        path: A run directory, or a folder of exported networks.
        plugins: Classes that the run may use, or their names, as of `iidgan.load`.
    """

    path: Path
    plugins: tuple[Plugin, ...] = ()

    @property
    def run_dir(self) -> RunDir:
        """The run directory."""
        return RunDir(self.path, self.plugins)

    @property
    def has_run_dir(self) -> bool:
        """Whether the path is a run directory rather than a folder of exported networks."""
        return self.run_dir.run_file.exists()

    def read_run(self) -> Run:
        """Read the run.

        Raises:
            UnnamedPluginError: It uses a class that is neither part of the package nor among
                `plugins`.
            InputError: There is no run, or it is damaged.
        """
        if not self.path.exists():
            raise InputError(f"run: {self.path} does not exist; expected a run directory")
        return self.run_dir.read_run()[0] if self.has_run_dir else self._read_point(self.path).run

    def list_checkpoints(self) -> dict[int, dict[int, Path]]:
        """List the folders of networks, or of whole training states, by seed and step.

        Raises:
            InputError: A folder is damaged.
        """
        folders: dict[int, dict[int, Path]] = {}
        for seed, step, folder in self._iterate_checkpoints():
            folders.setdefault(seed, {}).setdefault(step, folder)
        return {seed: dict(sorted(folders[seed].items())) for seed in sorted(folders)}

    def read_divergences(self) -> dict[int, int]:
        """Read the step at which each seed diverged, or -1.

        Raises:
            InputError: A folder is damaged.
        """
        folders = [self.run_dir.generator_dir] if self.has_run_dir else [self.path]
        points = [self._read_point(folder) for folder in folders if has_networks(folder)]
        return {seed: step for point in points for seed, step in zip(point.seeds, point.diverged)}

    def load_model(self, seed: int, step: int) -> Model:
        """Load the networks of one seed at one step.

        Raises:
            InputError: There are no such networks, or no longer, or they are damaged.
        """
        folder = self.list_checkpoints().get(seed, {}).get(step)
        if folder is None:
            raise InputError(f"step: {self.path} has no networks of seed {seed} at step {step}")
        if not has_networks(folder):
            return _load_replayed(self.path, self.plugins, step).select_model(seed)
        model = _load_model(folder, _read_stamp(folder), seed, self.plugins)
        if model.point.steps[0] != step:  # replaced by the training since it was listed
            raise InputError(f"step: {folder} has now step {model.point.steps[0]}, not {step}")
        return model

    def _iterate_checkpoints(self) -> Iterator[tuple[int, int, Path]]:
        """Yield seeds, steps and folders; of the same networks, those that load fastest first."""
        if not self.has_run_dir:
            yield from self._iterate_exported(self.path)
            return
        for folder in self.run_dir.past_dir.glob("seed-*"):
            if match := _PAST_NAME.fullmatch(folder.name):
                yield int(match[1]), int(match[2]), folder
        for folder in (self.run_dir.generator_dir, *self.run_dir.best_dir.glob("seed-*")):
            yield from self._iterate_exported(folder)
        seeds = self.run_dir.read_identity().seeds
        for folder in self.run_dir.checkpoint_dir.glob("step-*"):
            if match := _CHECKPOINT_NAME.fullmatch(folder.name):
                yield from ((seed, int(match[1]), folder) for seed in seeds)

    def _iterate_exported(self, folder: Path) -> Iterator[tuple[int, int, Path]]:
        if has_networks(folder) or not self.has_run_dir:
            point = self._read_point(folder)
            yield from ((seed, step, folder) for seed, step in zip(point.seeds, point.steps))

    def _read_point(self, folder: Path) -> EvaluationPoint:
        return _read_point(folder, _read_stamp(folder), self.plugins)


def has_networks(folder: Path) -> bool:
    """Return whether a folder has exported networks, rather than a state of a training.

    Arguments:
        folder: The folder.
    """
    return (folder / CONFIG_FILE).exists()


def _read_stamp(folder: Path) -> int:
    """Return what changes when a folder is replaced."""
    try:
        return (folder / CONFIG_FILE).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _read_point(folder: Path, stamp: int, plugins: tuple[Plugin, ...]) -> EvaluationPoint:
    return load_point(folder, plugins=plugins)


@lru_cache(maxsize=MAX_MODELS)
def _load_model(folder: Path, stamp: int, seed: int, plugins: tuple[Plugin, ...]) -> Model:
    return load(folder, seed, plugins=plugins)


@lru_cache(maxsize=4)
def _load_replayed(path: Path, plugins: tuple[Plugin, ...], step: int) -> TrainedNetworks:
    return load_checkpoint(RunDir(path, plugins), step)
