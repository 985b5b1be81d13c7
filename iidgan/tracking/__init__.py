"""Trainings in experiment trackers: TensorBoard, Weights & Biases, or one of your own.

What is logged of a training, and in which order, belongs here; the run directory has all of it.
"""

from iidgan.tracking.adapters import TRACKERS
from iidgan.tracking.run_tracking import RunTracking
from iidgan.tracking.tracker import TrackedSeed, Tracker

__all__ = ["TRACKERS", "RunTracking", "TrackedSeed", "Tracker"]
