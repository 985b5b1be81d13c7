"""Structural similarity of images at several scales, and its mean within classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from iidgan.errors import InputError

_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW_SIZE, _WINDOW_STD = 11, 1.5
MIN_SIDE = _WINDOW_SIZE
"""Smallest height and width of images, in pixels."""
_LUMINANCE_CONSTANT, _CONTRAST_CONSTANT = 0.01**2, 0.03**2  # for values in [0, 1]
_PAIRS_PER_CHUNK = 64


def ms_ssim(images: Tensor, other_images: Tensor) -> Tensor:
    """Compute the multi-scale structural similarity (MS-SSIM) of pairs of images.

    With local means, variances and covariances in a Gaussian window of 11 pixels,

        l = (2 μμ' + c) / (μ² + μ'² + c),   s = (2 σ_xx' + d) / (σ² + σ'² + d)

    it is l s at the last scale times s at those before, each averaged over the image and to the
    power of its weight; every scale halves the image. It lies in [0, 1] and is 1 for equal images:
    an average s below 0 counts as 0. The standard has five scales, for which images need 176
    pixels. Smaller ones have as many as fit, with weights that sum to 1: values of different sizes
    are not comparable. Time is proportional to the number of pixels.

    Arguments:
        images: Images in [0, 1], with shape (n, C, H, W), H and W of at least 11.
        other_images: Images to compare each with, with the same shape.

    Returns:
        float64 with shape (n,).

    Raises:
        InputError: The images do not have such a shape, or are not in [0, 1].

    References:
        Multiscale Structural Similarity for Image Quality Assessment (Wang, Simoncelli and Bovik,
        2003), https://doi.org/10.1109/ACSSC.2003.1292216

    Examples:
        >>> black, white = torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
        >>> ms_ssim(torch.cat([black, black]), torch.cat([black, white]))  # c / (1 + c)
        tensor([1.0000e+00, 9.9990e-05], dtype=torch.float64)
    """
    _check_images("images", images)
    _check_images("other_images", other_images)
    if images.shape != other_images.shape:
        raise InputError(
            f"other_images: must have the shape of images, {tuple(images.shape)}, got "
            f"{tuple(other_images.shape)}"
        )
    chunks = zip(*(x.detach().split(_PAIRS_PER_CHUNK) for x in (images, other_images)))
    return torch.cat([_compare_chunk(x.double(), y.double()) for x, y in chunks]).cpu()


def class_similarity(
    images: Tensor, labels: Tensor, num_classes: int, *, num_pairs: int = 100, seed: int = 0
) -> Tensor:
    """Compute the mean MS-SSIM of random pairs of images of the same class.

    High values mean little variety within a class: 1 for equal images. It has no ideal value;
    compare with real images of the same size. It cannot see quality, copies of real images, or
    which modes of a class are missing; noise has a low value. The standard error is that of
    `num_pairs` pairs, drawn by an own generator.

    Arguments:
        images: Images in [0, 1], with shape (N, C, H, W), H and W of at least 11.
        labels: Classes of the images, int64 with shape (N,), in 0 ... K - 1.
        num_classes: Number of classes K.
        num_pairs: Pairs of each class, each of two different images.
        seed: Seed of the pairs.

    Returns:
        float64 with shape (K,), in [0, 1]; NaN for a class with fewer than two images.

    Raises:
        InputError: The arguments are not as described.

    References:
        Conditional Image Synthesis with Auxiliary Classifier GANs (Odena, Olah and Shlens, 2017),
        https://arxiv.org/abs/1610.09585

    Examples:
        >>> images = torch.zeros(4, 1, 16, 16)  # of class 1, one image only
        >>> class_similarity(images, torch.tensor([0, 0, 0, 1]), num_classes=2)
        tensor([1., nan], dtype=torch.float64)
    """
    _check_images("images", images)
    if labels.shape != images.shape[:1]:
        raise InputError(
            f"labels: must have shape ({len(images)},), one for each image, got "
            f"{tuple(labels.shape)}"
        )
    if num_pairs < 1:
        raise InputError(f"num_pairs: must be >= 1, got {num_pairs}")
    generator = torch.Generator().manual_seed(seed)
    similarities = torch.full((num_classes,), torch.nan, dtype=torch.float64)
    for label in range(num_classes):
        members = (labels.cpu() == label).nonzero()[:, 0]
        if len(members) < 2:
            continue
        first = torch.randint(len(members), (num_pairs,), generator=generator)
        shift = torch.randint(1, len(members), (num_pairs,), generator=generator)
        second = (first + shift) % len(members)
        similarities[label] = ms_ssim(images[members[first]], images[members[second]]).mean()
    return similarities


def _check_images(name: str, images: Tensor) -> None:
    is_valid = images.ndim == 4 and images.is_floating_point() and images.numel()
    if not is_valid or min(images.shape[-2:]) < _WINDOW_SIZE:
        raise InputError(
            f"{name}: must be floating-point images (n, C, H, W) of at least {_WINDOW_SIZE} "
            f"pixels, got {images.dtype} of shape {tuple(images.shape)}"
        )
    low, high = map(float, images.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise InputError(f"{name}: values must be in [0, 1], got {low:.4g} to {high:.4g}")


def _compare_chunk(x: Tensor, y: Tensor) -> Tensor:
    num_scales = 1
    while num_scales < len(_SCALE_WEIGHTS) and min(x.shape[-2:]) >> num_scales >= _WINDOW_SIZE:
        num_scales += 1
    weights = _SCALE_WEIGHTS[:num_scales]
    similarity = torch.ones(len(x), dtype=x.dtype, device=x.device)
    for scale, weight in enumerate(weights):
        luminance, structure = _local_similarities(x, y)
        is_last = scale == num_scales - 1
        values = (luminance * structure if is_last else structure).mean((1, 2, 3))
        similarity = similarity * values.clamp_min(0) ** (weight / sum(weights))
        if not is_last:
            x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
    return similarity


def _local_similarities(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the similarities of luminance, and of contrast and structure, at each window."""
    mean_x, mean_y = _blur(x), _blur(y)
    variance_sum = _blur(x * x) + _blur(y * y) - mean_x.square() - mean_y.square()
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _LUMINANCE_CONSTANT) / (
        mean_x.square() + mean_y.square() + _LUMINANCE_CONSTANT
    )
    return luminance, (2 * covariance + _CONTRAST_CONSTANT) / (variance_sum + _CONTRAST_CONSTANT)


def _blur(x: Tensor) -> Tensor:
    """Average over the Gaussian windows that lie within the image."""
    offsets = torch.arange(_WINDOW_SIZE, dtype=x.dtype, device=x.device) - _WINDOW_SIZE // 2
    window = (-0.5 * (offsets / _WINDOW_STD).square()).exp()
    window = window / window.sum()
    flat = x.flatten(0, 1)[:, None]
    blurred = conv2d(conv2d(flat, window[None, None, :, None]), window[None, None, None])
    return blurred[:, 0].unflatten(0, x.shape[:2])
