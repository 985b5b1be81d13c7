"""The variational autoencoder, with a decoder whose variance is calibrated."""

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
    """The variational autoencoder, with a decoder whose variance is calibrated.

    The decoder is N(G(z), σ² I), the encoder q(z|x) is normal with means F(x) and log-variances
    V(x). G, F and V together minimise

        E_q[-log N(x; G(z), σ² I)] + KL(q(z|x) ‖ N(0, I))

    where σ² is at its optimum for each batch, the mean squared error per dimension. With a fixed
    variance of 1 the divergence outweighs the likelihood of modes as narrow as those of toy data
    sets. A sample is G(z), the mean of the decoder.

    Training can get stuck on a plateau: on centred data of equal variances, such as a ring,
    uninformative codes and a variance as large as that of the data reinforce each other. With a
    weight of the divergence that grows from 0 (`warm_up`), codes become informative first.

    References:
        * Auto-Encoding Variational Bayes (Kingma and Welling, 2013),
          https://arxiv.org/abs/1312.6114
        * Simple and Effective VAE Training with Calibrated Decoders (Rybkin, Daniilidis and
          Levine, 2021), https://arxiv.org/abs/2006.13202
        * Generating Sentences from a Continuous Space (Bowman et al., 2016), for the growing
          weight, https://arxiv.org/abs/1511.06349

    Examples:
        Codes N(0, I) for every x cost nothing. With G = 0, σ² is that of the data, here 1:

        >>> import torch
        >>> from iidgan import VAE, Batch, Nets
        >>> noise = torch.zeros(1, 4, 1)
        >>> batch = Batch(x=noise + 1, z=noise, u=noise[..., 0], noise={"posterior": noise})
        >>> nets = Nets({"G": lambda z: 0 * z, "F": lambda x: 0 * x, "V": lambda x: 0 * x})
        >>> VAE().loss_autoencoder(nets, batch)  # log(2 π e) / 2
        {'reconstruction': tensor([1.4189]), 'divergence': tensor([0.])}
    """

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
        """Compute the two parts of the negative evidence lower bound.

        Arguments:
            nets: F, G and V.
            batch: Real samples `x`, progress `t`, and the noise of codes as `noise["posterior"]`.

        Returns:
            The negative log-likelihood as `reconstruction`, and the weighted `divergence`, in
            nats.
        """
        z_mean, z_log_variance = nets.F(batch.x), nets.V(batch.x)
        z_sample = z_mean + (z_log_variance / 2).exp() * batch.noise["posterior"]
        t = batch.t
        weight = (t / self.warm_up).clamp_max(1) if self.warm_up else torch.ones_like(t)
        return {
            "reconstruction": likelihood.calibrated_normal_nll(batch.x, nets.G(z_sample)),
            "divergence": weight * likelihood.kl_to_prior(z_mean, z_log_variance),
        }
