r"""Distances between a batch of codes and the standard normal distribution.

Every function takes codes of shape (..., n, M), float32 or float64, and gives values of shape
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
from iidgan.functional.linalg import at_least_single, gram, inverse, nuclear_norm

Distance = Literal["p-norm", "w2", "kl", "w2-1d", "epps-pulley", "energy"]


def distance(
    name: Distance,
    z: Tensor,
    directions: Tensor | None = None,
    *,
    p: float = 2.0,
    root: bool = False,
    eps: float | None = None,
) -> Tensor:
    """Computes the distance called `name`: the one place where names become functions.

    Half precision and autocast are left for float32, since covariances do not survive them.

    Arguments:
        name: One of `Distance`.
        z: Codes of any floating dtype, with shape (..., n, M).
        directions: What `epps-pulley` projects on, with shape (K, M) or (..., K, M).
        p: Exponent of `p-norm`.
        root: Whether `w2` and `w2-1d` are the distance rather than its square.
        eps: Shrinkage of `kl`, None for the least.

    Returns:
        Values with shape (...), float64 for float64 codes, float32 for others.
    """
    with torch.autocast(z.device.type, enabled=False):
        z = at_least_single(z)
        match name:
            case "p-norm":
                return p_norm(z, p)
            case "w2":
                return w2(z, root)
            case "kl":
                return kl(z, eps)
            case "w2-1d":
                return w2_1d(z, root)
            case "epps-pulley":
                if directions is None:
                    raise ValueError("directions: epps-pulley needs a tensor (K, M) of them")
                return epps_pulley(z, directions.to(z.dtype))
            case "energy":
                return energy(z)
            case _:
                assert_never(name)


def p_norm(z: Tensor, p: float = 2.0) -> Tensor:
    r"""Computes the p-norm \(\lVert \mu \rVert_p + \lVert \Sigma - I \rVert_p\), entry by entry.

    For p = 2 and n < M it goes by the Gram matrix of the codes: |Sigma - I|^2 = |K - I|^2 + M - n.

    Arguments:
        z: Codes, with shape (..., n, M).
        p: Exponent, at least 1.
    """
    mu, x = _moments(z)
    n, M = x.shape[-2:]
    if p == 2 and n < M:
        inner = gram(x)
        spread = ((inner - _identity_like(inner)).square().sum((-2, -1)) + (M - n)).sqrt()
    else:
        covariance = gram(x.mT)
        spread = _norm((covariance - _identity_like(covariance)).flatten(-2), p)
    return _norm(mu, p) + spread


def w2(z: Tensor, root: bool = False) -> Tensor:
    r"""Computes the squared 2-Wasserstein distance of N(mu, Sigma) to N(0, I).

    .. math:: \lVert \mu \rVert^2 + \operatorname{tr}(\Sigma + I - 2 \Sigma^{1/2})

    With x the centred codes over \(\sqrt n\), tr Sigma^{1/2} is the nuclear norm of x, and the
    gradient is twice the difference of x and its polar factor: bounded at any rank, as no root of
    an eigenvalue is differentiated. Singular values of x below 1.5e-3 (float32) or 1e-4 (float64)
    of the 4-norm of all of them count for less than they are.

    Arguments:
        z: Codes, with shape (..., n, M).
        root: Whether to return the distance itself, as InvertGAN does; its gradient at 0 is 0, and
            values below the square root of the machine epsilon are not resolved.
    """
    mu, x = _moments(z)
    trace = mu.square().sum(-1) + x.square().sum((-2, -1)) + z.shape[-1]
    squared = trace - 2 * nuclear_norm(x)
    if not root:
        return squared
    return (squared.clamp_min(0) + torch.finfo(z.dtype).eps).sqrt()


def kl(z: Tensor, eps: float | None = None) -> Tensor:
    r"""Computes the Kullback-Leibler divergence KL(N(0, I) || N(mu, Sigma)).

    .. math:: \tfrac12 (\log\det\Sigma - M + \operatorname{tr}\Sigma^{-1} + \mu^\top\Sigma^{-1}\mu)

    It is infinite where Sigma is singular, so Sigma + eps I takes its place, and then the first
    order in eps is taken out again: with \(Y = (\Sigma + \epsilon I)^{-1}\),

    .. math:: \Sigma^{-1} \approx Y + \epsilon Y^2, \quad
        \log\det\Sigma \approx -\log\det Y - \epsilon \operatorname{tr} Y

    What remains is of order eps^2 / lambda^3 for an eigenvalue lambda, and finite at 0. The
    default is the square root of the machine epsilon, which changes a well-conditioned Sigma by
    no more than rounding does. It is absolute, as the scale is that of the target, I; five times
    the rounding error of Sigma is added, lest the Cholesky decomposition fail. Gradients of
    nearly singular codes reach eps^(-3/2): take 1e-3 to train with n <= M.

    Arguments:
        z: Codes, with shape (..., n, M).
        eps: Shrinkage, None for the square root of the machine epsilon.
    """
    mu, x = _moments(z)
    n, M = x.shape[-2:]
    machine = torch.finfo(z.dtype).eps
    inner = gram(x.mT if n >= M else x)
    rounding = 5 * machine * torch.linalg.matrix_norm(inner.detach())
    e = rounding + (math.sqrt(machine) if eps is None else eps)
    y, log_det = inverse(inner + e[..., None, None] * _identity_like(inner))
    if n >= M:
        y_mu = (y @ mu[..., None])[..., 0]
    else:  # by the Woodbury identity
        y_mu = (mu - (x.mT @ (y @ (x @ mu[..., None])))[..., 0]) / e[..., None]
    null = max(M - n, 0)  # eigenvalues of the covariance that the Gram matrix lacks: all are e
    log_det = log_det + null * e.log()
    trace = y.diagonal(dim1=-2, dim2=-1).sum(-1) + null / e
    trace_square = y.square().sum((-2, -1)) + null / e.square()
    mahalanobis = (mu * y_mu).sum(-1) + e * y_mu.square().sum(-1)
    return 0.5 * (log_det - M + (1 - e) * trace + e * trace_square + mahalanobis)


def w2_1d(z: Tensor, root: bool = False) -> Tensor:
    r"""Computes the squared 2-Wasserstein distance of each dimension to N(0, 1), summed.

    .. math:: \sum_m \mu_m^2 + (\sigma_m - 1)^2

    Arguments:
        z: Codes, with shape (..., n, M).
        root: Whether to return the square root, as InvertGAN does; its gradient at 0 is 0.
    """
    mu, x = _moments(z)
    gaps = torch.cat([mu, torch.linalg.vector_norm(x, dim=-2) - 1], dim=-1)
    return torch.linalg.vector_norm(gaps, dim=-1) if root else gaps.square().sum(-1)


def epps_pulley(z: Tensor, directions: Tensor) -> Tensor:
    r"""Computes the Epps-Pulley statistic of the projected codes, averaged over directions.

    With \(y_j = \langle z_j, a \rangle / |a|\) for a direction a and \(w\) the density of N(0, 1),

    .. math:: \int \Bigl| \tfrac1n \sum_j e^{i t y_j} - e^{-t^2/2} \Bigr|^2 w(t) \, dt

    by the trapezoidal rule on a fixed grid, O(n K T) with T = 22: exact to 1e-9 while all
    \(|y_j| < 7\). Beyond, the grid takes a code for one that is 20.9 away, and codes far out are
    hardly felt anyway: start from codes of moderate size. The statistic is not multiplied by n:
    for n exact Gaussian codes its mean is \((1 - 3^{-1/2}) / n\).

    Epps & Pulley, *A test for normality based on the empirical characteristic function*, 1983,
    https://doi.org/10.1093/biomet/70.3.723; sliced as by Balestriero & LeCun, *LeJEPA*, 2025,
    https://arxiv.org/abs/2511.08544.

    Arguments:
        z: Codes, with shape (..., n, M).
        directions: Directions of any length but zero, with shape (K, M) or (..., K, M).
    """
    step, count = 0.3, 22
    t = step * torch.arange(1, count + 1, dtype=z.dtype, device=z.device)[:, None, None]
    target = (-0.5 * t.square()).exp()
    weight = target * (2 * step / math.sqrt(2 * math.pi))
    cos, sin = _Waves.apply(z @ normalize(directions, dim=-1).mT, t)  # type: ignore[no-untyped-call]
    gap = (cos.mean(-2, keepdim=True) - target).square() + sin.mean(-2, keepdim=True).square()
    return (weight * gap).sum((-3, -2)).mean(-1)


class _Waves(torch.autograd.Function):
    """Cosines and sines of t y, (..., T, n, K), each of which is the other's derivative.

    Automatic derivatives would compute them again.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(y: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        angle = t * y[..., None, :, :]
        return angle.cos(), angle.sin()

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401
        inputs: tuple[Tensor, Tensor],
        output: tuple[Tensor, Tensor],
    ) -> None:
        ctx.save_for_backward(inputs[1], *output)

    @staticmethod
    def backward(ctx: Any, by_cos: Tensor, by_sin: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        t, cos, sin = ctx.saved_tensors
        return (t * (cos * by_sin - sin * by_cos)).sum(-3), None


def _moments(z: Tensor) -> tuple[Tensor, Tensor]:
    r"""Gives the mean (..., M), and centred codes x (..., n, M) with \(x^\top x = \Sigma\)."""
    mu = z.mean(-2)
    return mu, (z - mu[..., None, :]) / math.sqrt(z.shape[-2])


def _norm(a: Tensor, p: float) -> Tensor:
    """Computes the p-norm over the last axis, with gradient 0 at 0: (..., k) -> (...)."""
    if p == 2:
        norm: Tensor = torch.linalg.vector_norm(a, dim=-1)
        return norm
    scale = a.detach().abs().amax(-1, keepdim=True).clamp_min(torch.finfo(a.dtype).tiny)
    scaled: Tensor = torch.linalg.vector_norm(a / scale, p, dim=-1)  # whose powers stay finite
    return scale[..., 0] * scaled


def _identity_like(a: Tensor) -> Tensor:
    return torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
