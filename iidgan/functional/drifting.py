"""The drifting field: where samples should move to be distributed as the data are.

It attracts samples to real ones and repels them from each other, without a network that tells the
two apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def drifting_field(
    samples: Tensor, positives: Tensor, negatives: Tensor | None = None, *, temperature: float
) -> Tensor:
    """Compute the direction and distance that each sample should move.

    For a sample x_i, positives y⁺ and negatives y⁻,

        V_i = sum_jk a⁺_ij a⁻_ik (y⁺_j - y⁻_k)

    The weights a are normalised on two sides: a is the root of the product of two softmaxes of
    -‖x_i - y‖ / τ, over all y, positive and negative, and over all x. Where positives and
    negatives change places, V becomes -V, so that it is 0 where they are the same set.

    Arguments:
        samples: Samples x, with shape (S, B, d).
        positives: Real samples, which attract, with shape (S, P, d).
        negatives: Samples that repel, with shape (S, N, d); None: the other samples of the batch.
        temperature: Width τ of the neighbourhood of a sample.

    Returns:
        The field at each sample, with shape (S, B, d) and without a gradient.

    References:
        Generative Modeling via Drifting (Deng, Li, Li, Du and He, 2026),
        https://arxiv.org/abs/2602.04770, algorithm 2

    Examples:
        Halfway between one positive and one negative, the field is half of their difference:

        >>> positive, negative = torch.tensor([[[3.0]]]), torch.tensor([[[-3.0]]])
        >>> drifting_field(torch.zeros(1, 1, 1), positive, negative, temperature=1.0).round()
        tensor([[[3.]]])
        >>> drifting_field(torch.zeros(1, 1, 1), positive, positive, temperature=1.0)
        tensor([[[0.]]])
    """
    samples, positives = samples.detach(), positives.detach()
    others = samples if negatives is None else negatives.detach()
    distances = torch.cat(
        [_pairwise_distances(samples, positives), _pairwise_distances(samples, others)], -1
    )
    num_positives = positives.shape[1]
    if negatives is None:  # no sample repels itself
        distances[..., num_positives:].diagonal(dim1=-2, dim2=-1).fill_(torch.inf)
    logits = -distances / temperature
    weights = ((logits.log_softmax(-1) + logits.log_softmax(-2)) / 2).exp()
    positive_weights, negative_weights = (
        weights[..., :num_positives],
        weights[..., num_positives:],
    )
    attraction = positive_weights @ positives * negative_weights.sum(-1, keepdim=True)
    repulsion = negative_weights @ others * positive_weights.sum(-1, keepdim=True)
    return attraction - repulsion


def drifting_loss(samples: Tensor, positives: Tensor, temperatures: Sequence[float]) -> Tensor:
    """Compute the mean squared distance of samples to where the drifting field moves them.

        E ‖x / s - (x / s + sum_τ V_τ / λ_τ)‖² / d, where what is in parentheses is constant

    s √d is the mean distance of samples to positives and to the other samples, V_τ the field of
    samples and positives over s with the temperature τ √d, and λ_τ the root mean square of its
    elements. So temperatures are shares of the mean distance, and all of them count alike. The
    value is the mean square of the summed fields, about 1 to the square of their number also when
    training has ended: only the gradient matters.

    Arguments:
        samples: Generated samples of any shape, (S, B, ...), at least two of each seed.
        positives: Real samples, with shape (S, P, ...).
        temperatures: Values of τ.

    Returns:
        One value per seed, with shape (S,).

    References:
        Generative Modeling via Drifting (Deng, Li, Li, Du and He, 2026),
        https://arxiv.org/abs/2602.04770, appendix A.6

    Examples:
        >>> x = torch.tensor([[[-1.0], [1.0]]], requires_grad=True)
        >>> loss = drifting_loss(x, torch.tensor([[[-2.0], [2.0]]]), temperatures=[0.2])
        >>> torch.autograd.grad(loss.sum(), x)[0].sign()  # descent moves samples outwards
        tensor([[[ 1.],
                 [-1.]]])
    """
    samples, positives = samples.flatten(2), positives.flatten(2)
    scale = _mean_distance(samples, positives) / samples.shape[-1] ** 0.5
    samples, positives = samples / scale, positives / scale
    tiny = torch.finfo(samples.dtype).tiny
    target = samples.detach()
    for temperature in temperatures:
        field = drifting_field(
            samples, positives, temperature=temperature * samples.shape[-1] ** 0.5
        )
        root_mean_square = field.square().mean((-2, -1), keepdim=True).sqrt()
        target = target + field / root_mean_square.clamp_min(tiny)
    return (samples - target).square().mean((-2, -1))


def _pairwise_distances(x: Tensor, y: Tensor) -> Tensor:
    """Compute Euclidean distances, (S, B, d) and (S, N, d) -> (S, B, N), also of close points."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _mean_distance(samples: Tensor, positives: Tensor) -> Tensor:
    """Compute the mean distance of samples to positives and other samples, of shape (S, 1, 1)."""
    samples, positives = samples.detach(), positives.detach()
    batch_size, num_positives = samples.shape[1], positives.shape[1]
    distance_sum = _pairwise_distances(samples, samples).sum((-2, -1), keepdim=True)
    distance_sum = distance_sum + _pairwise_distances(samples, positives).sum(
        (-2, -1), keepdim=True
    )
    mean_distance: Tensor = distance_sum / (batch_size * (batch_size - 1 + num_positives))
    return mean_distance.clamp_min(torch.finfo(samples.dtype).tiny)
