"""The least-squares GAN: logits are regressed on labels."""

from __future__ import annotations

from iidgan.core import Reference, cites
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Least Squares Generative Adversarial Networks",
    authors="Xudong Mao, Qing Li, Haoran Xie, Raymond Y. K. Lau, Zhen Wang "
    "and Stephen Paul Smolley",
    year=2017,
    url="https://arxiv.org/abs/1611.04076",
)


@cites(PAPER)
def lsgan() -> GAN:
    """The least-squares GAN, whose D regresses on the labels 1 (real) and 0 (generated).

    * D minimises `½ E (D(x) - 1)² + ½ E D(G(z))²`;
    * G minimises `½ E (D(G(z)) - 1)²`.

    References:
        Least Squares Generative Adversarial Networks (Mao et al., 2017),
        https://arxiv.org/abs/1611.04076

    Examples:
        >>> import torch
        >>> from iidgan import Batch, Nets, lsgan
        >>> zeros = torch.zeros(1, 4, 2)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "D": lambda x: x.sum(-1)})
        >>> lsgan().loss_D(nets, batch)  # D(x) = 0 is wrong by 1, D(G(z)) = 0 is right
        {'adversarial': tensor([0.5000])}
    """
    return GAN(loss="least-squares")
