"""The callback of a training that passes its log on to trackers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import methodcaller
from pathlib import Path
from types import TracebackType

import numpy as np

from iidgan.config.plugins import import_by_name
from iidgan.config.run import Run
from iidgan.engine.loop import LogRecord
from iidgan.errors import InputError, unknown_name_error
from iidgan.evaluation.arrays import load_arrays
from iidgan.records import MetricRecord, read_records, select_last_step
from iidgan.tracking.adapters import TRACKERS
from iidgan.tracking.tracker import Picture, TrackedSeed, Tracker, TrackerFactory
from iidgan.training.run_dir import RunDir
from iidgan.training.session import ProgressCallback
from iidgan.utils.extras import require_extra
from iidgan.utils.files import describe_error

LogAction = Callable[[Tracker], object]


def _ignore_progress(message: str, record: LogRecord | None) -> None:
    pass


class RunTracking:
    """Callback `(message, record)` of `train` that logs a run to trackers.

    Losses and coverages are those of the log records; metrics and samples are read from the run
    directory, where processes that train other seeds write them, too. A tracker that fails is
    left out with a warning, and training continues.

    Arguments:
        run: The run.
        out: Its run directory.
        trackers: Names (`tensorboard`, `wandb`, or `package.module:Name`), classes, or functions
            that create a `Tracker` from a `TrackedSeed`.
        on_progress: Callback that is called as well, and gets the warnings.

    Raises:
        InputError: A name is unknown, or its package is missing.

    Examples:
        >>> import tempfile
        >>> import iidgan
        >>> from iidgan.tracking import RunTracking
        >>> class Printer:
        ...     def __init__(self, target):
        ...         print("seed", target.seed)
        ...
        ...     def log_values(self, step, values):
        ...         print(step, [name for name in values if name.startswith("losses")])
        ...
        ...     def log_picture(self, step, name, picture):
        ...         print(step, name, picture.dtype)
        ...
        ...     def close(self):
        ...         pass
        >>> source, arch = iidgan.Ring(size=100), iidgan.MLP(hidden=(8,))
        >>> run = iidgan.Run(source=source, method=iidgan.GAN(), arch=arch, steps=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with RunTracking(run, f"{folder}/ring", [Printer]) as tracking:
        ...         result = iidgan.train(run, out=f"{folder}/ring", on_progress=tracking)
        seed 0
        2 ['losses/D/adversarial', 'losses/G/adversarial']
        2 []
        2 samples uint8
    """

    def __init__(
        self,
        run: Run,
        out: str | Path,
        trackers: Sequence[str | TrackerFactory],
        on_progress: ProgressCallback = _ignore_progress,
    ) -> None:
        self.run, self.run_dir, self._on_progress = run, RunDir(Path(out)), on_progress
        self._factories = {_get_name(tracker): _resolve(tracker) for tracker in trackers}
        self._open: dict[tuple[str, int], Tracker] = {}
        self._first_steps: dict[int, int] = {}
        self._num_records: int | None = None
        self._metrics_size = -1
        self._picture_steps: dict[int, int] = {}
        self._pictures_time = -1

    def __enter__(self) -> RunTracking:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._log_run_dir()
        for name in [*self._factories]:
            self._close(name)

    def __call__(self, message: str, record: LogRecord | None) -> None:
        """Log a record, and what the run directory has that was not logged before.

        Arguments:
            message: Message for the user, which is not logged.
            record: Log record, or None.
        """
        self._on_progress(message, record)
        if record is None:
            return
        for seed in record.seeds:
            self._first_steps.setdefault(seed, record.step)
        self._log_run_dir()
        for position, seed in enumerate(record.seeds):
            self._log_values(seed, record.step, _collect_values(record, position))

    def _log_run_dir(self) -> None:
        """Log new metric records and samples; what cannot be read now is read the next time."""
        if not self._factories:
            return
        try:
            records, pictures = self._read_new_records(), [*self._draw_new_pictures()]
        except InputError as error:
            self._on_progress(f"warning: tracking: {error}", None)
            return
        values_by_point: dict[tuple[int, int], dict[str, float]] = {}
        for record in records:
            values = values_by_point.setdefault((record.seed, record.step), {})
            values[f"metrics/{record.metric}"] = record.value
        for (seed, step), values in values_by_point.items():
            self._log_values(seed, step, values)
        for seed, step, picture in pictures:
            self._log(seed, methodcaller("log_picture", step, "samples", picture))

    def _read_new_records(self) -> Sequence[MetricRecord]:
        """Read the records since the last call; at first, those of each seed's last step."""
        file = self.run_dir.metrics_file
        size = file.stat().st_size if file.exists() else 0
        if size == self._metrics_size:
            return []
        self._metrics_size = size
        records = read_records(file)
        num_before, self._num_records = self._num_records, len(records)
        return select_last_step(records) if num_before is None else records[num_before:]

    def _draw_new_pictures(self) -> Iterator[tuple[int, int, Picture]]:
        """Draw the samples of seeds that were measured since the last call."""
        file = self.run_dir.arrays_file
        time = file.stat().st_mtime_ns if file.exists() else -1
        if time == self._pictures_time:
            return
        self._pictures_time = time
        arrays = load_arrays(file)
        seeds_and_steps = zip(arrays["seeds"].tolist(), arrays["step"].tolist())
        for samples, (seed, step) in zip(arrays["generated"], seeds_and_steps):
            if self._picture_steps.get(seed) != step:
                self._picture_steps[seed] = step
                picture = draw_picture(samples)
                if picture is not None:
                    yield seed, step, picture

    def _log_values(self, seed: int, step: int, values: Mapping[str, float]) -> None:
        finite_values = {name: value for name, value in values.items() if math.isfinite(value)}
        if finite_values:
            self._log(seed, methodcaller("log_values", step, finite_values))

    def _log(self, seed: int, action: LogAction) -> None:
        """Let every tracker of a seed that is trained now do something."""
        if seed not in self._first_steps:
            return
        for name, create in [*self._factories.items()]:
            try:
                if (name, seed) not in self._open:
                    target = TrackedSeed(
                        run=self.run,
                        seed=seed,
                        folder=self.run_dir.path.absolute(),
                        first_step=self._first_steps[seed],
                    )
                    self._open[name, seed] = create(target)
                action(self._open[name, seed])
            except Exception as error:  # of the network, the account, or the tracker's own code
                self._warn(name, error)
                self._close(name)

    def _close(self, name: str) -> None:
        self._factories.pop(name, None)
        for key in [key for key in self._open if key[0] == name]:
            try:
                self._open.pop(key).close()
            except Exception as error:
                self._warn(name, error)

    def _warn(self, name: str, error: Exception) -> None:
        reason = " ".join(describe_error(error).split())[:300]
        self._on_progress(f"warning: {name}: {reason}; training continues without it", None)


def _get_name(tracker: str | TrackerFactory) -> str:
    return tracker if isinstance(tracker, str) else getattr(tracker, "__name__", repr(tracker))


def _resolve(tracker: str | TrackerFactory) -> TrackerFactory:
    """Return what creates a tracker.

    Raises:
        InputError: The name is unknown, cannot be imported, or its package is missing.
    """
    if not isinstance(tracker, str):
        return tracker
    if ":" in tracker:
        factory: TrackerFactory = import_by_name("track", tracker)
        return factory
    if tracker not in TRACKERS:
        raise unknown_name_error("track", tracker, TRACKERS)
    require_extra(tracker, field="track")
    return TRACKERS[tracker]


def _collect_values(record: LogRecord, position: int) -> dict[str, float]:
    values = {f"losses/{name}": losses[position] for name, losses in record.losses.items()}
    if record.coverage:
        values["coverage"] = record.coverage[position]
    return values


def draw_picture(samples: np.ndarray) -> Picture | None:
    """Draw images as a grid, or points in the plane as a scatter plot.

    Arguments:
        samples: Images (N, C, H, W) in [-1, 1], or points (N, d).

    Returns:
        RGB bytes, (H, W, 3); None for samples that cannot be drawn.

    Examples:
        >>> import numpy as np
        >>> draw_picture(np.zeros((10, 1, 28, 28))).shape  # 8 columns, 2 rows, twice enlarged
        (118, 466, 3)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # on use: most runs have none
    from matplotlib.figure import Figure

    from iidgan.figures.run import MAX_GRID_IMAGES, plot_samples

    try:
        drawn = plot_samples(samples[:MAX_GRID_IMAGES] if samples.ndim == 4 else samples)
    except InputError:
        return None
    if isinstance(drawn, Figure):
        canvas = FigureCanvasAgg(drawn)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels: Picture = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        return pixels[..., :3].copy()
    return np.asarray(drawn.convert("RGB"))
