"""Numbers from samples; `METRICS` is the only list."""

from __future__ import annotations

from collections.abc import Callable

from iidgan.core import Metric
from iidgan.metrics.coverage import ModeCoverage, assign
from iidgan.metrics.normality import Normality, qq
from iidgan.metrics.reconstruction import Reconstruction

__all__ = ["METRICS", "ModeCoverage", "Normality", "Reconstruction", "assign", "qq"]

METRICS: dict[str, Callable[..., Metric]] = {
    "coverage": ModeCoverage,
    "normality": Normality,
    "reconstruction": Reconstruction,
}
