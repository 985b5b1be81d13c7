"""Mode coverage of stacked images, which have a thousand modes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import ClassifierOutputs, Metric, MetricProtocol, Predictions, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram
from iidgan.metrics.features import require_classifier_outputs


@dataclass(frozen=True, kw_only=True)
class StackedCoverage(Metric):
    """Numbers of modes of stacked images, by a classifier of their channels.

    The mode of a sample is the triple of the most probable classes of its channels, each
    classified separately; no sample is rejected. With ten classes there are K = 1,000. Values,
    each with shape (S,), of the histogram q of the N samples:

    * `stacked_modes`: modes with at least one sample.
    * `stacked_kl`: KL(q ‖ uniform) = sum_i q_i ln(K q_i).
    * `stacked_kl_train`: KL(q ‖ training histogram), if the data set has labels of all K modes;
      the training histogram is smoothed by Jeffreys' ½ a bin (`histogram.kl_divergence`).
    * `stacked_kl_floor`: the expected `stacked_kl` of N samples of the uniform distribution
      (`histogram.kl_floor`): 0.0193 for N = 26,000. A generator near it cannot be distinguished
      from a perfect one.

    Logarithms are natural. Samples that are not finite have no mode; if all samples are such, the
    divergences are NaN. Published numbers are those of 26,000 samples; the floor shows the bias of
    smaller sets.

    References:
        Unrolled Generative Adversarial Networks (Metz et al., 2016),
        https://arxiv.org/abs/1611.02163, for the data; PacGAN: The power of two samples in
        generative adversarial networks (Lin et al., 2018), https://arxiv.org/abs/1712.04086, for
        26,000 samples and KL to the uniform distribution; The Bures Metric for Generative
        Adversarial Networks (De Meulemeester et al., 2020), https://arxiv.org/abs/2006.09096, for
        KL to the training histogram

    Examples:
        >>> digits = torch.tensor([[7, 0, 0], [7, 0, 0], [0, 1, 2], [0, 1, 2]])
        >>> predictions = Predictions(digits[None], torch.ones(1, 4, 3), torch.zeros(1, 4, 6))
        >>> outputs = ClassifierOutputs(predictions, predictions, num_classes=10, protocol={})
        >>> images = torch.zeros(1, 4, 3, 28, 28)
        >>> samples = Samples(generated=images, real=images[0], classifier_outputs=outputs)
        >>> values = StackedCoverage()(samples)
        >>> values["stacked_modes"]
        tensor([2.], dtype=torch.float64)
        >>> values["stacked_kl"]  # ln(1000 / 2)
        tensor([6.2146], dtype=torch.float64)
    """

    def missing(self, samples: Samples) -> str | None:
        if samples.classifier_outputs is None:
            return samples.classifier_missing_reason
        num_views = samples.classifier_outputs.real.classes.shape[-1]
        return None if num_views > 1 else "stacked images, got images with one class each"

    def protocol(self, samples: Samples) -> MetricProtocol:
        outputs = require_classifier_outputs(self, "stacked", samples)
        protocol_values = {
            **outputs.protocol,
            "num_generated": outputs.generated.classes.shape[-2],
            "num_modes": _num_modes(outputs),
        }
        if samples.labels is None:
            return protocol_values
        return protocol_values | {"num_train": len(samples.labels), "smoothing": "jeffreys"}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names, or a label is too large.
        """
        outputs = require_classifier_outputs(self, "stacked", samples)
        num_modes = _num_modes(outputs)
        mode_index = _mode_index(outputs.generated, outputs.num_classes)
        counts = histogram.count_bins(mode_index, num_modes)
        kl_to_uniform = histogram.kl_to_weights(counts)
        kl_floor = histogram.kl_floor(num_modes, mode_index.shape[-1])
        values = {
            "stacked_modes": (counts > 0).sum(-1).double(),
            "stacked_kl": kl_to_uniform,
            "stacked_kl_floor": torch.full_like(kl_to_uniform, kl_floor),
        }
        if samples.labels is None:
            return values
        train_counts = _count_train_labels(samples.labels.cpu(), num_modes)
        return values | {"stacked_kl_train": histogram.kl_divergence(counts, train_counts)}


def _num_modes(outputs: ClassifierOutputs) -> int:
    num_views: int = outputs.real.classes.shape[-1]
    return outputs.num_classes**num_views


def _mode_index(predictions: Predictions, num_classes: int) -> Tensor:
    """Read the classes of the channels as digits, most significant first: (S, N, V) -> (S, N)."""
    num_views = predictions.classes.shape[-1]
    place_values = num_classes ** torch.arange(num_views - 1, -1, -1)
    mode_index = (predictions.classes * place_values).sum(-1)
    return mode_index.where((predictions.classes >= 0).all(-1), -1)


def _count_train_labels(labels: Tensor, num_modes: int) -> Tensor:
    max_label = int(labels.max())
    if max_label >= num_modes:
        raise InputError(
            f"labels: must be modes in [0, {num_modes - 1}] of the classifier, got {max_label}"
        )
    return histogram.count_bins(labels, num_modes)
