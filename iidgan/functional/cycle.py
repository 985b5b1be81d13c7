"""Cycle consistency: distances of latents and samples to their reconstructions."""

from __future__ import annotations

from typing import Literal, assert_never

import torch
from torch import Tensor

from iidgan.functional.reduce import mean_per_seed

Norm = Literal["l1", "l1-sum", "l2"]


def l1(x: Tensor, x_cycled: Tensor) -> Tensor:
    """Average |x - x_cycled| over everything but the seed axis: (S, B, *), (S, B, *) -> (S,)."""
    return mean_per_seed((x - x_cycled).abs())


def l1_sum(x: Tensor, x_cycled: Tensor) -> Tensor:
    """Average the L1 norm per sample of x - x_cycled: (S, B, *), (S, B, *) -> (S,)."""
    return (x - x_cycled).abs().flatten(2).sum(2).mean(1)


def l2(x: Tensor, x_cycled: Tensor) -> Tensor:
    """Average the Euclidean norm per sample of x - x_cycled: (S, B, *), (S, B, *) -> (S,)."""
    sample_norms: Tensor = torch.linalg.vector_norm((x - x_cycled).flatten(2), dim=2)
    return sample_norms.mean(1)


def cycle_consistency(
    z: Tensor,
    z_cycled: Tensor,
    x: Tensor,
    x_cycled: Tensor,
    norm: Norm = "l1-sum",
    ratio: float | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Compute the distances of F(G(z)) to z and of G(F(x)) to x.

    `l1-sum` takes L1 norms per sample, weighted equally (Shi, Li & Yan, *IID-GAN*, 2021,
    https://arxiv.org/abs/2106.00563). `l1` takes the element-wise mean of absolute differences
    for both, and weighs x with d / M, its number of dimensions over that of z (Li, Shi & Yan,
    *IID-GAN*, IJCAI 2023, https://www.ijcai.org/proceedings/2023/437, equation 7): 1 / M of
    `l1-sum`, so that weights fit any size of image. `l2` takes Euclidean norms per sample, not
    squared, weighted equally, as in InvertGAN, its anonymous predecessor.

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
            norm_fn, default_ratio = l1, x.shape[2:].numel() / z.shape[2:].numel()
        case "l1-sum":
            norm_fn, default_ratio = l1_sum, 1.0
        case "l2":
            norm_fn, default_ratio = l2, 1.0
        case _:
            assert_never(norm)
    x_ratio = default_ratio if ratio is None else ratio
    return norm_fn(z_cycled, z), x_ratio * norm_fn(x_cycled, x)
