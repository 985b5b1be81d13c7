"""Numbers from samples; `METRICS` is the only list."""

from __future__ import annotations

from collections.abc import Callable

from iidgan.core import Metric
from iidgan.metrics.coverage import ModeCoverage, assign
from iidgan.metrics.digits import Digits
from iidgan.metrics.fid import ClassifierFID
from iidgan.metrics.normality import Normality, qq
from iidgan.metrics.reconstruction import Reconstruction
from iidgan.metrics.stacked import Stacked

__all__ = [
    "METRICS",
    "ClassifierFID",
    "Digits",
    "ModeCoverage",
    "Normality",
    "Reconstruction",
    "Stacked",
    "assign",
    "qq",
]

METRICS: dict[str, Callable[..., Metric]] = {
    "coverage": ModeCoverage,
    "normality": Normality,
    "reconstruction": Reconstruction,
    "digits": Digits,
    "stacked": Stacked,
    "classifier-fid": ClassifierFID,
}
