"""How many of the thousand modes of stacked images the generator covers, and how evenly."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import Features, Judged, Metric, Protocol, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram
from iidgan.metrics.features import judged_by


@dataclass(frozen=True, kw_only=True)
class Stacked(Metric):
    r"""Counts the modes of stacked images by a classifier of their channels.

    The mode of a sample is the triple of the most probable classes of its channels, each judged by
    itself; no sample is rejected. With ten classes there are K = 1,000. Values, each with shape
    (S,), of the histogram q of the N samples:

    * `stacked_modes`: modes with at least one sample.
    * `stacked_kl`: KL(q || uniform) = sum q_i ln(K q_i).
    * `stacked_kl_train`: KL(q || training histogram), if the data set has labels of all K modes;
      the training histogram is smoothed by Jeffreys' 1/2 a bin (`histogram.kl`).
    * `stacked_kl_floor`: what N samples of the uniform distribution itself would give for
      `stacked_kl` on average (`histogram.kl_floor`): 0.0193 for N = 26,000. A generator near it
      cannot be told from a perfect one.

    Logarithms are natural. Samples that are not finite are of no mode; where all are, the
    divergences are NaN. Published numbers are of 26,000 samples; the floor shows how much smaller
    sets cost.

    Sources: Unrolled Generative Adversarial Networks, Metz et al., 2016,
    https://arxiv.org/abs/1611.02163 (the data); PacGAN: The power of two samples in generative
    adversarial networks, Lin et al., 2018, https://arxiv.org/abs/1712.04086 (26,000 samples, KL to
    the uniform distribution); De Meulemeester et al., The Bures Metric for Generative Adversarial
    Networks, 2021, https://arxiv.org/abs/2006.09096 (KL to the training histogram).
    """

    def missing(self, samples: Samples) -> str | None:
        if samples.judged is None:
            return samples.unjudged
        views = samples.judged.real.classes.shape[-1]
        return None if views > 1 else "stacked images; these have one class"

    def protocol(self, samples: Samples) -> Protocol:
        judged = judged_by(self, "stacked", samples)
        found = {
            **judged.protocol,
            "num_generated": judged.generated.classes.shape[-2],
            "num_modes": _modes(judged),
        }
        if samples.labels is None:
            return found
        return found | {"num_train": len(samples.labels), "smoothing": "jeffreys"}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names, or labels are not those of modes.
        """
        judged = judged_by(self, "stacked", samples)
        index, bins = _mode_of(judged.generated, judged.num_classes), _modes(judged)
        counts = histogram.count(index, bins)
        to_uniform = histogram.kl_to_uniform(counts)
        values = {
            "stacked_modes": (counts > 0).sum(-1).double(),
            "stacked_kl": to_uniform,
            "stacked_kl_floor": torch.full_like(
                to_uniform, histogram.kl_floor(bins, index.shape[-1])
            ),
        }
        if samples.labels is None:
            return values
        train = _train_histogram(samples.labels.cpu(), bins)
        return values | {"stacked_kl_train": histogram.kl(counts, train)}


def _modes(judged: Judged) -> int:
    views: int = judged.real.classes.shape[-1]
    return judged.num_classes**views


def _mode_of(features: Features, classes: int) -> Tensor:
    """Reads the classes of the channels as digits, the first one first: (S, N, V) -> (S, N)."""
    views = features.classes.shape[-1]
    worth = classes ** torch.arange(views - 1, -1, -1)
    return (features.classes * worth).sum(-1).where((features.classes >= 0).all(-1), -1)


def _train_histogram(labels: Tensor, bins: int) -> Tensor:
    largest = int(labels.max())
    if largest >= bins:
        raise InputError(
            f"labels: the data set has a label {largest}; the classifier tells the modes 0 to "
            f"{bins - 1} apart"
        )
    return histogram.count(labels, bins)
