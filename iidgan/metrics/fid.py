"""The Frechet distance between generated and real images, on the features of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from iidgan.core import ClassifierOutputs, Metric, MetricProtocol, Samples
from iidgan.functional.scores import frechet
from iidgan.metrics.features import require_classifier_outputs


@dataclass(frozen=True, kw_only=True)
class ClassifierFID(Metric):
    """The Fréchet distance on the features of the data set's own classifier.

        ‖m - m'‖² + tr C + tr C' - 2 tr (C C')^½, of the means and covariances of the features

    The value `classifier_fid`, with shape (S,), is `frechet.frechet_distance` of the features of
    generated and real images: the activations before the classifier's last layer, those of stacked
    images concatenated. It is not comparable with an FID on the features of an Inception network,
    nor between data sets. It decreases with the number of samples on either side: compare equal
    numbers only. It is NaN for a seed whose samples are not finite.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium (Heusel
        et al., 2017), https://arxiv.org/abs/1706.08500

    Examples:
        >>> import torch
        >>> from iidgan.core import Predictions
        >>> def predict(features):
        ...     return Predictions(torch.zeros(*features.shape[:-1], 1), features, features)
        >>> real_features = torch.tensor([[-1.0], [0.0], [1.0]])  # mean 0, standard deviation 1
        >>> outputs = ClassifierOutputs(
        ...     generated=predict(5 * real_features[None]),  # of one seed
        ...     real=predict(real_features),
        ...     num_classes=10,
        ...     protocol={},
        ... )
        >>> images = torch.zeros(1, 3, 1, 28, 28)
        >>> samples = Samples(generated=images, real=images[0], classifier_outputs=outputs)
        >>> ClassifierFID()(samples)["classifier_fid"].round(decimals=6)  # (1 - 5)²
        tensor([16.], dtype=torch.float64)
    """

    def missing(self, samples: Samples) -> str | None:
        if samples.classifier_outputs is None:
            return samples.classifier_missing_reason
        min_count = min(_count_images(samples.classifier_outputs))
        return None if min_count > 1 else f"two generated and two real samples, got {min_count}"

    def protocol(self, samples: Samples) -> MetricProtocol:
        outputs = require_classifier_outputs(self, "classifier-fid", samples)
        num_generated, num_real = _count_images(outputs)
        return {
            **outputs.protocol,
            "features": outputs.real.features.shape[-1],
            "num_generated": num_generated,
            "num_real": num_real,
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the value, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        outputs = require_classifier_outputs(self, "classifier-fid", samples)
        generated_features = outputs.generated.features.cpu()
        real_features = outputs.real.features.cpu()
        return {"classifier_fid": frechet.frechet_distance(real_features, generated_features)}


def _count_images(outputs: ClassifierOutputs) -> tuple[int, int]:
    return outputs.generated.features.shape[-2], outputs.real.features.shape[-2]
