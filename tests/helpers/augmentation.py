"""Images and draws with known augmentations."""

import torch

from iidgan.functional.augmentation import ada
from iidgan.functional.augmentation.matrices import Shape

NEVER, ALWAYS = 9.0, -9.0
"""Normal numbers that decide against an augmentation and for it, unless p is 0 or 1."""


def normal_of(uniform):
    """The normal number that becomes a given uniform one."""
    return torch.special.ndtri(torch.as_tensor(uniform, dtype=torch.float64))


def make_draws(groups, shape: Shape, num_images, seed=0):
    """Random draws of one seed."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(1, num_images, *size, generator=generator, dtype=torch.float64)
        for name, size in ada.draw_shapes(groups, shape).items()
    }


def make_images(*shape, seed=0):
    """Random images in double precision, with shape (S, B, C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
