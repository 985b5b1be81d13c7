"""Conditional generation: whether samples are of the class that G was given, and how varied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.core import GaussianMixture, Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.functional import histogram
from iidgan.functional.scores.frechet import frechet_distance
from iidgan.functional.scores.manifold import clipped_density_and_coverage
from iidgan.metrics.coverage import ModeCoverage, assign_modes
from iidgan.metrics.features import require_classifier_outputs

_MISSING_LABELS = "classes that G was given: the method is not conditional"


@dataclass(frozen=True, kw_only=True)
class ConditionalImages(Metric):
    """Accuracy, coverage and variety of images within the classes that G was given.

    A classifier of the data set with K classes reads the images. Of each class, accuracies are of
    all samples. The other scores compare the classifier's features of n generated samples of the
    class with those of n real ones, n being the smaller number of both and at most
    `max_per_class`. Values, each with shape (S,):

    * `class_accuracy`: share of the generated samples of a class that the classifier assigns to
      it, in percent, mean over the classes. A generator that ignores the class has 100 / K.
      `class_accuracy_worst`: that of the class with the smallest; `class_accuracy_real`: the mean
      for real samples of each class, 100 where the classifier has learnt them.
    * `intra_fd`: the Fréchet distance within a class, mean over the classes. It is biased upwards,
      about as D / n for D features: compare values of equal n only.
    * `class_coverage`: the clipped coverage within a class, mean over the classes; 1 for samples
      as diverse as real ones. `class_coverage_worst`: that of the class with the smallest.
    * `classes_covered`: number of classes whose clipped coverage is at least `covered`: the others
      have less than this share of what samples of the data would have.
    * `class_diversity`: mean distance of pairs of generated samples of a class, over that of the
      real ones, mean over the classes; 1 if they are as diverse as the data, 0 if all samples of
      a class are the same, not finite if all real ones are. Noise may be above 1: read it
      together with the others. MSGAN has the distance LPIPS of pairs instead, which is not
      divided.
    * `classes_left_out`: number of classes with fewer than `min_per_class` generated or real
      samples. All other values leave them out; means are NaN if no class is left.

    Samples that are not finite belong to no class; distances, coverage and diversity of their seed
    are NaN.

    Raises:
        InputError: `k` or `covered` is out of range, or the numbers are not k < `min_per_class` <=
            `max_per_class`.

    References:
        cGANs with Projection Discriminator (Miyato and Koyama, 2018),
        https://arxiv.org/abs/1802.05637, for the distance within classes; Mode Seeking Generative
        Adversarial Networks for Diverse Image Synthesis (Mao et al., 2019),
        https://arxiv.org/abs/1903.05628, for distances of pairs; Enhanced Generative Model
        Evaluation with Clipped Density and Coverage (Salvy, Talbot and Thirion, 2025),
        https://arxiv.org/abs/2507.01761

    Examples:
        >>> from iidgan.core import ClassifierOutputs, Predictions
        >>> generator = torch.Generator().manual_seed(0)
        >>> labels = torch.arange(80) % 2
        >>> features = torch.randn(80, 3, generator=generator)
        >>> real = Predictions(labels[:, None], torch.ones(80, 1), features)
        >>> copied = features * (labels == 0)[:, None]  # one sample of class 1, repeated
        >>> fake = Predictions(real.classes[None], real.confidences[None], copied[None])
        >>> samples = Samples(
        ...     generated=torch.zeros(1, 80, 1, 8, 8),
        ...     real=torch.zeros(80, 1, 8, 8),
        ...     generated_labels=labels[None],
        ...     real_labels=labels,
        ...     classifier_outputs=ClassifierOutputs(fake, real, num_classes=2, protocol={}),
        ... )
        >>> values = ConditionalImages()(samples)
        >>> values["class_accuracy"].item(), values["class_diversity"].item()
        (100.0, 0.5)
        >>> values["classes_covered"].item()
        1.0
    """

    k: int = 5
    """Number of neighbours that the ball of a real sample reaches to, for the coverage."""

    max_per_class: int = 500
    """Largest number of samples of a class, on either side, whose features are compared."""

    min_per_class: int = 20
    """Smallest number of samples of a class, on either side, that suffices for scores."""

    covered: float = 0.5
    """Smallest clipped coverage of a class that counts as covered."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InputError(f"k: must be >= 1, got {self.k}; the default is 5")
        if not self.k < self.min_per_class <= self.max_per_class:
            raise InputError(
                f"min_per_class: must be above k = {self.k} and at most max_per_class = "
                f"{self.max_per_class}, got {self.min_per_class}"
            )
        _check_covered(self.covered)

    def missing(self, samples: Samples) -> str | None:
        if samples.generated_labels is None:
            return _MISSING_LABELS
        if samples.classifier_outputs is None:
            return samples.classifier_missing_reason
        num_views = samples.classifier_outputs.real.classes.shape[-1]
        if num_views > 1:
            return f"images with one class each, got {num_views} stacked images"
        return "labels of the real samples" if samples.real_labels is None else None

    def protocol(self, samples: Samples) -> MetricProtocol:
        outputs = require_classifier_outputs(self, "conditional-images", samples)
        return {
            **outputs.protocol,
            **vars(self),
            "num_classes": outputs.num_classes,
            "num_generated": outputs.generated.classes.shape[-2],
            "num_real": outputs.real.classes.shape[-2],
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        outputs = require_classifier_outputs(self, "conditional-images", samples)
        assert samples.generated_labels is not None
        assert samples.real_labels is not None
        real = outputs.real.classes[:, 0], outputs.real.features
        real_by_class = _split_classes(samples.real_labels, *real, outputs.num_classes)
        scores = []
        for labels, classes, features in zip(
            samples.generated_labels, outputs.generated.classes[..., 0], outputs.generated.features
        ):
            generated_by_class = _split_classes(labels, classes, features, outputs.num_classes)
            scores.append(self._score_seed(generated_by_class, real_by_class))
        return {name: torch.stack([seed[name] for seed in scores]) for name in scores[0]}

    def _score_seed(
        self, generated: Sequence[_ClassImages], real: Sequence[_ClassImages]
    ) -> dict[str, Tensor]:
        """Compute the values of one seed from its images of each class."""
        scored = [
            (fake_images, real_images)
            for fake_images, real_images in zip(generated, real)
            if min(len(fake_images), len(real_images)) >= self.min_per_class
        ]
        scores = torch.tensor(
            [self._score_class(*images) for images in scored] or [[torch.nan] * 5],
            dtype=torch.float64,
        )
        accuracy, real_accuracy, distance, coverage, diversity = scores.mT
        return {
            "class_accuracy": accuracy.mean(),
            "class_accuracy_worst": accuracy.amin(),
            "class_accuracy_real": real_accuracy.mean(),
            "intra_fd": distance.mean(),
            "class_coverage": coverage.mean(),
            "class_coverage_worst": coverage.amin(),
            "classes_covered": (coverage >= self.covered).sum().double(),
            "class_diversity": diversity.mean(),
            "classes_left_out": torch.tensor(float(len(real) - len(scored)), dtype=torch.float64),
        }

    def _score_class(self, generated: _ClassImages, real: _ClassImages) -> tuple[float, ...]:
        """Compute accuracy, real accuracy, distance, coverage and diversity of one class."""
        num = min(len(generated), len(real), self.max_per_class)
        fake_features, real_features = generated.features[:num], real.features[:num]
        coverage = clipped_density_and_coverage(real_features, fake_features, self.k).coverage
        return (
            generated.accuracy,
            real.accuracy,
            float(frechet_distance(real_features, fake_features)),
            float(coverage),
            float(_mean_pair_distance(fake_features) / _mean_pair_distance(real_features)),
        )


@dataclass(frozen=True)
class _ClassImages:
    """Images of one class: whether each is assigned to it, and features of all, (n, D)."""

    is_right: Tensor
    features: Tensor

    def __len__(self) -> int:
        return len(self.is_right)

    @property
    def accuracy(self) -> float:
        """Share of the images that are assigned to their class, in percent."""
        return 100 * float(self.is_right.double().mean())


def _split_classes(
    labels: Tensor, classes: Tensor, features: Tensor, num_classes: int
) -> list[_ClassImages]:
    """Split n images by their labels, each with an assigned class and features."""
    labels = labels.cpu()
    return [
        _ClassImages((classes == label)[labels == label].cpu(), features[labels == label].cpu())
        for label in range(num_classes)
    ]


def _mean_pair_distance(features: Tensor) -> Tensor:
    return torch.pdist(features.double()).mean()


@dataclass(frozen=True, kw_only=True)
class ConditionalModes(Metric):
    """Accuracy and coverage of classes that are the modes of a known mixture.

    Labels of the data are indices of the K centres. Values, each with shape (S,):

    * `class_accuracy`: share of the samples of a class to which its centre is the nearest, in
      percent, mean over the classes. A generator that ignores the class has 100 / K.
      `class_accuracy_worst`: that of the class with the smallest.
    * `classes_covered`: number of classes of which at least a share of `covered` are good samples
      of their own mode, in the sense of `ModeCoverage`: those of the mixture have 0.989 in the
      plane.

    Classes that G was not given have no share, and do not count. Samples that are not finite
    belong to no mode.

    Raises:
        InputError: `k` is not positive, or `covered` not in (0, 1].

    References:
        Conditional Image Synthesis With Auxiliary Classifier GANs (Odena, Olah and Shlens, 2016),
        https://arxiv.org/abs/1610.09585, for the accuracy of classes

    Examples:
        >>> truth = GaussianMixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), std=0.1)
        >>> labels = torch.tensor([[0, 0, 1, 1]])
        >>> generated = torch.tensor([[[-1.0, 0.0], [-1.1, 0.0], [1.0, 0.0], [-1.0, 0.0]]])
        >>> samples = Samples(generated, truth.centres, truth=truth, generated_labels=labels)
        >>> values = ConditionalModes()(samples)
        >>> values["class_accuracy"].item(), values["class_accuracy_worst"].item()
        (75.0, 50.0)
    """

    k: float = 3.0
    """Largest distance of a good sample from its centre in the plane, in standard deviations."""

    covered: float = 0.5
    """Smallest share of good samples of the own mode for which a class counts as covered."""

    def __post_init__(self) -> None:
        if not self.k > 0:
            raise InputError(f"k: must be > 0, got {self.k}; the default is 3 standard deviations")
        _check_covered(self.covered)

    def missing(self, samples: Samples) -> str | None:
        if samples.generated_labels is None:
            return _MISSING_LABELS
        return ModeCoverage().missing(samples)

    def protocol(self, samples: Samples) -> MetricProtocol:
        truth, labels = self._require_inputs(samples)
        return {
            **vars(self),
            "num_classes": len(truth.centres),
            "num_generated": labels.shape[1],
            "std": truth.std,
        }

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        truth, labels = self._require_inputs(samples)
        accuracy, good_share = (
            _share_by_class(assign_modes(samples.generated, truth, k), labels, len(truth.centres))
            for k in (math.inf, self.k)
        )
        return {
            "class_accuracy": 100 * accuracy.nanmean(-1),
            "class_accuracy_worst": 100 * accuracy.nan_to_num(nan=math.inf).amin(-1),
            "classes_covered": (good_share >= self.covered).sum(-1).double(),
        }

    def _require_inputs(self, samples: Samples) -> tuple[GaussianMixture, Tensor]:
        missing_input = self.missing(samples)
        truth, labels = samples.truth, samples.generated_labels
        if not isinstance(truth, GaussianMixture) or labels is None or missing_input:
            raise InputError(f"conditional-modes: missing {missing_input}")
        return truth, labels.cpu()


def _share_by_class(modes: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Compute the share of samples of each class in their own mode: (S, N) -> (S, K)."""
    own_counts = histogram.count_bins(labels.where(modes == labels, -1), num_classes)
    return own_counts.double() / histogram.count_bins(labels, num_classes)


def _check_covered(covered: float) -> None:
    if not 0 < covered <= 1:
        raise InputError(f"covered: must be a share in (0, 1], got {covered}")
