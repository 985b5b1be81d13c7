"""Classification: the class of a sample can be recognised, by F or by a head of D."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from iidgan.core import (
    OMIT_IF_DEFAULT,
    Batch,
    Losses,
    LossFn,
    Method,
    Nets,
    NetworkFactory,
    Reference,
    Term,
    cites,
)
from iidgan.core.references import IID_GAN
from iidgan.errors import InputError
from iidgan.functional import checks
from iidgan.functional.reduce import mean_per_seed
from iidgan.terms.weighted import WeightedTerm

AC_GAN = Reference(
    title="Conditional Image Synthesis With Auxiliary Classifier GANs",
    authors="Augustus Odena, Christopher Olah and Jonathon Shlens",
    year=2016,
    url="https://arxiv.org/abs/1610.09585",
)


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class InverseClassifier(WeightedTerm):
    """Cross-entropy of the classes that F assigns to samples; for conditional methods.

        -w E log F_c(x), with the probability F_c(x) of the class c of x

    for real samples x, and the same for G(z, c) with `samples="both"`, which trains G to generate
    samples whose class F recognises, as the classifier of AC-GAN does. F is added if the method
    has none, and is trained by the player of G.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, section 4.4: "the real x is the input of
        F for classification"; the loss is original to this library. For generated samples,
        Conditional Image Synthesis With Auxiliary Classifier GANs (Odena, Olah and Shlens, 2016),
        https://arxiv.org/abs/1610.09585

    Examples:
        An F that gives both classes the probability 1/2 has a loss of log 2:

        >>> import torch
        >>> from iidgan import Batch, Nets
        >>> nets = Nets({"F": lambda x: torch.cat([x, torch.full((1, 4, 2), 0.5)], -1)})
        >>> x, c = torch.zeros(1, 4, 1), torch.eye(2)[[0, 1, 0, 1]][None]
        >>> batch = Batch(x=x, z=torch.cat([x, c], -1), u=x[..., 0], c=c)
        >>> InverseClassifier().compute_loss(nets, batch)
        {'inverse_classifier': tensor([0.6931])}
    """

    owned_networks: ClassVar[Mapping[str, str]] = {"F": "G"}
    target_networks: ClassVar[tuple[str, ...]] = ("F",)

    weight: float = 1.0
    """Weight of the term."""
    samples: Literal["real", "both"] = field(default="real", metadata=OMIT_IF_DEFAULT)
    """Samples that F classifies: real ones, or generated ones, too."""

    def check_fits(self, method: Method) -> None:
        require_conditional(method)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"F": factory.build_inverse()}

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        losses = {"inverse_classifier": self._classify(nets, batch, batch.x)}
        if self.samples == "both":
            losses["inverse_classifier_fake"] = self._classify(nets, batch, nets.G(batch.z))
        return losses

    def _classify(self, nets: Nets, batch: Batch, x: Tensor) -> Tensor:
        _, classes = batch.split_code(batch.z)
        _, probabilities = batch.split_code(nets.F(x))
        # Smaller bounds than rounding asks for: below a bound there is no gradient.
        log_probabilities = probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()
        return self.weight * _cross_entropy(log_probabilities, classes)


@cites(AC_GAN)
@dataclass(frozen=True, kw_only=True)
class AuxiliaryClassifier(Term):
    """A head C on D's features classifies real and generated samples; for conditional methods.

        -w (E log C_c(x) + E log C_c(G(z, c)))

    is added to the loss of D, and the second part to that of G.

    References:
        Conditional Image Synthesis With Auxiliary Classifier GANs (Odena, Olah and Shlens, 2016),
        https://arxiv.org/abs/1610.09585
    """

    owned_networks: ClassVar[Mapping[str, str]] = {"C": "D"}
    tunable_weights: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 1.0
    """Weight of the term."""

    def __post_init__(self) -> None:
        checks.require_weight(self.weight)

    @property
    def losses(self) -> Mapping[str, LossFn]:
        return {"D": self.loss_D, "G": self.loss_G}

    def check_fits(self, method: Method) -> None:
        require_conditional(method)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"C": factory.build_head(factory.num_classes)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the cross-entropy for real and generated samples.

        Arguments:
            nets: D, C and G.
            batch: Real samples `x`, codes `z` and classes `c`.
        """
        real, fake = (self._classify(nets, batch, x) for x in (batch.x, nets.G(batch.z)))
        return {"classify_real": real, "classify_fake": fake}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute the cross-entropy for generated samples.

        Arguments:
            nets: D, C and G.
            batch: Codes `z` and classes `c`.
        """
        return {"classify_fake": self._classify(nets, batch, nets.G(batch.z))}

    def _classify(self, nets: Nets, batch: Batch, x: Tensor) -> Tensor:
        log_probabilities = nets.C(nets.features("D", x)).log_softmax(-1)
        _, classes = batch.split_code(batch.z)
        return self.weight * _cross_entropy(log_probabilities, classes)


def require_conditional(method: Method) -> None:
    """Check that a method is conditional.

    Arguments:
        method: Method that a classification is added to.

    Raises:
        InputError: It is not.
    """
    if method.conditioning is None:
        raise InputError(
            "terms: classification is for conditional methods, such as cgan, pd-gan or ac-gan"
        )


def _cross_entropy(log_probabilities: Tensor, classes: Tensor) -> Tensor:
    """Compute the mean cross-entropy of each seed, (S, B, K) -> (S,)."""
    return mean_per_seed(-(classes * log_probabilities).sum(-1))
