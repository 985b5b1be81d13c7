"""Metrics of predicted classes, by the last layer of the network of the features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iidgan.evaluation.feature_metrics.base import (
    FeatureMetric,
    FeaturePair,
    Score,
    name_by_extractor,
)
from iidgan.functional.scores.class_scores import inception_score, mode_score
from iidgan.functional.scores.ms_ssim import MIN_SIDE, class_similarity

MAX_SIMILARITY_CLASSES = 100
"""Largest number of classes whose similarity within is measured: others hold too few samples."""


class _ClassMetric(FeatureMetric):
    """A metric of predicted classes."""

    def unsuited(self, extractor: str, head: nn.Linear | None) -> str | None:
        """Return why features of this kind do not suffice.

        Arguments:
            extractor: Name of the extractor.
            head: Layer that maps features to logits of classes; None if there is none.
        """
        if head is None:
            return (
                f"needs predicted classes, which {extractor} does not have; take --features "
                "efficientnet-lite0, inception or NAME-classifier"
            )
        return super().unsuited(extractor, head)


@torch.no_grad()
def compute_logits(head: nn.Linear, features: Tensor) -> Tensor:
    """Compute the logits of features, on the CPU.

    Arguments:
        head: Layer that maps features to logits.
        features: Features, with shape (N, D).
    """
    weight = head.weight
    return torch.cat([head(block.to(weight)).cpu() for block in features.split(_BLOCK_SIZE)])


_BLOCK_SIZE = 4096


@dataclass(frozen=True, kw_only=True)
class InceptionScoreMetric(_ClassMetric):
    """Inception Score of all samples (`inception_score` on Inception), without splits.

    See `iidgan.metrics.inception_score`. The classes are those of the last layer with its bias.
    """

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the score.

        Arguments:
            pair: The features.
        """
        assert pair.head is not None  # or it is missing
        logits = compute_logits(pair.head, pair.fake.values)
        return self._parts_scores(
            pair,
            [name_by_extractor("is", pair.extractor, "inception_score")],
            lambda part: [inception_score(part, "logits").mean],
            logits,
            minimum=1.0,
            maximum=float(logits.shape[1]),
        )


@dataclass(frozen=True, kw_only=True)
class ModeScoreMetric(_ClassMetric):
    """Mode Score, in both printed forms: by the generated and by the real marginal.

    See `iidgan.metrics.mode_score`.
    """

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute both forms.

        Arguments:
            pair: The features.
        """
        assert pair.head is not None  # or it is missing
        logits = [compute_logits(pair.head, side.values) for side in (pair.real, pair.fake)]
        return self._parts_scores(
            pair,
            ["mode_score", "mode_score_training"],
            lambda real, fake: mode_score(real, fake, "logits"),
            *logits,
            maximum=float(logits[0].shape[1]),
        )


@dataclass(frozen=True, kw_only=True)
class SimilarityMetric(_ClassMetric):
    """MS-SSIM of generated images of the same predicted class: high without variety.

    See `iidgan.metrics.class_similarity`. The value is the mean over classes of at least two
    images, without an interval.

    Arguments:
        num_images: Largest number of images that are compared.
        num_pairs: Pairs of each class.
        seed: Seed of the choice of images and of pairs.
    """

    num_images: int = 1000
    num_pairs: int = 50
    seed: int = 0

    def unsuited(self, extractor: str, head: nn.Linear | None) -> str | None:
        """Return why features of this kind do not suffice.

        Arguments:
            extractor: Name of the extractor.
            head: Layer that maps features to logits of classes; None if there is none.
        """
        if head is not None and head.out_features > MAX_SIMILARITY_CLASSES:
            return (
                f"needs a classifier of at most {MAX_SIMILARITY_CLASSES} classes, got "
                f"{head.out_features:,}; take --features NAME-classifier"
            )
        return super().unsuited(extractor, head)

    def missing(self, pair: FeaturePair) -> str | None:
        """Return why it cannot be computed.

        Arguments:
            pair: The features.
        """
        if reason := super().missing(pair):
            return reason
        assert pair.head is not None  # or the features are unsuited
        num_images, num_classes = min(len(pair.fake), self.num_images), pair.head.out_features
        if num_images <= num_classes:  # or no class may have two
            return f"needs more images than the {num_classes} classes, got {num_images}"
        if pair.take_fake is None:
            return "needs the generated images, got features alone; give the images"
        shape = tuple(pair.take_fake([0]).shape[1:])
        if len(shape) != 3 or min(shape[1:]) < MIN_SIDE:
            return f"needs images of at least {MIN_SIDE} pixels a side, got shape {shape}"
        return None

    def compute(self, pair: FeaturePair) -> list[Score]:
        """Compute the mean over classes.

        Arguments:
            pair: The features.
        """
        assert pair.head is not None  # or they are missing
        assert pair.take_fake is not None
        generator = torch.Generator().manual_seed(self.seed)
        chosen = torch.randperm(len(pair.fake), generator=generator)[: self.num_images]
        chosen = chosen.sort().values
        classes = compute_logits(pair.head, pair.fake.values[chosen]).argmax(1)
        images = pair.take_fake(chosen.tolist()).float() / 255
        similarities = class_similarity(
            images,
            classes,
            pair.head.out_features,
            num_pairs=self.num_pairs,
            seed=self.seed,
        )
        return [self._plain_score(pair, "ms_ssim", float(similarities.nanmean()))]
