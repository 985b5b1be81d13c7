"""Scores of predicted classes, the Inception Score and Mode Score, and the coverage of classes."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from iidgan.errors import InputError, unknown_name_error
from iidgan.functional.scores.seeds import check_features, check_sets, score_seeds

PredictionKind = Literal["logits", "probabilities"]
"""What a classifier returns: logits, or probabilities that sum to 1."""

_TOLERANCE = 1e-3  # of sums of probabilities, in half precision


class InceptionScore(NamedTuple):
    """Mean and spread of the Inception Score over splits.

    Arguments:
        mean: Mean over the splits.
        std: Standard deviation over the splits, which divides by their number; NaN of one.
    """

    mean: Tensor
    std: Tensor


def inception_score(
    predictions: Tensor,
    kind: PredictionKind,
    *,
    num_splits: int = 1,
    shuffle_seed: int | None = None,
) -> InceptionScore:
    """Compute the Inception Score: how sure the classes of samples are, and how various.

        exp(1/N sum_x KL(p(y|x) ‖ p(y))), with p(y) = 1/N sum_x p(y|x)

    of K classes, in [1, K]: 1 if all predictions are the same, K for certain classes that are all
    equally frequent. Its exponent is biased downwards, by at most about (K - 1) / (2N), so that
    splits lower it. Splits in the order of the samples are another measure than random ones: 10
    perfect classes, sorted, in 10 splits have 1 instead of 10. Order, splits and classifier belong
    to the protocol.

    It reads no real samples: it cannot see whether the classes are those of the data, nor any
    variety within a class, nor copies. Time is O(N K).

    Arguments:
        predictions: Predictions p(y|x) of generated samples, with shape (N, K) or (S, N, K).
        kind: Whether they are logits or probabilities. It has no default, since each reads the
            other as something else, without an error.
        num_splits: Number of parts of equal size, from the samples in their order; what is left
            over is ignored.
        shuffle_seed: Seed of a random order, by an own generator; None keeps the order.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose predictions are not finite.

    Raises:
        InputError: The predictions do not have the shape, or are not of the kind.

    References:
        Improved Techniques for Training GANs (Salimans et al., 2016),
        https://arxiv.org/abs/1606.03498

    Examples:
        >>> certain = torch.eye(10).repeat(10, 1)  # 10 samples of each class
        >>> inception_score(certain, "probabilities").mean.round(decimals=6)
        tensor(10., dtype=torch.float64)
    """
    check_features("predictions", predictions, max_ndim=3)
    num_samples = predictions.shape[-2]
    if not 1 <= num_splits <= num_samples:
        raise InputError(
            f"num_splits: must be in [1, {num_samples}], the number of samples, got {num_splits}"
        )
    order = torch.arange(num_samples)
    if shuffle_seed is not None:
        generator = torch.Generator().manual_seed(shuffle_seed)
        order = torch.randperm(num_samples, generator=generator)

    def score(probabilities: Tensor) -> tuple[Tensor, Tensor]:
        splits = probabilities[order.to(probabilities.device)].split(num_samples // num_splits)
        scores = torch.stack([_mean_divergence(split).exp() for split in splits[:num_splits]])
        std = scores.std(correction=0) if num_splits > 1 else scores[0] * torch.nan
        return scores.mean(), std

    return InceptionScore(*score_seeds(score, _to_probabilities("predictions", predictions, kind)))


class ModeScore(NamedTuple):
    """The Mode Score in the two forms that are printed.

    Arguments:
        generated: With the generated marginal in the first divergence.
        training: With the real marginal in both.
    """

    generated: Tensor
    training: Tensor


def mode_score(real: Tensor, fake: Tensor, kind: PredictionKind) -> ModeScore:
    """Compute the Mode Score: an Inception Score that compares classes with those of the data.

    With the marginals p(y) of the generated and q(y) of the real predictions,

        generated: exp(E_x KL(p(y|x) ‖ p(y)) - KL(p(y) ‖ q(y)))
        training:  exp(E_x KL(p(y|x) ‖ q(y)) - KL(p(y) ‖ q(y)))

    for generated x. The publications print both. The second is the Inception Score itself, since
    the difference of its divergences is that of `inception_score` for any q: it does not compare
    with the data. The first lies in [0, K], and is the Inception Score if the marginals agree; it
    is 0 if a class is generated that q excludes.

    It cannot see variety within a class, nor copies, and is biased as the Inception Score is. Time
    is O((N + N') K).

    Arguments:
        real: Predictions of real samples, with shape (N, K).
        fake: Predictions of generated samples, with shape (N', K) or (S, N', K).
        kind: Whether they are logits or probabilities.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose predictions are not finite.

    Raises:
        InputError: The predictions do not have the shape, or are not of the kind.

    References:
        Mode Regularized Generative Adversarial Networks (Che et al., 2017),
        https://arxiv.org/abs/1612.02136; An Empirical Study on Evaluation Metrics of Generative
        Adversarial Networks (Xu et al., 2018), https://arxiv.org/abs/1806.07755, for the first
        form

    Examples:
        >>> real = torch.eye(10).repeat(10, 1)
        >>> fake = torch.eye(10)[:5].repeat(20, 1)  # half of the classes
        >>> mode_score(real, fake, "probabilities").generated.round(decimals=6)  # 5 / 2
        tensor(2.5000, dtype=torch.float64)
    """
    check_sets(real, fake)
    real_marginal = _to_probabilities("real", real, kind).mean(0)

    def score(probabilities: Tensor) -> tuple[Tensor, Tensor]:
        marginal = probabilities.mean(0)
        divergence = (torch.xlogy(marginal, marginal) - torch.xlogy(marginal, real_marginal)).sum()
        inception_divergence = _mean_divergence(probabilities)
        # Of the second form, both divergences from q may be infinite; their difference is not.
        return (inception_divergence - divergence).exp(), inception_divergence.exp()

    return ModeScore(*score_seeds(score, _to_probabilities("fake", fake, kind)))


def class_coverage(indicators: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Compute the coverage of each class from that of single real samples.

    It shows which classes a generator misses, by the labels of the real samples alone: generated
    ones need none. Of a class with n samples, the standard error is at most 1 / (2 √n).

    Arguments:
        indicators: `prdc_indicators(...).coverage` of real samples, with shape (N,) or (S, N).
        labels: Classes of the real samples, int64 with shape (N,), in 0 ... K - 1.
        num_classes: Number of classes K.

    Returns:
        float64 with shape (K,) or (S, K), in [0, 1]; NaN for a class without real samples.

    Raises:
        InputError: The labels do not fit.

    Examples:
        >>> indicators = torch.tensor([1.0, 1.0, 1.0, 0.0])
        >>> class_coverage(indicators, torch.tensor([0, 0, 1, 1]), num_classes=3)
        tensor([1.0000, 0.5000,    nan], dtype=torch.float64)
    """
    if labels.shape != indicators.shape[-1:]:
        raise InputError(
            f"labels: must have shape ({indicators.shape[-1]},), one for each real sample, got "
            f"{tuple(labels.shape)}"
        )
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise InputError(
            f"labels: must be in [0, {num_classes - 1}], got {int(labels.min())} to "
            f"{int(labels.max())}"
        )
    is_of_class = torch.nn.functional.one_hot(labels.long(), num_classes).double()
    return indicators.double() @ is_of_class / is_of_class.sum(0)


def _to_probabilities(name: str, predictions: Tensor, kind: PredictionKind) -> Tensor:
    predictions = predictions.detach().double()
    if kind == "logits":
        return predictions.softmax(-1)
    if kind != "probabilities":
        raise unknown_name_error("kind", kind, get_args(PredictionKind))
    sums = predictions.sum(-1)
    if (predictions < 0).any() or ((sums - 1).abs() > _TOLERANCE).any():
        raise InputError(
            f"{name}: probabilities must be >= 0 and sum to 1, got sums from "
            f"{sums.nan_to_num().min():.4g} to {sums.nan_to_num().max():.4g}; are they logits?"
        )
    return predictions


def _mean_divergence(probabilities: Tensor) -> Tensor:
    """Compute the mean divergence of predictions (n, K) from their mean."""
    marginal = probabilities.mean(0)
    entropy = -torch.xlogy(marginal, marginal).sum()
    return entropy + torch.xlogy(probabilities, probabilities).sum(1).mean()
