"""Metrics: named numbers computed from generated and real samples.

`METRICS` lists them by name: what is registered there is measured wherever it applies. `prdc` and
the other functions compute scores of features directly. Drawing the samples and storing the
numbers is in `evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable

from iidgan.core import Metric
from iidgan.functional.scores.manifold import (
    PRDC,
    ClippedScores,
    clipped_density_and_coverage,
    prdc,
    prdc_indicators,
)
from iidgan.metrics.coverage import ModeCoverage, assign_modes
from iidgan.metrics.digits import ClassCoverage
from iidgan.metrics.fid import ClassifierFID
from iidgan.metrics.normality import Normality, qq_quantiles
from iidgan.metrics.reconstruction import Reconstruction
from iidgan.metrics.stacked import StackedCoverage

__all__ = [
    "METRICS",
    "PRDC",
    "ClassCoverage",
    "ClassifierFID",
    "ClippedScores",
    "ModeCoverage",
    "Normality",
    "Reconstruction",
    "StackedCoverage",
    "assign_modes",
    "clipped_density_and_coverage",
    "prdc",
    "prdc_indicators",
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
