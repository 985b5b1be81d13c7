"""Adaptive discriminator augmentation: the more D overfits, the more its images are augmented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from iidgan.core import (
    Batch,
    Losses,
    LossFn,
    Method,
    Nets,
    NetworkFactory,
    NoiseShapes,
    PostUpdate,
    cites,
)
from iidgan.core.references import STYLEGAN2_ADA
from iidgan.errors import InputError
from iidgan.functional import checks
from iidgan.functional.augmentation import ada
from iidgan.functional.augmentation.ada import Group
from iidgan.terms.image_augmentation import ImageAugmentation, Shape


class AugmentationStrength(nn.Module):
    """The strength p of each seed, and the signs of D(x) since it was last adapted.

    Arguments:
        p: Strength at the start.
    """

    p: Tensor
    sign_sum: Tensor
    num_updates: Tensor

    def __init__(self, p: float) -> None:
        super().__init__()
        self.register_buffer("p", torch.full((1,), p))
        self.register_buffer("sign_sum", torch.zeros(1))
        self.register_buffer("num_updates", torch.zeros(1))

    @torch.no_grad()
    def adapt(self, mean_sign: Tensor, *, target: float, interval: int, change: float) -> None:
        """Take an update of D into account; every `interval` updates, p moves up or down.

        Arguments:
            mean_sign: Mean of sign(D(x)) over the batch of the update, with shape (S,).
            target: Mean over all of the updates above which p rises, and below which it falls.
            interval: Number of updates.
            change: Change of p.
        """
        sign_sum, num_updates = self.sign_sum + mean_sign, self.num_updates + 1
        is_due = num_updates >= interval
        direction = (sign_sum / num_updates - target).sign()
        self.p.copy_(torch.where(is_due, (self.p + change * direction).clamp(0, 1), self.p))
        self.sign_sum.copy_(torch.where(is_due, 0.0, sign_sum))
        self.num_updates.copy_(torch.where(is_due, 0.0, num_updates))


@cites(STYLEGAN2_ADA)
@dataclass(frozen=True, kw_only=True)
class ADA(ImageAugmentation):
    """Adaptive discriminator augmentation (ADA), for few data; adds no loss.

        D(T_p(x)), D(T_p(G(z)))

    T_p applies each of its augmentations with probability p, independently
    (`iidgan.functional.augmentation.ada`). Otherwise D learns few images by heart: it knows the
    real ones, and gives G no direction. As long as p is well below 1, augmented data tell what
    the data are, so that samples do not show augmentations.

    Each seed has its own p, which follows an indicator of overfitting,

        r = E sign(D(x))

    over `interval` updates of D: p rises where r is above `target`, and falls where it is below.
    r is 0 for a D at chance and 1 for a D that knows all real images. The state of p is part of
    checkpoints, and the log shows p and r of the last batch as `ada_p` and `ada_sign`; both are
    constants, which add nothing to gradients.

    A D whose output at chance is not 0, such as that of Wasserstein or relativistic losses, or
    that reads pairs of images and codes, gets a constant strength by `kimg=None`.

    References:
        Training Generative Adversarial Networks with Limited Data (Karras, Aittala, Hellsten,
        Laine, Lehtinen and Aila, 2020), https://arxiv.org/abs/2006.06676

    Examples:
        >>> import iidgan
        >>> method = iidgan.Regularised(method=iidgan.GAN(), terms=(ADA(groups=("blit",)),))
        >>> factory = iidgan.core.NetworkFactory(iidgan.DCGAN(width=2), (1, 8, 8))
        >>> networks = method.networks(factory)
        >>> list(networks), networks["ada"].p
        (['ada', 'G', 'D'], tensor([0.]))
        >>> method.noise_shapes(factory)  # of each image
        {'ada_blit': (7,)}
    """

    term_name: ClassVar[str] = "ada"

    groups: tuple[Group, ...] = ("blit", "geometric", "colour")
    """Groups of augmentations; `filter`, `noise` and `cutout` are the others. The default is the
    paper's choice. Leave `colour` out for stacked images, whose channels are no colours."""
    p: float = 0.0
    """Strength at the start, or always."""
    target: float = 0.6
    """Value of r above which the strength rises."""
    interval: int = 4
    """Number of updates of D, of those in steps of the term, after which p is adapted."""
    kimg: float | None = 500.0
    """Thousands of images, in batches of D, in which the strength can rise from 0 to 1; None: it
    stays at p."""

    def __post_init__(self) -> None:
        checks.require_some_of("groups", self.groups, ada.GROUPS)
        if not 0 <= self.p <= 1:
            raise InputError(f"p: must be in [0, 1], a probability, got {self.p}")
        if not -1 < self.target < 1:
            raise InputError(f"target: must be in (-1, 1), a mean of signs, got {self.target}")
        checks.require_at_least("interval", self.interval, 1)
        if self.kimg is not None:
            checks.require_positive("kimg", self.kimg)
        elif self.p == 0:
            raise InputError("p: must be > 0 with kimg None, a constant strength, got 0")

    @property
    def losses(self) -> Mapping[str, LossFn]:
        return {} if self.kimg is None else {"D": self.observe}

    @property
    def post_updates(self) -> Mapping[str, PostUpdate]:
        return {} if self.kimg is None else {"D": self.adapt}

    def check_fits(self, method: Method) -> None:
        if self.kimg is not None and not method.has_centred_logits:
            raise InputError(
                "terms: ada adapts its strength to the sign of D(x), but D at chance is not 0 "
                f"with the losses of {method}; set a constant strength, such as --ada.p 0.2 "
                "--ada.kimg None"
            )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"ada": AugmentationStrength(self.p)}

    def draw_shapes(self, shape: Shape) -> NoiseShapes:
        return ada.draw_shapes(self.groups, shape)

    def augment(self, images: Tensor, draws: Mapping[str, Tensor], nets: Nets) -> Tensor:
        return ada.augment(images, draws, _strength(nets).p)

    def observe(self, nets: Nets, batch: Batch) -> Losses:
        """Return p, and r of the batch, for the log.

        Arguments:
            nets: Networks of the method and its terms.
            batch: Real samples `x`.
        """
        return {"ada_p": _strength(nets).p.clone(), "ada_sign": _mean_sign(nets, batch)}

    def adapt(self, nets: Nets, batch: Batch, losses: Losses) -> None:
        """Adapt p to r of an update of D, in steps in which it was observed.

        Arguments:
            nets: Networks of the method and its terms.
            batch: The batch of the update.
            losses: Values of the losses of D.
        """
        assert self.kimg is not None, "post_updates"
        if "ada_sign" in losses:
            num_images = self.every * self.interval * batch.x.shape[1]
            _strength(nets).adapt(
                losses["ada_sign"],
                target=self.target,
                interval=self.interval,
                change=num_images / (1000 * self.kimg),
            )


def _strength(nets: Nets) -> AugmentationStrength:
    return cast(AugmentationStrength, nets["ada"])


def _mean_sign(nets: Nets, batch: Batch) -> Tensor:
    """Return the mean of sign(D(x)), with shape (S,)."""
    try:
        return nets.D(batch.x).detach().sign().mean(1)
    except TypeError as error:
        raise InputError(
            "terms: ada adapts its strength to D(x), but D reads more than images; set a constant "
            "strength, such as --ada.p 0.2 --ada.kimg None"
        ) from error
