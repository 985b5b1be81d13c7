r"""The variational autoencoder, with a decoder whose variance is calibrated.

The decoder is \(N(G(z), \sigma^2 I)\), the encoder \(q(z|x)\) is normal with means F(x) and
log-variances V(x). G, F and V together minimise

.. math:: E_q[-\log N(x; G(z), \sigma^2 I)] + KL(q(z|x) \| N(0, I))

where \(\sigma^2\) is at its optimum for each batch, the mean squared error per dimension. With a
fixed variance of 1 the divergence outweighs the likelihood of modes as narrow as those of toy data
sets. A sample is \(G(z)\), the mean of the decoder.

Training can get stuck on a plateau: on centred data of equal variances, such as a ring,
uninformative codes and a variance as large as that of the data reinforce each other. With a weight
of the divergence that grows from 0, codes become informative first.

References:
    Auto-Encoding Variational Bayes (Kingma and Welling, 2013), https://arxiv.org/abs/1312.6114
    Simple and Effective VAE Training with Calibrated Decoders (Rybkin, Daniilidis and Levine,
    2021), https://arxiv.org/abs/2006.13202
    Generating Sentences from a Continuous Space (Bowman et al., 2016), for the growing weight,
    https://arxiv.org/abs/1511.06349
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, NoiseShapes, Player, cites
from iidgan.core.references import VAE as PAPER
from iidgan.errors import InputError
from iidgan.functional import likelihood


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class VAE(Method):
    """The variational autoencoder; F outputs the means of codes, V their log-variances."""

    warm_up: float = 0.0
    """Share of the run in which the weight of the divergence grows from 0 to 1; 0.05 on a ring."""

    def __post_init__(self) -> None:
        if not 0 <= self.warm_up <= 1:
            raise InputError(f"warm_up: must be between 0 and 1, got {self.warm_up}")

    @property
    def players(self) -> tuple[Player, ...]:
        return (Player("autoencoder", self.loss_autoencoder, trains=("G", "F", "V")),)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            "G": factory.build_generator(),
            "F": factory.build_inverse(),
            "V": factory.build_encoder(factory.latent),
        }

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"posterior": (factory.latent,)}

    def loss_autoencoder(self, nets: Nets, batch: Batch) -> Losses:
        z_mean, z_log_variance = nets.F(batch.x), nets.V(batch.x)
        z_sample = z_mean + (z_log_variance / 2).exp() * batch.noise["posterior"]
        t = batch.t
        weight = (t / self.warm_up).clamp_max(1) if self.warm_up else torch.ones_like(t)
        return {
            "reconstruction": likelihood.calibrated_normal_nll(batch.x, nets.G(z_sample)),
            "divergence": weight * likelihood.kl_to_prior(z_mean, z_log_variance),
        }
