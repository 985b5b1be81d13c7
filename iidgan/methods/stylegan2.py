"""StyleGAN2-ADA: samples of mixed styles, with two lazy penalties."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.special import ndtr

from iidgan.core import (
    Batch,
    HasStyles,
    Losses,
    Method,
    Nets,
    NetworkFactory,
    NoiseShapes,
    Player,
    Reference,
    Regularised,
    cites,
)
from iidgan.core.references import STYLEGAN2_ADA
from iidgan.errors import InputError
from iidgan.methods.gan import GAN
from iidgan.terms.path_length import PathLength
from iidgan.terms.r1 import R1

STYLEGAN = Reference(
    title="A Style-Based Generator Architecture for Generative Adversarial Networks",
    authors="Tero Karras, Samuli Laine and Timo Aila",
    year=2019,
    url="https://arxiv.org/abs/1812.04948",
)


@cites(STYLEGAN)
@dataclass(frozen=True, kw_only=True)
class StyleMixingGAN(Method):
    """The GAN whose generated samples mix the styles of two latents.

    With probability `mixing`, the layers of G from a random one on read the styles of another
    latent, so that G does not rely on styles of adjacent layers being alike. D and G are judged on
    such samples; terms get samples of one latent. The losses are those of `GAN`, as are samples of
    a generator without styles (`iidgan.core.HasStyles`).

    References:
        A Style-Based Generator Architecture for Generative Adversarial Networks (Karras, Laine
        and Aila, 2019), https://arxiv.org/abs/1812.04948, section 3.1

    Examples:
        >>> from iidgan import StyleMixingGAN
        >>> [player.name for player in StyleMixingGAN().players]
        ['D', 'G']
    """

    mixing: float = 0.9
    """Probability that a sample has styles of two latents."""

    def __post_init__(self) -> None:
        if not 0 <= self.mixing <= 1:
            raise InputError(f"mixing: must be in [0, 1], a probability, got {self.mixing}")

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"mixing": (factory.latent + 1,)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the discriminator's loss, `-E log D(x) - E log(1 - D(G(z)))`.

        Arguments:
            nets: D and G.
            batch: Real samples `x`, latents `z` and noise.
        """
        return GAN().loss_D(nets, self.mix_styles(nets, batch))

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the generator's loss, `-E log D(G(z))`.

        Arguments:
            nets: D and G.
            batch: Latents `z` and noise.
        """
        return GAN().loss_G(nets, self.mix_styles(nets, batch))

    def mix_styles(self, nets: Nets, batch: Batch) -> Batch:
        """Return the batch with mixed styles in place of latents, if G has styles.

        Arguments:
            nets: G.
            batch: Latents `z` and noise.
        """
        generator = nets["G"]
        if not isinstance(generator, HasStyles):
            return batch
        noise = batch.noise_for("mixing", batch.z.shape[1])
        styles, other_styles = generator.styles(batch.z), generator.styles(noise[..., :-1])
        is_other = self._choose_layers(ndtr(noise[..., -1]), styles.shape[2])
        return replace(batch, z=torch.where(is_other[..., None], other_styles, styles))

    def _choose_layers(self, u: Tensor, num_layers: int) -> Tensor:
        """Choose the layers that read other styles by uniform numbers, (S, B) -> (S, B, L).

        Below `mixing` a number also says from which layer on; the first one keeps its style.
        """
        if not self.mixing:
            return torch.zeros(*u.shape, num_layers, dtype=torch.bool, device=u.device)
        first_layer = 1 + u / self.mixing * (num_layers - 1)
        layers = torch.arange(num_layers, device=u.device)
        return (layers >= first_layer.floor()[..., None]) & (u < self.mixing)[..., None]


@cites(STYLEGAN2_ADA)
def stylegan2_ada(
    mixing: float = 0.9, r1: R1 | None = None, path_length: PathLength | None = None
) -> Regularised:
    """StyleGAN2-ADA: the GAN with style mixing, and R1 and path-length penalties every few steps.

    It is for `--arch stylegan2`; the weight of R1 is that of 256 pixels. The augmentation that the
    name stands for is the term `ada`. The penalties join the step that is taken anyway,
    with 16 and 4 times their weights: the paper takes one more step of Adam for each, and reduces
    rates and betas by c = k / (k + 1) so that k + 1 steps have the length of k; here c is 1.

    Arguments:
        mixing: Probability that a sample has styles of two latents.
        r1: The penalty on D's slope at data; by default with weight 1, every 16 steps.
        path_length: The penalty on path lengths; by default with weight 2, every 4 steps.

    References:
        Training Generative Adversarial Networks with Limited Data (Karras, Aittala, Hellsten,
        Laine, Lehtinen and Aila, 2020), https://arxiv.org/abs/2006.06676, appendix C

    Examples:
        >>> import iidgan
        >>> method = iidgan.stylegan2_ada(r1=iidgan.R1(weight=0.5, every=16))
        >>> [(type(term).__name__, term.weight, term.every) for term in method.terms]
        [('R1', 0.5, 16), ('PathLength', 2.0, 4)]
    """
    return Regularised(
        method=StyleMixingGAN(mixing=mixing),
        terms=(r1 or R1(weight=1.0, every=16), path_length or PathLength(every=4)),
    )


@cites(STYLEGAN2_ADA)
def stylegan2_ada_cifar(r1: R1 | None = None) -> Regularised:
    """StyleGAN2-ADA for CIFAR-10: neither style mixing nor path lengths, and a weaker R1.

    Arguments:
        r1: The penalty on D's slope at data; by default with weight 0.01, every 16 steps.

    References:
        Training Generative Adversarial Networks with Limited Data (Karras, Aittala, Hellsten,
        Laine, Lehtinen and Aila, 2020), https://arxiv.org/abs/2006.06676, appendix D

    Examples:
        >>> import iidgan
        >>> iidgan.stylegan2_ada_cifar().method
        GAN(loss='non-saturating')
    """
    return Regularised(method=GAN(), terms=(r1 or R1(weight=0.01, every=16),))
