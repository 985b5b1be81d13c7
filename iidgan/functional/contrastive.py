"""Contrastive losses: each element of one batch should be told from the others by its partner.

The pairs of two batches are those of equal position.
"""

from __future__ import annotations

from torch import Tensor


def pairing_loss(codes: Tensor, latents: Tensor, temperature: float) -> Tensor:
    """Compute the cross-entropy of finding each latent among all of the batch by its code.

        -1/B sum_i log (k(c_i, z_i) / sum_j k(c_i, z_j)),  k(c, z) = e^(-‖c - z‖² / (2 M τ²))

    This is InfoNCE with a Gaussian similarity: latents that are further from a code than a few
    τ √M do not count. log B minus the value is a lower bound on the mutual information of latents
    and codes.

    Arguments:
        codes: Codes c, with shape (S, B, M).
        latents: Latents z, with shape (S, B, M).
        temperature: Width τ of the similarity, per dimension.

    Returns:
        One value per seed, with shape (S,): log B if all codes are alike and τ is large, near 0 if
        codes are their latents and these are further apart than τ.

    References:
        Representation Learning with Contrastive Predictive Coding (van den Oord, Li and Vinyals,
        2018), https://arxiv.org/abs/1807.03748

    Examples:
        >>> import torch
        >>> z = torch.tensor([[[-1.0], [1.0]]])
        >>> pairing_loss(z, z, temperature=0.5)  # log(1 + e^-8)
        tensor([0.0003])
        >>> pairing_loss(0 * z, z, temperature=0.5)  # log 2
        tensor([0.6931])
    """
    squared_distances = (codes[:, :, None] - latents[:, None]).square().mean(-1)
    log_shares = (-squared_distances / (2 * temperature**2)).log_softmax(-1)
    return -log_shares.diagonal(dim1=-2, dim2=-1).mean(-1)
