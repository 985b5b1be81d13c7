"""Weights of layers: as they are, or spectrally normalised."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from iidgan.core import Batch


class Weight(nn.Module):
    """A weight as it is."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(value)

    def forward(self) -> Tensor:
        return self.value


class SpectralWeight(nn.Module):
    r"""A weight divided by its largest singular value, one per seed.

    \(W / (u^T W v)\), where the singular vectors u, v are constants to the gradient. `refresh`
    advances them by one power iteration after a move, so that the forward pass changes nothing.
    The matrix of a convolution has one row per output channel.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
        https://arxiv.org/abs/1802.05957
    """

    u: Tensor
    v: Tensor

    def __init__(self, value: Tensor, warm_up: int = 15) -> None:
        super().__init__()
        self.value = nn.Parameter(value)
        matrix = value.detach().flatten(2)
        self.register_buffer("u", torch.randn(*matrix.shape[:2], 1))
        self.register_buffer("v", torch.zeros(matrix.shape[0], matrix.shape[2], 1))
        for _ in range(warm_up):
            self.iterate()

    def refresh(self, batch: Batch) -> None:
        self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """Runs one power iteration."""
        matrix = self.value.flatten(2)
        self.v.copy_(functional.normalize(matrix.mT @ self.u, dim=1, eps=1e-12))
        self.u.copy_(functional.normalize(matrix @ self.v, dim=1, eps=1e-12))

    def forward(self) -> Tensor:
        with torch.autocast(self.value.device.type, enabled=False):  # or 1 were 0.998
            sigma = self.u.mT @ self.value.flatten(2) @ self.v
        return self.value / sigma.view(-1, *[1] * (self.value.dim() - 1))
