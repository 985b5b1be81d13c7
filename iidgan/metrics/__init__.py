"""Metrics: named numbers computed from generated and real samples.

`METRICS` lists them by name: what is registered there is measured wherever it applies. `prdc` and
the other functions compute scores of features directly. Drawing the samples and storing the
numbers is in `evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable

from iidgan.core import Metric
from iidgan.functional.scores.bins import BinScores, bin_scores, js_divergence
from iidgan.functional.scores.class_scores import (
    InceptionScore,
    ModeScore,
    class_coverage,
    inception_score,
    mode_score,
)
from iidgan.functional.scores.disentanglement import DCI, dci_scores, mutual_information_gap
from iidgan.functional.scores.frechet import effective_rank, frechet_distance
from iidgan.functional.scores.gaussian_kl import gaussian_kl
from iidgan.functional.scores.intervals import Interval, mean_interval, parts_interval
from iidgan.functional.scores.kernel_distance import KernelDistance, kernel_distance
from iidgan.functional.scores.manifold import (
    PRDC,
    ClippedScores,
    clipped_density_and_coverage,
    prdc,
    prdc_indicators,
)
from iidgan.functional.scores.memorisation import (
    Memorisation,
    SupportSize,
    birthday_support_size,
    memorisation,
    memorisation_indicators,
)
from iidgan.functional.scores.ms_ssim import class_similarity, ms_ssim
from iidgan.functional.scores.retrieval import RetrievalScore, retrieval_score
from iidgan.functional.scores.sliced_wasserstein import sliced_wasserstein
from iidgan.functional.scores.vendi import vendi_score
from iidgan.metrics.conditional import ConditionalImages, ConditionalModes
from iidgan.metrics.coverage import ModeCoverage, assign_modes, good_radius
from iidgan.metrics.digits import ClassCoverage
from iidgan.metrics.disentanglement import Disentanglement, polar_disentanglement
from iidgan.metrics.fid import ClassifierFID
from iidgan.metrics.fresh_data import FreshData, PointCoverage, SlicedWasserstein
from iidgan.metrics.mode_shares import ModeShares
from iidgan.metrics.normality import Normality, qq_quantiles
from iidgan.metrics.reconstruction import Reconstruction
from iidgan.metrics.stacked import StackedCoverage

__all__ = [
    "DCI",
    "METRICS",
    "PRDC",
    "BinScores",
    "ClassCoverage",
    "ClassifierFID",
    "ClippedScores",
    "ConditionalImages",
    "ConditionalModes",
    "Disentanglement",
    "FreshData",
    "InceptionScore",
    "Interval",
    "KernelDistance",
    "Memorisation",
    "ModeCoverage",
    "ModeScore",
    "ModeShares",
    "Normality",
    "PointCoverage",
    "Reconstruction",
    "RetrievalScore",
    "SlicedWasserstein",
    "StackedCoverage",
    "SupportSize",
    "assign_modes",
    "bin_scores",
    "birthday_support_size",
    "class_coverage",
    "class_similarity",
    "clipped_density_and_coverage",
    "dci_scores",
    "effective_rank",
    "frechet_distance",
    "gaussian_kl",
    "good_radius",
    "inception_score",
    "js_divergence",
    "kernel_distance",
    "mean_interval",
    "memorisation",
    "memorisation_indicators",
    "mode_score",
    "ms_ssim",
    "mutual_information_gap",
    "parts_interval",
    "polar_disentanglement",
    "prdc",
    "prdc_indicators",
    "qq_quantiles",
    "retrieval_score",
    "sliced_wasserstein",
    "vendi_score",
]

METRICS: dict[str, Callable[..., Metric]] = {
    "coverage": ModeCoverage,
    "mode-shares": ModeShares,
    "sliced-wasserstein": SlicedWasserstein,
    "point-coverage": PointCoverage,
    "fresh-data": FreshData,
    "normality": Normality,
    "reconstruction": Reconstruction,
    "digits": ClassCoverage,
    "stacked": StackedCoverage,
    "classifier-fid": ClassifierFID,
    "conditional-images": ConditionalImages,
    "conditional-modes": ConditionalModes,
    "disentanglement": Disentanglement,
    "disentanglement-polar": polar_disentanglement,
}
