"""Metrics, and the samples that they read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from iidgan.core.distributions import Distribution
from iidgan.core.factors import Factors
from iidgan.core.typed_fields import TypedFields

MetricProtocol = Mapping[str, str | int | float | bool]
"""How a value was measured. Values of different protocols are never put in one column."""


@dataclass(frozen=True)
class Predictions:
    """Outputs of a classifier for images, each of which it may read as several views.

    Arguments:
        classes: Most probable class of each view, int64 with shape (..., N, V); -1 where the
            classifier's outputs are not finite.
        confidences: Probability of that class, float32 with shape (..., N, V); 0 where the class
            is -1.
        features: Activations before the last layer, float32 with shape (..., N, D).
    """

    classes: Tensor
    confidences: Tensor
    features: Tensor


@dataclass(frozen=True)
class ClassifierOutputs:
    """Outputs of one classifier for generated and for real images.

    Arguments:
        generated: For G(z) of S seeds: classes and confidences (S, N, V), features (S, N, D).
        real: For the real samples: classes and confidences (n, V), features (n, D).
        num_classes: Number of classes of the classifier.
        protocol: Which classifier it is, and how images were resized for it.
    """

    generated: Predictions
    real: Predictions
    num_classes: int
    protocol: MetricProtocol


@dataclass(frozen=True)
class Samples:
    """Generated samples of S seeds, with optional real samples, codes and classifier outputs.

    Arguments:
        generated: G(z), with shape (S, N, *shape); of many images, only the first ones.
        real: Samples of the data set, with shape (n, *shape), the same for every seed; of many
            images, only the first ones.
        z: Latents, with shape (S, N, M), those of `generated` first.
        codes: F(x) of m real samples, those of `real` first, with shape (S, m, M).
        z_cycled: F(G(z)) of the first m of `z`, with shape (S, m, M).
        x_cycled: G(F(x)) of the first of `real`, with shape (S, any, *shape).
        x_errors: Mean of |x - G(F(x))| over the elements of each of m real samples, shape (S, m).
        truth: The distribution that `real` was drawn from, if it is known.
        in_random_order: Whether real samples, and so their codes, come in a random order, so that
            evenly spread ones represent all.
        labels: Labels of the whole data set, int64 with shape (any,).
        generated_labels: Labels that a conditional G was given, those of `generated` first, int64
            with shape (S, N).
        real_labels: Labels of the real samples, those of `real` first and in the order of
            `classifier_outputs`, int64 with shape (any,).
        real_factors: Factors of variation of the real samples, those of `codes` first.
        classifier_outputs: Outputs of a classifier for all generated and real images.
        classifier_missing_reason: Why `classifier_outputs` is missing, and how to obtain it.

    Examples:
        >>> import torch
        >>> from iidgan.metrics import ModeCoverage
        >>> samples = Samples(generated=torch.zeros(2, 50_000, 2), real=torch.zeros(1000, 2))
        >>> ModeCoverage().missing(samples)
        'the true mixture of the source: centres and std'
    """

    generated: Tensor
    real: Tensor
    z: Tensor | None = None
    codes: Tensor | None = None
    z_cycled: Tensor | None = None
    x_cycled: Tensor | None = None
    x_errors: Tensor | None = None
    truth: Distribution | None = None
    in_random_order: bool = False
    labels: Tensor | None = None
    generated_labels: Tensor | None = None
    real_labels: Tensor | None = None
    real_factors: Factors | None = None
    classifier_outputs: ClassifierOutputs | None = None
    classifier_missing_reason: str = "a classifier of such images"


class Metric(TypedFields, ABC):
    """Named values computed from samples, one value per seed.

    A metric is a frozen dataclass whose fields are its options, with three methods: `missing`
    names what the samples lack, or returns None if the metric can be computed; `protocol` returns
    everything besides the generator that the values depend on, so that only comparable values
    share a column; `__call__` computes the values. `iidgan.testing.check_metric` checks all
    three.

    Examples:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class MeanNorm(Metric):
        ...     power: float = 2.0
        ...
        ...     def missing(self, samples):
        ...         return None if samples.codes is not None else "codes F(x) of real data"
        ...
        ...     def protocol(self, samples):
        ...         return {"power": self.power, "num_codes": samples.codes.shape[1]}
        ...
        ...     def __call__(self, samples):
        ...         norms = samples.codes.double().norm(p=self.power, dim=-1)
        ...         return {"mean_norm_p": norms.mean(1).cpu()}
        >>> import torch
        >>> x = torch.zeros(1, 100, 2)
        >>> samples = Samples(generated=x, real=x[0], codes=x + torch.tensor([3.0, 4.0]))
        >>> MeanNorm()(samples)
        {'mean_norm_p': tensor([5.], dtype=torch.float64)}
    """

    @abstractmethod
    def missing(self, samples: Samples) -> str | None:
        """Name what `samples` lacks for this metric; None if the metric can be computed.

        Arguments:
            samples: Samples to measure.
        """

    @abstractmethod
    def protocol(self, samples: Samples) -> MetricProtocol:
        """Return everything besides the generator that the values depend on.

        Arguments:
            samples: Samples to measure, of which none are missing.

        Returns:
            Strings, numbers and booleans by name, such as options and numbers of samples.
        """

    @abstractmethod
    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values of the metric.

        Arguments:
            samples: Samples to measure.

        Returns:
            Values by name, float64 with shape (S,), on the CPU.
        """
