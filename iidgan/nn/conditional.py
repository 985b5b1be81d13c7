"""Networks that read or return classes, made from those of any backbone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from iidgan.core import HasFeatures, NetworkFactory
from iidgan.nn.layers.conv import BatchNorm, normalise_batch

DiscriminatorKind = Literal["concat", "projection", "unconditional"]


@dataclass(frozen=True)
class ConditionalFactory(NetworkFactory):
    """A factory of networks for K classes; codes [z; c] have M + K dimensions.

    | network | `concat`, `unconditional` | `projection` |
    |---|---|---|
    | G(z, c) | c is concatenated to z | c chooses scale and shift of batch norm |
    | D(x, c) | c is concatenated to x, as constant maps; `unconditional`: is not read | inner \
product of c and features is added |
    | F(x) | M latents, and K probabilities of classes | the same |

    Networks that have no batch normalisation, such as perceptrons, get c concatenated to z.

    References:
        * Conditional Generative Adversarial Nets (Mirza and Osindero, 2014),
          https://arxiv.org/abs/1411.1784, for the concatenation
        * cGANs with Projection Discriminator (Miyato and Koyama, 2018),
          https://arxiv.org/abs/1802.05637

    Examples:
        >>> from iidgan.nn import MLP
        >>> factory = ConditionalFactory(MLP(latent=2), shape=(2,), num_classes=8)
        >>> z, c = torch.randn(1, 64, 2), torch.eye(8)[torch.arange(64) % 8][None]
        >>> x = factory.build_generator()(torch.cat([z, c], -1))
        >>> factory.build_discriminator()(x, c).shape, factory.build_inverse()(x).shape
        (torch.Size([1, 64]), torch.Size([1, 64, 10]))
    """

    discriminator: DiscriminatorKind = "concat"

    @property
    def _code_factory(self) -> NetworkFactory:
        backbone = self.backbone.with_latent(self.latent + self.num_classes)
        return NetworkFactory(backbone, self.shape)

    def build_generator(self) -> nn.Module:
        if self.discriminator == "projection":
            generator = super().build_generator()
            if replace_batch_norms(generator, self.num_classes):
                return ConditionalGenerator(generator, self.num_classes)
        return self._code_factory.build_generator()

    def build_discriminator(self, *, spectral: bool = False) -> nn.Module:
        match self.discriminator:
            case "unconditional":
                return super().build_discriminator(spectral=spectral)
            case "concat":
                channels, *sides = self.shape
                wider = NetworkFactory(self.backbone, (channels + self.num_classes, *sides))
                return ConcatDiscriminator(wider.build_discriminator(spectral=spectral))
            case "projection":
                network = super().build_discriminator(spectral=spectral)
                embedding = self.build_head(self.num_classes, spectral=spectral)
                return ProjectionDiscriminator(network, embedding)

    def build_inverse(self) -> nn.Module:
        return ClassifyingInverse(self._code_factory.build_inverse(), self.num_classes)


class ConcatDiscriminator(nn.Module):
    """A discriminator whose samples are extended by their classes.

    Vectors (S, B, d) get K more components, images (S, B, C, H, W) get K more channels, each of
    which is constant.

    Arguments:
        network: Discriminator of the extended samples.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.net = cast(HasFeatures, network)

    @property
    def head(self) -> nn.Module:
        """The last layer of the network."""
        return self.net.head

    def features(self, x: Tensor, c: Tensor) -> Tensor:
        """Compute the last hidden layer of the network, for samples and classes (S, B, K)."""
        maps = c.reshape(*c.shape, *[1] * (x.dim() - 3)).expand(*c.shape, *x.shape[3:])
        return self.net.features(torch.cat([x, maps], dim=2))

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x, c))
        return logits


class ProjectionDiscriminator(nn.Module):
    """The projection discriminator, ψ(φ(x)) + cᵀ V φ(x), with features φ and an affine map V.

    The constant of V, which the paper lacks, is the share of a class in the logit.

    Arguments:
        network: Discriminator with features φ and head ψ.
        embedding: Map from the features to K numbers, V φ(x).

    References:
        cGANs with Projection Discriminator (Miyato and Koyama, 2018),
        https://arxiv.org/abs/1802.05637, equation 6
    """

    def __init__(self, network: nn.Module, embedding: nn.Module) -> None:
        super().__init__()
        self.net, self.embedding = cast(HasFeatures, network), embedding

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        features = self.net.features(x)
        logits: Tensor = self.net.head(features) + (c * self.embedding(features)).sum(-1)
        return logits


class ClassifyingInverse(nn.Module):
    """An inverse F whose last K outputs are probabilities of classes.

    Arguments:
        network: Encoder with M + K outputs.
        num_classes: Number of classes K.
    """

    def __init__(self, network: nn.Module, num_classes: int) -> None:
        super().__init__()
        self.net, self.num_classes = network, num_classes

    def forward(self, x: Tensor) -> Tensor:
        outputs = self.net(x)
        latents, logits = outputs[..., : -self.num_classes], outputs[..., -self.num_classes :]
        return torch.cat([latents, logits.softmax(-1)], dim=-1)


class ConditionalGenerator(nn.Module):
    """A generator whose batch normalisation depends on the class; maps codes [z; c] to samples.

    Arguments:
        network: Generator with layers of `ConditionalBatchNorm`.
        num_classes: Number of classes K.
    """

    def __init__(self, network: nn.Module, num_classes: int) -> None:
        super().__init__()
        self.net, self.num_classes = network, num_classes

    def forward(self, codes: Tensor) -> Tensor:
        z, c = codes[..., : -self.num_classes], codes[..., -self.num_classes :]
        norms = [module for module in self.modules() if isinstance(module, ConditionalBatchNorm)]
        for norm in norms:
            norm.condition = c
        try:
            samples: Tensor = self.net(z)
        finally:
            for norm in norms:
                norm.condition = None
        return samples


class ConditionalBatchNorm(BatchNorm):
    """Batch normalisation with scale and shift of each class, in grouped layout.

        y = (cᵀ weight) (x - mean) / sqrt(var + 1e-5) + cᵀ bias

    With one class it is `BatchNorm`. The classes are set by `ConditionalGenerator` during its
    forward pass, since bodies of generators pass on nothing but activations.

    Arguments:
        channels: Number of channels of one seed.
        num_classes: Number of classes K.

    References:
        A Learned Representation For Artistic Style (Dumoulin, Shlens and Kudlur, 2016),
        https://arxiv.org/abs/1610.07629; in GANs as in Miyato and Koyama, 2018
    """

    condition: Tensor | None

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__(channels)
        self.weight = nn.Parameter(self.weight.detach()[:, None].repeat(1, num_classes, 1))
        self.bias = nn.Parameter(self.bias.detach()[:, None].repeat(1, num_classes, 1))
        self.condition = None

    def forward(self, x: Tensor) -> Tensor:
        assert self.condition is not None, "ConditionalGenerator sets it"
        normalised = (
            normalise_batch(x)
            if self.training
            else functional.batch_norm(x, self.mean.flatten(), self.var.flatten())
        )
        scale, shift = (
            (self.condition.to(table.dtype) @ table).transpose(0, 1).flatten(1)[..., None, None]
            for table in (self.weight, self.bias)
        )
        return normalised * scale + shift


def replace_batch_norms(network: nn.Module, num_classes: int) -> int:
    """Replace all layers of batch normalisation by conditional ones, and return their number.

    Arguments:
        network: Network that is changed in place.
        num_classes: Number of classes K.
    """
    num_replaced = 0
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, BatchNorm):
                channels = child.mean.shape[-1]
                setattr(parent, name, ConditionalBatchNorm(channels, num_classes))
                num_replaced += 1
    return num_replaced
