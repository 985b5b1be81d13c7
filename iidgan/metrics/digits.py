"""Coverage of the classes of a data set by a classifier: MNIST in eleven classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import Metric, MetricProtocol, Predictions, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram
from iidgan.metrics.features import require_classifier_outputs


@dataclass(frozen=True, kw_only=True)
class ClassCoverage(Metric):
    """Numbers of classes and bad samples, by a classifier of the data set with K classes.

    A sample is bad if the probability of its most probable class is below `confidence`. The K
    classes and the bad ones make a histogram of K + 1 bins, eleven for digits; that of the real
    images is computed in the same way by the same classifier. The classifier is more confident on
    images that it was trained on: `reference` in the protocol names the split of the real images.
    Values, each with shape (S,), of N samples of which n_i are good and of class i:

    * `digits_modes`: classes with n_i >= `share` N. A fixed share rather than a single sample,
      since a classifier misclassifies about one image in a hundred.
    * `digits_bad`: bad samples in percent; `digits_bad_real`: those of the real images.
    * `digits_kl`: KL(generated ‖ real) over the K + 1 bins.
    * `digits_kl_reverse`: KL(real ‖ generated).

    Few bad samples do not imply good ones: a classifier may be confident on images unlike its
    training data, and assigns uniform noise to one class. The number of classes and the
    divergences show this.

    Logarithms are natural, and the second histogram of a divergence is smoothed by Jeffreys' ½ a
    bin (`histogram.kl_divergence`). Samples that are not finite are bad.

    Raises:
        InputError: `confidence` or `share` is not in (0, 1].

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, figure 6, with the confidence 0.75;
        Prescribed Generative Adversarial Networks (Dieng et al., 2019),
        https://arxiv.org/abs/1910.04302, for classes by a classifier

    Examples:
        >>> from iidgan.core import ClassifierOutputs
        >>> def predict(classes, confidences):
        ...     return Predictions(classes[..., None], confidences[..., None], confidences)
        >>> real = predict(torch.arange(100) % 10, torch.ones(100))
        >>> confidences = torch.ones(1, 100).index_fill(1, torch.arange(10), 0.5)  # 10 are bad
        >>> generated = predict(torch.arange(100)[None] % 2, confidences)  # in two classes
        >>> outputs = ClassifierOutputs(generated, real, num_classes=10, protocol={})
        >>> images = torch.zeros(1, 100, 1, 28, 28)
        >>> samples = Samples(generated=images, real=images[0], classifier_outputs=outputs)
        >>> values = ClassCoverage()(samples)
        >>> values["digits_modes"].item(), values["digits_bad"].item()
        (2.0, 10.0)
    """

    confidence: float = 0.75
    """Smallest probability of the most probable class of a good sample."""

    share: float = 0.01
    """Smallest share of all samples for which a class counts as covered."""

    def __post_init__(self) -> None:
        for name in ("confidence", "share"):
            if not 0 < (value := getattr(self, name)) <= 1:
                raise InputError(f"{name}: must be in (0, 1], got {value}")

    def missing(self, samples: Samples) -> str | None:
        if samples.classifier_outputs is None:
            return samples.classifier_missing_reason
        num_views = samples.classifier_outputs.real.classes.shape[-1]
        if num_views > 1:
            return f"images with one class each, got {num_views} stacked images"
        return None

    def protocol(self, samples: Samples) -> MetricProtocol:
        outputs = require_classifier_outputs(self, "digits", samples)
        return {
            **outputs.protocol,
            "confidence": self.confidence,
            "share": self.share,
            "smoothing": "jeffreys",
            "num_generated": outputs.generated.classes.shape[-2],
            "num_real": outputs.real.classes.shape[-2],
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        outputs = require_classifier_outputs(self, "digits", samples)
        generated_counts, real_counts = (
            self._count_classes(predictions, outputs.num_classes)
            for predictions in (outputs.generated, outputs.real)
        )
        num_generated = generated_counts.sum(-1)
        is_covered = generated_counts[:, :-1] >= self.share * num_generated[:, None]
        bad_percent = 100 * generated_counts[:, -1].double() / num_generated
        real_bad_percent = 100 * float(real_counts[-1] / real_counts.sum())
        return {
            "digits_modes": is_covered.sum(-1).double(),
            "digits_bad": bad_percent,
            "digits_bad_real": torch.full_like(bad_percent, real_bad_percent),
            "digits_kl": histogram.kl_divergence(generated_counts, real_counts),
            "digits_kl_reverse": histogram.kl_divergence(real_counts, generated_counts),
        }

    def _count_classes(self, predictions: Predictions, num_classes: int) -> Tensor:
        """Count the samples of each class, and the bad ones: int64 (..., K + 1)."""
        is_good = predictions.confidences[..., 0] >= self.confidence
        bins = predictions.classes[..., 0].where(is_good, num_classes)
        return histogram.count_bins(bins, num_classes + 1)
