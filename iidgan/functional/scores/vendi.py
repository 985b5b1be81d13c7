"""The Vendi score: the effective number of different samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.functional.scores.gram import gram_matrix
from iidgan.functional.scores.seeds import check_features, score_seeds

_BLOCK_SIZE = 2048  # rows that are converted to float64 at a time
_MIN_EIGENVALUE = 1e-12  # of a sum of 1; smaller ones count as zero for q = 0


def vendi_score(fake: Tensor, q: float = 1.0) -> Tensor:
    """Compute the Vendi score of order q: the effective number of different samples.

    With the eigenvalues λ of K / N, of the cosine similarities K of N samples, it is the
    exponential of their Rényi entropy,

        (sum_i λ_i^q)^(1 / (1 - q)),   exp(-sum_i λ_i ln λ_i) for q = 1,   1 / max_i λ_i for q = ∞

    in [1, min(N, D)]: 1 if all samples have the same direction, N if all are orthogonal. Large q
    count common samples, and small q rare ones; q = 0 is the rank, and q = 2 is 1 / mean K².

    It is biased: it increases with N up to the value of the distribution, by more the smaller q
    is, and is at most D. It reads no real samples, so that noise has a high score. Features after
    a ReLU are all alike, and have a low score: it depends on the network. Time is O(N D min(N,
    D)), in float64, for eigenvalues of the smaller of K and its counterpart of D x D.

    Arguments:
        fake: Features of generated samples, with shape (N, D) or (S, N, D). Samples of length 0,
            which have no direction, are left out.
        q: Order, at least 0 and possibly infinite.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose features are not finite.

    Raises:
        InputError: `q` is negative, or the features do not have the shape.

    References:
        The Vendi Score: A Diversity Evaluation Metric for Machine Learning (Friedman and Dieng,
        2022), https://arxiv.org/abs/2210.02410; Cousins of the Vendi Score (Pasarkar and Dieng,
        2023), https://arxiv.org/abs/2310.12952, for other orders

    Examples:
        >>> fake = torch.eye(3).repeat(10, 1)
        >>> vendi_score(fake).round(decimals=6), vendi_score(fake, q=2).round(decimals=6)
        (tensor(3., dtype=torch.float64), tensor(3., dtype=torch.float64))
    """
    check_features("fake", fake, max_ndim=3)
    if not q >= 0:
        raise InputError(f"q: must be >= 0, got {q}; the default is 1")
    (scores,) = score_seeds(lambda features: (_renyi_number(_eigenvalues(features), q),), fake)
    return scores


def _eigenvalues(features: Tensor) -> Tensor:
    """Compute the eigenvalues of K / N, or those of its counterpart, without negative ones."""
    if len(features) <= features.shape[1]:
        gram = gram_matrix([_directions(features).mT])
    else:
        gram = gram_matrix(map(_directions, features.split(_BLOCK_SIZE)))
    eigenvalues = torch.linalg.eigvalsh(gram).clamp_min(0)
    total = eigenvalues.sum()
    if total == 0:  # no directions: all samples are the same
        return torch.ones_like(eigenvalues[:1])
    return eigenvalues / total


def _directions(features: Tensor) -> Tensor:
    features = features.double()
    scales = features.abs().amax(1, keepdim=True)  # squares of huge or tiny values overflow
    scaled = (features / scales).where(scales > 0, 0)
    lengths: Tensor = torch.linalg.vector_norm(scaled, dim=1, keepdim=True)
    return scaled / lengths.clamp_min(1)


def _renyi_number(eigenvalues: Tensor, q: float) -> Tensor:
    if q == 0:
        return (eigenvalues > _MIN_EIGENVALUE).sum()
    if q == 1:
        return (-torch.xlogy(eigenvalues, eigenvalues).sum()).exp()
    if math.isinf(q):
        return 1 / eigenvalues.amax()
    largest = eigenvalues.amax()  # powers of values <= 1 do not underflow to nothing
    log_sum = (eigenvalues / largest).pow(q).sum().log() + q * largest.log()
    return (log_sum / (1 - q)).exp()
