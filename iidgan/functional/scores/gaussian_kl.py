"""The divergence of a Gaussian that is fitted to codes from the prior."""

from __future__ import annotations

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.functional.scores.seeds import check_features, score_seeds


def gaussian_kl(codes: Tensor) -> Tensor:
    """Compute the Kullback-Leibler divergence of a Gaussian fitted to codes from N(0, I).

        KL(N(m, C) ‖ N(0, I)) = ½ (tr C + ‖m‖² - M - ln det C)

    with the mean m and the covariance C, which divides by N - 1, of N codes F(x) of real data
    with M dimensions. It is at least 0, in nats, and 0 if the codes have mean 0 and covariance I;
    infinite if they lie in a subspace.

    It is biased upwards: for samples of N(0, I) its mean is about M (M + 3) / (4 N). It sees two
    moments alone: codes on eight points of a circle have 0. `Normality` tests their shape. Time
    is O(N M² + M³).

    Arguments:
        codes: Codes, with shape (N, M) or (S, N, M), N of at least M + 1.

    Returns:
        float64 with shape () or (S,); NaN for a seed whose codes are not finite.

    Raises:
        InputError: The codes do not have the shape, or are too few.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2021), https://arxiv.org/abs/2106.00563, Figure 6b

    Examples:
        >>> codes = torch.tensor([[-1.0], [0.0], [1.0]])  # mean 0, variance 1
        >>> gaussian_kl(codes), gaussian_kl(codes + 3)  # ½ 3²
        (tensor(0., dtype=torch.float64), tensor(4.5000, dtype=torch.float64))
    """
    check_features("codes", codes, max_ndim=3)
    num_codes, num_dimensions = codes.shape[-2:]
    if num_codes <= num_dimensions:
        raise InputError(
            f"codes: needs at least {num_dimensions + 1} codes of {num_dimensions} dimensions, "
            f"got {num_codes}"
        )

    def score(seed_codes: Tensor) -> tuple[Tensor]:
        values = seed_codes.double()
        mean = values.mean(0)
        covariance = torch.atleast_2d(values.mT.cov())
        log_determinant = torch.linalg.slogdet(covariance).logabsdet
        trace, squared_mean = covariance.trace(), mean.square().sum()
        return ((trace + squared_mean - num_dimensions - log_determinant).clamp_min(0) / 2,)

    return score_seeds(score, codes)[0]
