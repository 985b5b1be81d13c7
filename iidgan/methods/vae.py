r"""The variational autoencoder, with a decoder that is calibrated by itself.

The decoder is \(N(G(z), \sigma^2 I)\), the encoder \(q(z|x)\) is normal with means F(x) and
log-variances V(x). G, F and V together minimise

.. math:: E_q[-\log N(x; G(z), \sigma^2 I)] + KL(q(z|x) \| N(0, I))

where \(\sigma^2\) is at its optimum for each batch, the mean squared error per dimension. With a
fixed variance of 1 the divergence outweighs the likelihood of anything as narrow as the modes of a
toy data set. A sample is \(G(z)\), the decoder's mean.

On the way there may be a plateau: on centred data of equal variances, such as a ring, codes that
say nothing and a variance as large as the data's hold each other in place. A divergence whose
weight grows from 0 lets the codes say something first.

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

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, Shapes, cites
from iidgan.errors import InputError
from iidgan.functional import likelihood

PAPER = Reference(
    title="Auto-Encoding Variational Bayes",
    authors="Diederik P. Kingma and Max Welling",
    year=2013,
    url="https://arxiv.org/abs/1312.6114",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class VAE(Method):
    """The variational autoencoder; F gives the means of codes, V their log-variances."""

    warm_up: float = 0.0
    """Share of the run in which the weight of the divergence grows from 0 to 1; 0.05 on a ring."""

    def __post_init__(self) -> None:
        if not 0 <= self.warm_up <= 1:
            raise InputError(f"warm_up: {self.warm_up} is out of range; at least 0 and at most 1")

    @property
    def players(self) -> tuple[Player, ...]:
        return (Player("autoencoder", self.loss, trains=("G", "F", "V")),)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), "F": arch.inverse(), "V": arch.encoder(arch.latent)}

    def noise(self, arch: Arch) -> Shapes:
        return {"posterior": (arch.latent,)}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        centre, log_variance = nets.F(batch.x), nets.V(batch.x)
        code = centre + (log_variance / 2).exp() * batch.noise["posterior"]
        t = batch.t
        weight = (t / self.warm_up).clamp_max(1) if self.warm_up else torch.ones_like(t)
        return {
            "reconstruction": likelihood.calibrated_normal(batch.x, nets.G(code)),
            "divergence": weight * likelihood.kl_to_prior(centre, log_variance),
        }
