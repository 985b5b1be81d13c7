"""DiffAugment: all images that D reads change in colour, are shifted, and lose a square."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from iidgan.core import Nets, NoiseShapes, Reference, cites
from iidgan.functional import checks
from iidgan.functional.augmentation import diffaugment
from iidgan.functional.augmentation.diffaugment import Policy
from iidgan.terms.image_augmentation import ImageAugmentation, Shape

PAPER = Reference(
    title="Differentiable Augmentation for Data-Efficient GAN Training",
    authors="Shengyu Zhao, Zhijian Liu, Ji Lin, Jun-Yan Zhu and Song Han",
    year=2020,
    url="https://arxiv.org/abs/2006.10738",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class DiffAugment(ImageAugmentation):
    """Random colours, shifts and cutouts of every image that D reads, for few data; adds no loss.

        D(T(x)), D(T(G(z)))

    Otherwise D could learn few images by heart. Gradients of G pass through T, which
    `iidgan.functional.augmentation.diffaugment` defines. Unlike ADA, it augments every image:
    that can show in samples, such as shifts.

    References:
        Differentiable Augmentation for Data-Efficient GAN Training (Zhao, Liu, Lin, Zhu and Han,
        2020), https://arxiv.org/abs/2006.10738

    Examples:
        >>> import torch
        >>> from iidgan import Batch
        >>> term = DiffAugment(policies=("cutout",))
        >>> x = torch.ones(1, 1, 1, 4, 4)
        >>> noise = {"diffaugment_cutout": torch.zeros(1, 1, 2)}  # drawn by training
        >>> batch = Batch(x=x, z=torch.zeros(1, 1, 2), u=torch.zeros(1, 1), noise=noise)
        >>> term.wrap_networks(Nets({"D": torch.nn.Identity()}), batch).D(x)[0, 0, 0]
        tensor([[1., 1., 1., 1.],
                [1., 0., 0., 1.],
                [1., 0., 0., 1.],
                [1., 1., 1., 1.]])
    """

    term_name: ClassVar[str] = "diffaugment"

    policies: tuple[Policy, ...] = diffaugment.POLICIES
    """Augmentations that are applied."""

    def __post_init__(self) -> None:
        checks.require_some_of("policies", self.policies, diffaugment.POLICIES)

    def draw_shapes(self, shape: Shape) -> NoiseShapes:
        return {policy: (diffaugment.NUM_DRAWS[policy],) for policy in self.policies}

    def augment(self, images: Tensor, draws: Mapping[str, Tensor], nets: Nets) -> Tensor:
        return diffaugment.augment(images, draws)
