"""Which classes generated images fall into, and how many are of none: MNIST in eleven classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import Features, Metric, Protocol, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram
from iidgan.metrics.features import judged_by


@dataclass(frozen=True, kw_only=True)
class Digits(Metric):
    r"""Counts classes and bad samples, by a classifier of the data set with K classes.

    A sample is bad if the probability of its most probable class is below `confidence`. The K
    classes and the bad ones make a histogram of K + 1 bins, eleven for digits; that of the real
    images is made in the same way by the same classifier. It has learned from the images of a
    training part, of which it is surer than of new ones: `reference` says which part they are of.
    Values, each with shape (S,), of N samples of which n_i are good and of class i:

    * `digits_modes`: classes with n_i >= `share` N. A fixed share rather than a single sample,
      since a classifier takes about one image in a hundred for another class.
    * `digits_bad`: bad samples in percent; `digits_bad_real`: of the real images.
    * `digits_kl`: KL(generated || real) over the K + 1 bins.
    * `digits_kl_reverse`: KL(real || generated).

    Few bad samples do not mean good ones: a classifier is sure of much that it has never seen, and
    takes uniform noise for one class. That shows in the classes and in the divergences.

    Logarithms are natural, and the second histogram of a divergence is smoothed by Jeffreys' 1/2 a
    bin (`histogram.kl`). Samples that are not finite are bad.

    Sources: IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse, Li, Shi and Yan,
    2023, https://www.ijcai.org/proceedings/2023/437 (Fig. 6; 0.75); Prescribed Generative
    Adversarial Networks, Dieng et al., 2019, https://arxiv.org/abs/1910.04302 (classes by a
    classifier).

    Raises:
        InputError: `confidence` or `share` is not in (0, 1].
    """

    confidence: float = 0.75
    """Probability of the most probable class from which on a sample is good."""

    share: float = 0.01
    """Share of all samples from which on a class counts as covered."""

    def __post_init__(self) -> None:
        for name in ("confidence", "share"):
            if not 0 < (value := getattr(self, name)) <= 1:
                raise InputError(f"{name}: {value} is no share; above 0, at most 1")

    def missing(self, samples: Samples) -> str | None:
        if samples.judged is None:
            return samples.unjudged
        views = samples.judged.real.classes.shape[-1]
        return None if views == 1 else f"images of one class; they are {views} stacked ones"

    def protocol(self, samples: Samples) -> Protocol:
        judged = judged_by(self, "digits", samples)
        return {
            **judged.protocol,
            "confidence": self.confidence,
            "share": self.share,
            "smoothing": "jeffreys",
            "num_generated": judged.generated.classes.shape[-2],
            "num_real": judged.real.classes.shape[-2],
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names.
        """
        judged = judged_by(self, "digits", samples)
        generated, real = (
            self._histogram(features, judged.num_classes)
            for features in (judged.generated, judged.real)
        )
        total = generated.sum(-1)
        bad = 100 * generated[:, -1].double() / total
        return {
            "digits_modes": (generated[:, :-1] >= self.share * total[:, None]).sum(-1).double(),
            "digits_bad": bad,
            "digits_bad_real": torch.full_like(bad, 100 * float(real[-1] / real.sum())),
            "digits_kl": histogram.kl(generated, real),
            "digits_kl_reverse": histogram.kl(real, generated),
        }

    def _histogram(self, features: Features, classes: int) -> Tensor:
        """Counts the samples of each class, and those of none: int64 (..., K + 1)."""
        good = features.confidences[..., 0] >= self.confidence
        return histogram.count(features.classes[..., 0].where(good, classes), classes + 1)
