"""Metrics: named numbers computed from generated and real samples.

`METRICS` lists them by name: what is registered there is measured wherever it applies. Drawing the
samples and storing the numbers is in `evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable

from iidgan.core import Metric
from iidgan.metrics.coverage import ModeCoverage, assign_modes
from iidgan.metrics.digits import ClassCoverage
from iidgan.metrics.fid import ClassifierFID
from iidgan.metrics.normality import Normality, qq_quantiles
from iidgan.metrics.reconstruction import Reconstruction
from iidgan.metrics.stacked import StackedCoverage

__all__ = [
    "METRICS",
    "ClassCoverage",
    "ClassifierFID",
    "ModeCoverage",
    "Normality",
    "Reconstruction",
    "StackedCoverage",
    "assign_modes",
    "qq_quantiles",
]

METRICS: dict[str, Callable[..., Metric]] = {
    "coverage": ModeCoverage,
    "normality": Normality,
    "reconstruction": Reconstruction,
    "digits": ClassCoverage,
    "stacked": StackedCoverage,
    "classifier-fid": ClassifierFID,
}
