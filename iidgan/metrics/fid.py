"""The Frechet distance between generated and real images, on the features of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from iidgan.core import Judged, Metric, Protocol, Samples
from iidgan.functional import frechet
from iidgan.metrics.features import judged_by


@dataclass(frozen=True, kw_only=True)
class ClassifierFID(Metric):
    r"""Measures the Frechet distance on the features of the data set's own classifier.

    `classifier_fid`, with shape (S,), is `frechet.distance` of the features of generated and real
    images: the activations below the classifier's last layer, those of stacked images side by
    side. It is not comparable with an FID on the features of an Inception network, nor between
    data sets. It falls with the number of samples on either side: compare equal numbers only. A
    seed whose samples are not finite has NaN.

    Sources: GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium,
    Heusel et al., 2017, https://arxiv.org/abs/1706.08500.
    """

    def missing(self, samples: Samples) -> str | None:
        if samples.judged is None:
            return samples.unjudged
        least = min(_counts(samples.judged))
        return None if least > 1 else f"two samples on either side; there is {least}"

    def protocol(self, samples: Samples) -> Protocol:
        judged = judged_by(self, "classifier-fid", samples)
        generated, real = _counts(judged)
        return {
            **judged.protocol,
            "features": judged.real.vectors.shape[-1],
            "num_generated": generated,
            "num_real": real,
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the value, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names.
        """
        judged = judged_by(self, "classifier-fid", samples)
        vectors = judged.generated.vectors.cpu()
        return {"classifier_fid": frechet.distance(vectors, judged.real.vectors.cpu())}


def _counts(judged: Judged) -> tuple[int, int]:
    return judged.generated.vectors.shape[-2], judged.real.vectors.shape[-2]
