"""Cycle consistency: what went through generator and inverse comes back as it was."""

from __future__ import annotations

from typing import Literal, assert_never

import torch
from torch import Tensor

from iidgan.functional.reduce import mean

Norm = Literal["l1", "l1-sum", "l2"]


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Averages |a - b| over everything but the seed axis: (S, B, *), (S, B, *) -> (S,)."""
    return mean((a - b).abs())


def l1_sum(a: Tensor, b: Tensor) -> Tensor:
    """Averages the L1 norm of a sample of a - b: (S, B, *), (S, B, *) -> (S,)."""
    return (a - b).abs().flatten(2).sum(2).mean(1)


def l2(a: Tensor, b: Tensor) -> Tensor:
    """Averages the Euclidean norm of a sample of a - b: (S, B, *), (S, B, *) -> (S,)."""
    norms: Tensor = torch.linalg.vector_norm((a - b).flatten(2), dim=2)
    return norms.mean(1)


def consistency(
    z: Tensor,
    z_cycled: Tensor,
    x: Tensor,
    x_cycled: Tensor,
    norm: Norm = "l1-sum",
    ratio: float | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Computes how far F(G(z)) is from z, and G(F(x)) from x.

    `l1-sum` takes the L1 norms per sample, of equal weight (Shi, Li & Yan, *IID-GAN*, 2021,
    https://arxiv.org/abs/2106.00563). `l1` takes the element-wise mean of absolute differences
    for both, and weighs x with d / M, its number of dimensions over that of z (Li, Shi & Yan,
    *IID-GAN*, IJCAI 2023, https://www.ijcai.org/proceedings/2023/437, equation 7): 1 / M of
    `l1-sum`, so that weights fit any size of image. `l2` takes Euclidean norms per sample, not
    squared, of equal weight, as InvertGAN, its anonymous predecessor.

    Arguments:
        z: Latents, with shape (S, B, *latent).
        z_cycled: F(G(z)), with the same shape.
        x: Samples, with shape (S, B, *shape).
        x_cycled: G(F(x)), with the same shape.
        norm: `l1`, `l1-sum` or `l2`.
        ratio: Weight of the second value; None for d / M with `l1`, and 1 with the others.

    Returns:
        The value of z and the weighted value of x, each with shape (S,).
    """
    match norm:
        case "l1":
            gap, weight = l1, x.shape[2:].numel() / z.shape[2:].numel()
        case "l1-sum":
            gap, weight = l1_sum, 1.0
        case "l2":
            gap, weight = l2, 1.0
        case _:
            assert_never(norm)
    return gap(z_cycled, z), (weight if ratio is None else ratio) * gap(x_cycled, x)
