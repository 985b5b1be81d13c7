"""Cycle consistency: distances of latents and samples to their reconstructions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from iidgan.functional.reduce import mean_per_seed

Norm = Literal["l1", "l1-sum", "l2"]
Ratio = float | Literal["d/M"] | None
"""Factor of the value of x: a number, the ratio of the dimensions of x and z, or None for the
latter with `l1` and 1 with the other norms."""


def l1(x: Tensor, x_cycled: Tensor) -> Tensor:
    """Compute the mean of |x - x_cycled| over all elements, per seed.

    Arguments:
        x: Samples or latents, with shape (S, B, *shape).
        x_cycled: Their reconstructions, with the same shape.

    Returns:
        One value per seed, with shape (S,).

    Examples:
        >>> x = torch.zeros(1, 4, 2)
        >>> l1(x, x + torch.tensor([3.0, -4.0]))
        tensor([3.5000])
    """
    return mean_per_seed((x - x_cycled).abs())


def l1_sum(x: Tensor, x_cycled: Tensor) -> Tensor:
    """Compute the L1 norm of x - x_cycled of each sample, averaged over the batch.

    Arguments:
        x: Samples or latents, with shape (S, B, *shape).
        x_cycled: Their reconstructions, with the same shape.

    Returns:
        One value per seed, with shape (S,).

    Examples:
        >>> x = torch.zeros(1, 4, 2)
        >>> l1_sum(x, x + torch.tensor([3.0, -4.0]))
        tensor([7.])
    """
    return (x - x_cycled).abs().flatten(2).sum(2).mean(1)


def l2(x: Tensor, x_cycled: Tensor) -> Tensor:
    """Compute the Euclidean norm of x - x_cycled of each sample, averaged over the batch.

    Arguments:
        x: Samples or latents, with shape (S, B, *shape).
        x_cycled: Their reconstructions, with the same shape.

    Returns:
        One value per seed, with shape (S,).

    Examples:
        >>> x = torch.zeros(1, 4, 2)
        >>> l2(x, x + torch.tensor([3.0, -4.0]))
        tensor([5.])
    """
    sample_norms: Tensor = torch.linalg.vector_norm((x - x_cycled).flatten(2), dim=2)
    return sample_norms.mean(1)


NORMS: dict[Norm, Callable[[Tensor, Tensor], Tensor]] = {"l1": l1, "l1-sum": l1_sum, "l2": l2}
"""Distances by name."""


def cycle_consistency(
    z: Tensor,
    z_cycled: Tensor,
    x: Tensor,
    x_cycled: Tensor,
    norm: Norm = "l1-sum",
    ratio: Ratio = None,
) -> tuple[Tensor, Tensor]:
    """Compute the distances of F(G(z)) to z and of G(F(x)) to x.

    With M dimensions of z, d of x, and means over the batch:

    | norm | value of z | value of x |
    |---|---|---|
    | `l1-sum` | E ‖z - F(G(z))‖₁ | E ‖x - G(F(x))‖₁ |
    | `l1` | 1/M of `l1-sum` | 1/M of `l1-sum`: the mean over elements times d / M |
    | `l2` | E ‖z - F(G(z))‖₂, not squared | E ‖x - G(F(x))‖₂ |

    So `l1` and `l1-sum` are the same loss up to 1/M. With `l1`, one weight fits images of any
    size. Equation 7 of the IJCAI paper, read literally, has L1 norms *and* the factor d / M:
    `norm="l1-sum", ratio="d/M"`, 24 times the x part of `l1-sum` on CIFAR-10 with M = 128.

    Arguments:
        z: Latents, with shape (S, B, *latent).
        z_cycled: F(G(z)), with the same shape.
        x: Samples, with shape (S, B, *shape).
        x_cycled: G(F(x)), with the same shape.
        norm: `l1`, `l1-sum` or `l2`.
        ratio: Factor of the value of x, or `d/M`; None for d / M with `l1`, and 1 with the others.

    Returns:
        The value of z and the weighted value of x, each with shape (S,).

    References:
        IID-GAN (Shi, Li and Yan, 2021), https://arxiv.org/abs/2106.00563, for `l1-sum`; IID-GAN:
        an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
        https://www.ijcai.org/proceedings/2023/437, equation 7, for `l1`. Their anonymous
        predecessor InvertGAN has `l2`.

    Examples:
        >>> z, x = torch.zeros(1, 4, 2), torch.zeros(1, 4, 1, 28, 28)
        >>> cycle_consistency(z, z + 1, x, x + 1, norm="l1-sum")
        (tensor([2.]), tensor([784.]))
        >>> cycle_consistency(z, z + 1, x, x + 1, norm="l1")
        (tensor([1.]), tensor([392.]))
        >>> cycle_consistency(z, z + 1, x, x + 1, norm="l1", ratio=1.0)
        (tensor([1.]), tensor([1.]))
    """
    x_part = sample_consistency(x, x_cycled, norm, ratio, latent_dim=z.shape[2:].numel())
    return NORMS[norm](z_cycled, z), x_part


def sample_consistency(
    x: Tensor,
    x_cycled: Tensor,
    norm: Norm = "l1-sum",
    ratio: Ratio = None,
    *,
    latent_dim: int,
) -> Tensor:
    """Compute the distance of G(F(x)) to x, as of `cycle_consistency`.

    Arguments:
        x: Samples, with shape (S, B, *shape).
        x_cycled: G(F(x)), with the same shape.
        norm: `l1`, `l1-sum` or `l2`.
        ratio: Factor, or `d/M`; None for d / M with `l1`, and 1 with the others.
        latent_dim: Dimension M of the latents.

    Returns:
        The weighted value of x, with shape (S,).

    Examples:
        >>> x = torch.zeros(1, 4, 1, 28, 28)
        >>> sample_consistency(x, x + 1, "l1", latent_dim=2)
        tensor([392.])
    """
    if ratio is None:
        ratio = "d/M" if norm == "l1" else 1.0
    factor = x.shape[2:].numel() / latent_dim if ratio == "d/M" else ratio
    return factor * NORMS[norm](x_cycled, x)
