"""The interface of trackers, each of which logs the training of one seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from iidgan.config.run import Run

Picture = NDArray[np.uint8]
"""RGB bytes, (H, W, 3): the only numbers that all trackers show alike."""


@dataclass(frozen=True, kw_only=True)
class TrackedSeed:
    """One seed of a run whose training starts or resumes.

    Arguments:
        run: The run.
        seed: The seed.
        folder: The run directory.
        first_step: First step that is logged. What was logged from there on is of a training that
            was interrupted, and is replaced.
    """

    run: Run
    seed: int
    folder: Path
    first_step: int


class Tracker(Protocol):
    """Logs one seed; a call of the class or function that creates it gets a `TrackedSeed`.

    Any exception ends the tracking, with a warning, and not the training.
    """

    def log_values(self, step: int, values: Mapping[str, float]) -> None:
        """Log finite numbers by name, such as `losses/D/adversarial` and `metrics/modes_1`.

        Arguments:
            step: Number of steps taken; metrics may come after losses of a later step.
            values: The numbers.
        """

    def log_picture(self, step: int, name: str, picture: Picture) -> None:
        """Log a picture of samples.

        Arguments:
            step: Number of steps taken.
            name: Its name.
            picture: RGB bytes, (H, W, 3).
        """

    def close(self) -> None:
        """End the log of this training; a later one may resume it."""


TrackerFactory = Callable[[TrackedSeed], Tracker]
