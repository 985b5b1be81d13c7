r"""Distances between a batch of codes and the standard normal distribution.

Every function takes codes of shape (..., n, M), float32 or float64, and returns values of shape
(...) in the same dtype; mu is the mean and Sigma the biased covariance of the n codes.
Values and gradients are finite at any rank of Sigma: also for n <= M, for codes that are all
equal, and for n = 1. The functions of mu and Sigma cost at most O(n M min(n, M)).

The first four are from Li, Shi & Yan, *IID-GAN: an IID Sampling Perspective for Regularizing Mode
Collapse*, IJCAI 2023, https://www.ijcai.org/proceedings/2023/437, section 4 and appendix A.
"""

from __future__ import annotations

import math
from typing import Any, Literal, assert_never

import torch
from torch import Tensor
from torch.nn.functional import normalize

from iidgan.functional.energy import energy
from iidgan.functional.linalg import gram_matrix, nuclear_norm, spd_inverse, to_full_precision

Distance = Literal["p-norm", "w2", "kl", "w2-1d", "epps-pulley", "energy"]


def gaussian_distance(
    name: Distance,
    codes: Tensor,
    directions: Tensor | None = None,
    *,
    p: float = 2.0,
    root: bool = False,
    eps: float | None = None,
) -> Tensor:
    """Compute the distance called `name`.

    Half precision is converted to float32, and autocast is disabled, since covariances need more
    digits.

    Arguments:
        name: One of `Distance`.
        codes: Codes of any floating dtype, with shape (..., n, M).
        directions: Projection directions of `epps-pulley`, with shape (K, M) or (..., K, M).
        p: Exponent of `p-norm`.
        root: Whether `w2` and `w2-1d` return the distance rather than its square.
        eps: Shrinkage of `kl`, None for the smallest.

    Returns:
        Values with shape (...), float64 for float64 codes, float32 for others.
    """
    with torch.autocast(codes.device.type, enabled=False):
        codes = to_full_precision(codes)
        match name:
            case "p-norm":
                return p_norm(codes, p)
            case "w2":
                return w2(codes, root)
            case "kl":
                return kl(codes, eps)
            case "w2-1d":
                return w2_1d(codes, root)
            case "epps-pulley":
                if directions is None:
                    raise ValueError(
                        "directions: epps-pulley needs a tensor of shape (K, M), got None"
                    )
                return epps_pulley(codes, directions.to(codes.dtype))
            case "energy":
                return energy(codes)
            case _:
                assert_never(name)


def p_norm(codes: Tensor, p: float = 2.0) -> Tensor:
    r"""Compute the p-norm \(\lVert \mu \rVert_p + \lVert \Sigma - I \rVert_p\), entry by entry.

    For p = 2 and n < M it uses the Gram matrix of the codes: |Sigma - I|^2 = |K - I|^2 + M - n.

    Arguments:
        codes: Codes, with shape (..., n, M).
        p: Exponent, at least 1.
    """
    mu, centred = _mean_and_centred(codes)
    n, M = centred.shape[-2:]
    if p == 2 and n < M:
        gram = gram_matrix(centred)
        squared_distance = (gram - _identity_like(gram)).square().sum((-2, -1)) + (M - n)
        covariance_distance = squared_distance.sqrt()
    else:
        covariance = gram_matrix(centred.mT)
        difference = covariance - _identity_like(covariance)
        covariance_distance = _vector_norm(difference.flatten(-2), p)
    return _vector_norm(mu, p) + covariance_distance


def w2(codes: Tensor, root: bool = False) -> Tensor:
    r"""Compute the squared 2-Wasserstein distance of N(mu, Sigma) to N(0, I).

    .. math:: \lVert \mu \rVert^2 + \operatorname{tr}(\Sigma + I - 2 \Sigma^{1/2})

    With x the centred codes over \(\sqrt n\), tr Sigma^{1/2} is the nuclear norm of x, and the
    gradient is twice the difference of x and its polar factor: bounded at any rank, since no root
    of an eigenvalue is differentiated. Singular values of x below 1.5e-3 (float32) or 1e-4
    (float64) of the 4-norm of all of them are underestimated.

    Arguments:
        codes: Codes, with shape (..., n, M).
        root: Whether to return the distance itself, as InvertGAN does. Its gradient at 0 is 0, and
            values below the square root of the machine epsilon are not resolved.
    """
    mu, centred = _mean_and_centred(codes)
    trace_sum = mu.square().sum(-1) + centred.square().sum((-2, -1)) + codes.shape[-1]
    squared = trace_sum - 2 * nuclear_norm(centred)
    if not root:
        return squared
    return (squared.clamp_min(0) + torch.finfo(codes.dtype).eps).sqrt()


def kl(codes: Tensor, eps: float | None = None) -> Tensor:
    r"""Compute the Kullback-Leibler divergence KL(N(0, I) || N(mu, Sigma)).

    .. math:: \tfrac12 (\log\det\Sigma - M + \operatorname{tr}\Sigma^{-1} + \mu^\top\Sigma^{-1}\mu)

    It is infinite where Sigma is singular, so Sigma is replaced by Sigma + eps I, and the error of
    first order in eps is subtracted: with \(Y = (\Sigma + \epsilon I)^{-1}\),

    .. math:: \Sigma^{-1} \approx Y + \epsilon Y^2, \quad
        \log\det\Sigma \approx -\log\det Y - \epsilon \operatorname{tr} Y

    What remains is of order eps^2 / lambda^3 for an eigenvalue lambda, and finite at 0. The
    default is the square root of the machine epsilon, which changes a well-conditioned Sigma by
    no more than rounding does. It is absolute, since the target I sets the scale; five times the
    rounding error of Sigma is added to keep the Cholesky decomposition from failing. Gradients of
    nearly singular codes reach eps^(-3/2): use 1e-3 to train with n <= M.

    Arguments:
        codes: Codes, with shape (..., n, M).
        eps: Shrinkage, None for the square root of the machine epsilon.
    """
    mu, centred = _mean_and_centred(codes)
    n, M = centred.shape[-2:]
    machine_eps = torch.finfo(codes.dtype).eps
    gram = gram_matrix(centred.mT if n >= M else centred)
    rounding_error = 5 * machine_eps * torch.linalg.matrix_norm(gram.detach())
    shrinkage = rounding_error + (math.sqrt(machine_eps) if eps is None else eps)
    inverse, log_det = spd_inverse(gram + shrinkage[..., None, None] * _identity_like(gram))
    if n >= M:
        inverse_mu = (inverse @ mu[..., None])[..., 0]
    else:  # by the Woodbury identity
        projected_mu = (centred.mT @ (inverse @ (centred @ mu[..., None])))[..., 0]
        inverse_mu = (mu - projected_mu) / shrinkage[..., None]
    num_null = max(M - n, 0)  # eigenvalues of Sigma + e I that the Gram matrix lacks: all are e
    log_det = log_det + num_null * shrinkage.log()
    trace = inverse.diagonal(dim1=-2, dim2=-1).sum(-1) + num_null / shrinkage
    trace_square = inverse.square().sum((-2, -1)) + num_null / shrinkage.square()
    mahalanobis = (mu * inverse_mu).sum(-1) + shrinkage * inverse_mu.square().sum(-1)
    return 0.5 * (log_det - M + (1 - shrinkage) * trace + shrinkage * trace_square + mahalanobis)


def w2_1d(codes: Tensor, root: bool = False) -> Tensor:
    r"""Compute the squared 2-Wasserstein distance of each dimension to N(0, 1), summed.

    .. math:: \sum_m \mu_m^2 + (\sigma_m - 1)^2

    Arguments:
        codes: Codes, with shape (..., n, M).
        root: Whether to return the square root, as InvertGAN does; its gradient at 0 is 0.
    """
    mu, centred = _mean_and_centred(codes)
    moment_errors = torch.cat([mu, torch.linalg.vector_norm(centred, dim=-2) - 1], dim=-1)
    if root:
        distance: Tensor = torch.linalg.vector_norm(moment_errors, dim=-1)
        return distance
    return moment_errors.square().sum(-1)


def epps_pulley(codes: Tensor, directions: Tensor) -> Tensor:
    r"""Compute the Epps-Pulley statistic of the projected codes, averaged over directions.

    With \(y_j = \langle z_j, a \rangle / |a|\) for a direction a and \(w\) the density of N(0, 1),

    .. math:: \int \Bigl| \tfrac1n \sum_j e^{i t y_j} - e^{-t^2/2} \Bigr|^2 w(t) \, dt

    by the trapezoidal rule on a fixed grid, O(n K T) with T = 22: exact to 1e-9 while all
    \(|y_j| < 7\). Beyond, the grid aliases values that are 20.9 apart, and distant codes have
    almost no gradient: start from codes of moderate size. The statistic is not multiplied by n:
    for n exact Gaussian codes its mean is \((1 - 3^{-1/2}) / n\).

    Epps & Pulley, *A test for normality based on the empirical characteristic function*, 1983,
    https://doi.org/10.1093/biomet/70.3.723; sliced as by Balestriero & LeCun, *LeJEPA*, 2025,
    https://arxiv.org/abs/2511.08544.

    Arguments:
        codes: Codes, with shape (..., n, M).
        directions: Directions of any length but zero, with shape (K, M) or (..., K, M).
    """
    step, num_nodes = 0.3, 22
    nodes = torch.arange(1, num_nodes + 1, dtype=codes.dtype, device=codes.device)
    t = step * nodes[:, None, None]
    normal_cf = (-0.5 * t.square()).exp()
    node_weights = normal_cf * (2 * step / math.sqrt(2 * math.pi))
    projected_codes = codes @ normalize(directions, dim=-1).mT
    cos_values, sin_values = _CosineAndSine.apply(projected_codes, t)  # type: ignore[no-untyped-call]
    real_part = cos_values.mean(-2, keepdim=True) - normal_cf
    imaginary_part = sin_values.mean(-2, keepdim=True)
    squared_errors = real_part.square() + imaginary_part.square()
    return (node_weights * squared_errors).sum((-3, -2)).mean(-1)


class _CosineAndSine(torch.autograd.Function):
    """Cosines and sines of t y, with shape (..., T, n, K).

    Each gives the derivative of the other, which automatic differentiation would recompute.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(y: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        angles = t * y[..., None, :, :]
        return angles.cos(), angles.sin()

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401
        inputs: tuple[Tensor, Tensor],
        output: tuple[Tensor, Tensor],
    ) -> None:
        ctx.save_for_backward(inputs[1], *output)

    @staticmethod
    def backward(ctx: Any, grad_cos: Tensor, grad_sin: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        t, cos_values, sin_values = ctx.saved_tensors
        return (t * (cos_values * grad_sin - sin_values * grad_cos)).sum(-3), None


def _mean_and_centred(codes: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return the mean (..., M), and centred codes x (..., n, M) with \(x^\top x = \Sigma\)."""
    mu = codes.mean(-2)
    return mu, (codes - mu[..., None, :]) / math.sqrt(codes.shape[-2])


def _vector_norm(values: Tensor, p: float) -> Tensor:
    """Compute the p-norm over the last axis, with gradient 0 at 0: (..., k) -> (...)."""
    if p == 2:
        vector_norm: Tensor = torch.linalg.vector_norm(values, dim=-1)
        return vector_norm
    scale = values.detach().abs().amax(-1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
    scaled_norm: Tensor = torch.linalg.vector_norm(
        values / scale, p, dim=-1
    )  # powers of values <= 1 are finite
    return scale[..., 0] * scaled_norm


def _identity_like(matrix: Tensor) -> Tensor:
    return torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
