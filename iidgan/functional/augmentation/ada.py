"""The 18 augmentations of adaptive discriminator augmentation, in six groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from iidgan.functional.augmentation.bands import NUM_BANDS, draw_gains, filter_bands
from iidgan.functional.augmentation.colour import colour_factors, map_channels
from iidgan.functional.augmentation.corruption import add_noise, cut_out
from iidgan.functional.augmentation.draws import is_applied
from iidgan.functional.augmentation.geometry import BLIT, GEOMETRIC, warp
from iidgan.functional.augmentation.matrices import Shape, count_draws, draw_product

Group = Literal["blit", "geometric", "colour", "filter", "noise", "cutout"]
GROUPS: tuple[Group, ...] = get_args(Group)
PIXEL_NOISE = "pixel_noise"


def draw_shapes(groups: Sequence[Group], shape: Shape) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the draws of one image.

    Arguments:
        groups: Groups of augmentations.
        shape: Shape of an image, (C, H, W).

    Examples:
        >>> draw_shapes(("blit", "noise"), (1, 28, 28))
        {'blit': (7,), 'noise': (2,), 'pixel_noise': (1, 28, 28)}
    """
    counts = {
        "blit": count_draws(BLIT),
        "geometric": count_draws(GEOMETRIC),
        "colour": count_draws(colour_factors(shape[0])),
        "filter": 2 * NUM_BANDS,
        "noise": 2,
        "cutout": 3,
    }
    shapes = {group: (counts[group],) for group in GROUPS if group in groups}
    return shapes | ({PIXEL_NOISE: shape} if "noise" in groups else {})


def augment(images: Tensor, draws: Mapping[str, Tensor], p: Tensor) -> Tensor:
    """Augment images by the groups whose draws are given.

    | group | augmentation | parameter |
    |---|---|---|
    | blit | flip left to right | whether, with probability 1/2 |
    |  | rotation | 0, 90, 180 or 270 degrees |
    |  | shift by whole pixels | uniform up to an eighth of each side |
    | geometric | scale | 2^(0.2 n) |
    |  | rotation, before and after the next | uniform |
    |  | scale of one axis, its inverse of the other | 2^(0.2 n) |
    |  | shift | n / 8 of each side |
    | colour | brightness | + 0.2 n |
    |  | contrast | 2^(0.5 n) |
    |  | negative luma | whether, with probability 1/2 |
    |  | rotation of hues | uniform |
    |  | saturation | 2^n |
    | filter | gain of each of four bands | 2^n |
    | noise | standard deviation | 0.1 abs(n) |
    | cutout | centre of half the height and width | uniform |

    with n ~ N(0, 1) for each. They are applied in this order, independently, each with
    probability p; the two rotations of the group `geometric` with 1 - √(1 - p), so that one of
    them at least has the probability p. At p = 0 images stay as they are, to the bit.

    Images continue beyond their edges as in a mirror. What is interpolated differs from the
    paper, whose warps read and write grids twice as fine with wavelet filters: here the image is
    read from a grid twice as fine (`geometry.warp`), and written as it is.

    Colours are those of three channels, or grey levels of one; channels of any other number
    change in brightness and contrast alone (`colour.colour_factors`).

    Arguments:
        images: Images, with shape (S, B, C, H, W).
        draws: Normal numbers by name, with the `draw_shapes` of the groups.
        p: Strength of each seed, with shape (S,).

    Returns:
        Images of the same shape.

    References:
        Training Generative Adversarial Networks with Limited Data (Karras, Aittala, Hellsten,
        Laine, Lehtinen and Aila, 2020), https://arxiv.org/abs/2006.06676, appendix B

    Examples:
        >>> image = torch.arange(4.0).view(1, 1, 1, 2, 2)
        >>> draws = {"blit": torch.tensor([[[-9.0, 9.0, 9.0, 0.0, 9.0, 0.0, 0.0]]])}
        >>> augment(image, draws, torch.tensor([0.5]))[0, 0, 0]  # a flip alone
        tensor([[1., 0.],
                [3., 2.]])
    """
    shape = images.shape[2:]
    reading = [
        draw_product(factors, draws[group], p, shape)
        for group, factors in (("blit", BLIT), ("geometric", GEOMETRIC))
        if group in draws
    ]
    if reading:
        # A matrix maps pixels of the result to the image, and so the first change is outermost.
        images = warp(images, reading[0] @ reading[1] if len(reading) > 1 else reading[0])
    if "colour" in draws:
        factors = colour_factors(shape[0])
        images = map_channels(images, draw_product(factors, draws["colour"], p, shape))
    if "filter" in draws:
        images = filter_bands(images, draw_gains(draws["filter"], p))
    if "noise" in draws:
        images = add_noise(images, draws[PIXEL_NOISE], draws["noise"], p)
    if "cutout" in draws:
        choice, centre = draws["cutout"].split([1, 2], -1)
        images = torch.where(
            is_applied(choice, p)[..., None, None], cut_out(images, centre), images
        )
    return images
