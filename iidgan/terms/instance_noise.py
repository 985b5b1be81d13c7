"""Instance noise: noise is added to all inputs of a network, real and generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from iidgan.core import Batch, LossFn, Nets, NetworkFactory, NoiseShapes, Reference, Term, cites
from iidgan.errors import InputError, unknown_name_error
from iidgan.functional import checks

PAPER = Reference(
    title="Amortised MAP Inference for Image Super-resolution",
    authors="Casper Kaae Sønderby, Jose Caballero, Lucas Theis, Wenzhe Shi and Ferenc Huszár",
    year=2016,
    url="https://arxiv.org/abs/1610.04490",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class InstanceNoise(Term):
    """Noise on the inputs of a network that reads data; adds no loss.

        D(x + σ_t ε), D(G(z) + σ_t ε), with ε ~ N(0, I) and σ_t = σ₀ max(0, 1 - t / t₀)

    at the share t of the run. Before D it makes distributions overlap that otherwise would not;
    before F it trains F to remove noise. The j-th real and the j-th generated sample of a batch
    get the same noise, which leaves the distribution of each unchanged.

    References:
        Amortised MAP Inference for Image Super-resolution (Sønderby et al., 2016),
        https://arxiv.org/abs/1610.04490, section 3.2; Towards Principled Methods for Training
        Generative Adversarial Networks (Arjovsky and Bottou, 2017),
        https://arxiv.org/abs/1701.04862

    Examples:
        >>> import torch
        >>> term = InstanceNoise(std=0.1, until=1.0)
        >>> noise = {"instance_D": torch.tensor([[[1.0, -2.0]]])}  # drawn by training
        >>> zeros = torch.zeros(1, 1, 2)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0], t=torch.tensor(0.5), noise=noise)
        >>> nets = term.wrap_networks(Nets({"D": torch.nn.Identity()}), batch)
        >>> nets.D(batch.x)  # half of the noise, after half of the run
        tensor([[[ 0.0500, -0.1000]]])
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("std",)

    network: str = "D"
    """Network whose inputs get the noise."""
    std: float = 0.1
    """Standard deviation of the noise at the start of the run."""
    until: float | None = 1.0
    """Share of the run at which it reaches 0, linearly; None: it stays constant."""

    def __post_init__(self) -> None:
        checks.require_non_negative("std", self.std)
        if self.until is not None and not 0 < self.until <= 1:
            raise InputError(f"until: must be in (0, 1], a share of the run, got {self.until}")

    @property
    def losses(self) -> Mapping[str, LossFn]:
        return {}

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {self._noise_name: factory.shape}

    def wrap_networks(self, nets: Nets, batch: Batch) -> Nets:
        if self.network not in nets:
            raise unknown_name_error("network", self.network, nets)
        return nets.with_input_map(self.network, lambda x: self._add_noise(x, batch))

    @property
    def _noise_name(self) -> str:
        return f"instance_{self.network}"

    def _add_noise(self, x: Tensor, batch: Batch) -> Tensor:
        noise = batch.noise_for(self._noise_name, x.shape[1])
        if x.shape[2:] != noise.shape[2:]:
            raise InputError(
                f"network: must read data of shape {tuple(noise.shape[2:])}, but {self.network!r} "
                f"reads inputs of shape {tuple(x.shape[2:])}"
            )
        return x + self._noise_std(batch.t) * noise

    def _noise_std(self, t: Tensor) -> Tensor | float:
        return self.std if self.until is None else self.std * (1 - t / self.until).clamp_min(0)
