"""The path-length penalty: steps of equal length in the styles change images equally much."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from iidgan.core import (
    Batch,
    HasStyles,
    Losses,
    Nets,
    NetworkFactory,
    NoiseShapes,
    PostUpdate,
    cites,
)
from iidgan.core.references import STYLEGAN2
from iidgan.errors import InputError
from iidgan.functional.gradient import path_lengths
from iidgan.functional.reduce import mean_per_seed
from iidgan.terms.weighted import WeightedTerm


class MeanPathLength(nn.Module):
    """Moving average of the path lengths of each seed, (S,)."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))


@cites(STYLEGAN2)
@dataclass(frozen=True, kw_only=True)
class PathLength(WeightedTerm):
    """Penalty on path lengths that differ from their moving average, for G.

        w E (‖Jᵀ y‖ - a)², with J = ∂G/∂w and y ~ N(0, I / (H W))

    A fixed step of the styles w then changes the image by as much wherever it starts, and in
    whatever direction. ‖·‖² is the mean over the layers of G, each of which reads w, and a is the
    moving average of the lengths, from those of the first batch on: an average that starts at 0
    would shorten paths in the first thousands of steps. The mean of a batch is logged as
    `path_length`, a constant that adds nothing to the gradient. Of a generator without styles, J
    is the Jacobian of z.

    The paper has y ~ N(0, I), one w, and the weight ln 2 / (r² (ln r - ln 2)) for r pixels. As G
    has L = 2 log₂ r - 2 layers, this is 2 / (r² L), or a weight of 2 of the means over pixels and
    layers.

    References:
        Analyzing and Improving the Image Quality of StyleGAN (Karras, Laine, Aittala, Hellsten,
        Lehtinen and Aila, 2020), https://arxiv.org/abs/1912.04958, section 3.2 and appendix B

    Examples:
        >>> import torch
        >>> noise = {"path": torch.tensor([[[3.0, 0.0], [0.0, 1.0]]])}  # drawn by training
        >>> zeros = torch.zeros(1, 2, 2)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0], noise=noise)
        >>> term = PathLength(weight=1.0)
        >>> networks = term.networks(NetworkFactory(None, shape=(2,)))
        >>> nets = Nets({"G": lambda z: 2 * z, **networks})  # lengths of 6 and 2, 4 in the mean
        >>> {name: value.detach() for name, value in term.compute_loss(nets, batch).items()}
        {'path': tensor([4.]), 'path_length': tensor([4.])}
    """

    weight: float = 2.0
    """Weight of the term."""
    decay: float = 0.99
    """Decay of the average per update."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay < 1:
            raise InputError(f"decay: must be in [0, 1), got {self.decay}")

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"path": MeanPathLength()}

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"path": factory.shape}

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        generator = nets["G"]
        with torch.enable_grad():
            codes = (
                generator.styles(batch.z)
                if isinstance(generator, HasStyles)
                else batch.z.detach().requires_grad_()
            )
            samples = nets.G(codes)
            directions = batch.noise_for("path", samples.shape[1])
            lengths = path_lengths(
                samples, codes, directions / math.sqrt(math.prod(samples.shape[3:]))
            )
        batch_mean = mean_per_seed(lengths).detach()
        mean = _start_with(batch_mean, _mean_length(nets))
        return {
            "path": self.weight * mean_per_seed((lengths - mean[:, None]).square()),
            "path_length": batch_mean,
        }

    @property
    def post_updates(self) -> Mapping[str, PostUpdate]:
        return {"G": self.update_mean}

    def update_mean(self, nets: Nets, batch: Batch, losses: Losses) -> None:
        """Update the moving average in steps that have computed lengths.

        Arguments:
            nets: Networks of the method and its terms.
            batch: The batch of the update, which is not read.
            losses: Values of the losses of G.
        """
        if "path_length" in losses:
            mean, batch_mean = _mean_length(nets), losses["path_length"]
            mean.copy_(torch.lerp(_start_with(batch_mean, mean), batch_mean, 1 - self.decay))


def _start_with(batch_mean: Tensor, mean: Tensor) -> Tensor:
    """Return the moving average, which is 0 before the first update: then that of the batch."""
    return torch.where(mean == 0, batch_mean, mean)


def _mean_length(nets: Nets) -> Tensor:
    return cast(MeanPathLength, nets["path"]).mean
