"""Distances between a batch of codes and the standard normal distribution.

Every function takes codes of shape (..., n, M), float32 or float64, and returns values of shape
(...) in the same dtype; μ is the mean and Σ the biased covariance of the n codes. Values and
gradients are finite at any rank of Σ: also for n <= M, for codes that are all equal, and for
n = 1. The functions of μ and Σ cost at most O(n M min(n, M)).

The p-norm and the distances `w2`, `kl` and `w2-1d` see nothing of the codes but μ and Σ (of
`w2-1d`, the variances), so that a few points with the right moments have distance 0;
`epps-pulley` and `energy` compare distributions.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, section 4 and appendix A, for the first four
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
    """Compute the distance of codes to N(0, I) that is called `name`.

    Half precision is converted to float32, and autocast is disabled, since covariances need more
    digits.

    Arguments:
        name: One of `Distance`: `p-norm`, `w2`, `kl`, `w2-1d`, `epps-pulley` or `energy`.
        codes: Codes of any floating dtype, with shape (..., n, M).
        directions: Projection directions of `epps-pulley`, with shape (K, M) or (..., K, M).
        p: Exponent of `p-norm`.
        root: Whether `w2` and `w2-1d` return the distance rather than its square.
        eps: Shrinkage of `kl`, None for the smallest.

    Returns:
        Values with shape (...), float64 for float64 codes, float32 for others.

    Raises:
        ValueError: `epps-pulley` has no directions.

    Examples:
        >>> codes = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        >>> gaussian_distance("p-norm", codes)  # mean 0 and covariance I
        tensor(0.)
        >>> gaussian_distance("energy", codes)  # but only four points
        tensor(0.1463)
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
    """Compute the p-norm of the error of mean and covariance, entry by entry.

        ‖μ‖_p + ‖Σ - I‖_p

    For p = 2, the two parts are about √(M / n) and √(M (M + 1) / n), not 0, for n exact Gaussian
    codes; and for n < M it uses the Gram matrix K of the codes, ‖Σ - I‖² = ‖K - I‖² + M - n.

    Arguments:
        codes: Codes, with shape (..., n, M).
        p: Exponent, at least 1.

    Returns:
        Values with shape (...).

    Examples:
        >>> codes = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        >>> p_norm(codes + torch.tensor([3.0, 4.0]))
        tensor(5.)
        >>> p_norm(2 * codes)  # ‖3 I‖ = 3 √2
        tensor(4.2426)
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
    """Compute the squared 2-Wasserstein distance of N(μ, Σ) to N(0, I).

        W₂² = ‖μ‖² + tr(Σ + I - 2 Σ^½) = ‖μ‖² + sum_i (√λ_i - 1)², with the eigenvalues λ_i of Σ

    With x the centred codes over √n, tr Σ^½ is the nuclear norm of x, and the gradient is twice
    the difference of x and its polar factor: bounded at any rank, since no root of an eigenvalue
    is differentiated. Singular values of x below 1.5e-3 (float32) or 1e-4 (float64) of the 4-norm
    of all of them are underestimated.

    Arguments:
        codes: Codes, with shape (..., n, M).
        root: Whether to return the distance itself, as InvertGAN does. Its gradient at 0 is 0,
            and values below the square root of the machine epsilon are not resolved.

    Returns:
        Values with shape (...).

    Examples:
        >>> codes = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        >>> w2(3 * codes).round(decimals=4)  # 2 (3 - 1)²
        tensor(8.)
        >>> w2(3 * codes, root=True)
        tensor(2.8284)
    """
    n, M = codes.shape[-2:]
    mu, deviations = _mean_and_deviations(codes)
    variance_sum = deviations.square().sum((-2, -1)) / n
    root_trace = nuclear_norm(deviations) / math.sqrt(n)
    squared = mu.square().sum(-1) + variance_sum + M - 2 * root_trace
    if not root:
        return squared
    return (squared.clamp_min(0) + torch.finfo(codes.dtype).eps).sqrt()


def kl(codes: Tensor, eps: float | None = None) -> Tensor:
    """Compute the Kullback-Leibler divergence KL(N(0, I) ‖ N(μ, Σ)).

        ½ (log det Σ - M + tr Σ⁻¹ + μᵀ Σ⁻¹ μ)

    It is infinite where Σ is singular, so Σ is replaced by Σ + εI, and the error of first order in
    ε is subtracted: with Y = (Σ + εI)⁻¹,

        Σ⁻¹ ≈ Y + ε Y²,  log det Σ ≈ -log det Y - ε tr Y

    What remains is of order ε² / λ³ for an eigenvalue λ, and finite at 0. The default is the
    square root of the machine epsilon, which changes a well-conditioned Σ by no more than rounding
    does. It is absolute, since the target I sets the scale; five times the rounding error of Σ is
    added to keep the Cholesky decomposition from failing. Gradients of nearly singular codes reach
    ε^(-3/2): use 1e-3 to train with n <= M.

    Arguments:
        codes: Codes, with shape (..., n, M).
        eps: Shrinkage ε, None for the square root of the machine epsilon.

    Returns:
        Values with shape (...), in nats.

    Examples:
        >>> codes = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        >>> kl(2 * codes)  # ½ (2 log 4 - 2 + 2 / 4)
        tensor(0.6363)
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
    """Compute the squared 2-Wasserstein distance of each dimension to N(0, 1), summed.

        sum_m μ_m² + (σ_m - 1)²

    It is `w2` where the dimensions are uncorrelated, and blind to correlations.

    Arguments:
        codes: Codes, with shape (..., n, M).
        root: Whether to return the square root, as InvertGAN does; its gradient at 0 is 0.

    Returns:
        Values with shape (...).

    Examples:
        >>> codes = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])  # two points on the diagonal
        >>> w2_1d(codes).round(decimals=4)
        tensor(0.)
        >>> w2(codes).round(decimals=4)  # eigenvalues 2 and 0
        tensor(1.1716)
    """
    mu, centred = _mean_and_centred(codes)
    moment_errors = torch.cat([mu, torch.linalg.vector_norm(centred, dim=-2) - 1], dim=-1)
    if root:
        distance: Tensor = torch.linalg.vector_norm(moment_errors, dim=-1)
        return distance
    return moment_errors.square().sum(-1)


def epps_pulley(codes: Tensor, directions: Tensor) -> Tensor:
    """Compute the Epps-Pulley statistic of the projected codes, averaged over directions.

    With y_j = ⟨z_j, a⟩ / ‖a‖ for a direction a and the density w of N(0, 1),

        ∫ |1/n sum_j e^(i t y_j) - e^(-t²/2)|² w(t) dt

    by the trapezoidal rule on a fixed grid, O(n K T) with T = 22: exact to 1e-9 while all
    |y_j| < 7. Beyond, the grid aliases values that are 20.9 apart, and distant codes have almost
    no gradient: start from codes of moderate size. The statistic is not multiplied by n: for n
    exact Gaussian codes its mean is (1 - 1/√3) / n.

    Arguments:
        codes: Codes, with shape (..., n, M).
        directions: Directions of any length but zero, with shape (K, M) or (..., K, M).

    Returns:
        Values with shape (...).

    References:
        A test for normality based on the empirical characteristic function (Epps and Pulley,
        1983), https://doi.org/10.1093/biomet/70.3.723; sliced as in LeJEPA (Balestriero and LeCun,
        2025), https://arxiv.org/abs/2511.08544

    Examples:
        >>> codes = torch.zeros(100, 2)
        >>> epps_pulley(codes, torch.eye(2))  # collapsed: 1 - √2 + 1/√3
        tensor(0.1631)
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


def _mean_and_deviations(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean (..., M), and the deviations from it (..., n, M)."""
    mu = codes.mean(-2)
    return mu, codes - mu[..., None, :]


def _mean_and_centred(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean (..., M), and centred codes x (..., n, M) with xᵀx = Σ."""
    mu, deviations = _mean_and_deviations(codes)
    return mu, deviations / math.sqrt(codes.shape[-2])


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
