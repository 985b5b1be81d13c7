"""Weights of layers: plain, with an equalised learning rate, or spectrally normalised."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from iidgan.core import Batch

WeightFactory = Callable[[Tensor], nn.Module]
"""Wraps the initial value of a weight in a module whose call returns the weight."""


class Weight(nn.Module):
    """A weight that is used as it is; a call returns it.

    Arguments:
        value: Initial value, with the seed axis first.
    """

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(value)

    def forward(self) -> Tensor:
        return self.value


class EqualisedWeight(nn.Module):
    """A weight of variance one, which is scaled wherever it is used; a call returns it.

        r W / sqrt(fan_in)

    with the learning-rate multiplier r. As W has the same scale in all layers, so do its updates
    by Adam, and they are r times as large as without the multiplier.

    Arguments:
        value: Initial value of W, of variance 1, with shape (1, out, in, *kernel).
        lr_multiplier: The factor r; the initial value is divided by it.

    References:
        Progressive Growing of GANs for Improved Quality, Stability, and Variation (Karras, Aila,
        Laine and Lehtinen, 2018), https://arxiv.org/abs/1710.10196, section 4.1; A Style-Based
        Generator Architecture for Generative Adversarial Networks (Karras, Laine and Aila, 2019),
        https://arxiv.org/abs/1812.04948, appendix C, for the multiplier

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.weight import EqualisedWeight
        >>> weight = EqualisedWeight(torch.ones(1, 1, 4), lr_multiplier=0.25)
        >>> weight.value.detach(), weight().detach()  # with a fan-in of 4
        (tensor([[[4., 4., 4., 4.]]]), tensor([[[0.5000, 0.5000, 0.5000, 0.5000]]]))
    """

    def __init__(self, value: Tensor, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        self.value = nn.Parameter(value / lr_multiplier)
        self.scale = lr_multiplier * prod(value.shape[2:]) ** -0.5

    def forward(self) -> Tensor:
        return self.scale * self.value


class SpectralWeight(nn.Module):
    """A weight divided by its largest singular value, one per seed; a call returns the quotient.

        W / (uᵀ W v)

    where the gradient treats the singular vectors u, v as constants. `post_update` runs one power
    iteration after each update, so that the forward pass has no side effects. The matrix of a
    convolution has one row per output channel.

    Arguments:
        value: Initial value of W, with the seed axis first.
        num_warmup_iterations: Power iterations before the first use.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato, Kataoka, Koyama and
        Yoshida, 2018), https://arxiv.org/abs/1802.05957

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.weight import SpectralWeight
        >>> _ = torch.manual_seed(0)
        >>> weight = SpectralWeight(torch.diag(torch.tensor([4.0, 1.0]))[None])
        >>> weight().detach().round(decimals=3)  # the largest singular value is 4
        tensor([[[1.0000, 0.0000],
                 [0.0000, 0.2500]]])
    """

    u: Tensor
    v: Tensor

    def __init__(self, value: Tensor, num_warmup_iterations: int = 15) -> None:
        super().__init__()
        self.value = nn.Parameter(value)
        matrix = value.detach().flatten(2)
        self.register_buffer("u", torch.randn(*matrix.shape[:2], 1))
        self.register_buffer("v", torch.zeros(matrix.shape[0], matrix.shape[2], 1))
        for _ in range(num_warmup_iterations):
            self.update_singular_vectors()

    def post_update(self, batch: Batch) -> None:
        self.update_singular_vectors()

    @torch.no_grad()
    def update_singular_vectors(self) -> None:
        """Run one power iteration."""
        matrix = self.value.flatten(2)
        self.v.copy_(functional.normalize(matrix.mT @ self.u, dim=1, eps=1e-12))
        self.u.copy_(functional.normalize(matrix @ self.v, dim=1, eps=1e-12))

    def forward(self) -> Tensor:
        with torch.autocast(
            self.value.device.type, enabled=False
        ):  # in bfloat16, 1 would become 0.998
            sigma = self.u.mT @ self.value.flatten(2) @ self.v
        return self.value / sigma.view(-1, *[1] * (self.value.dim() - 1))
