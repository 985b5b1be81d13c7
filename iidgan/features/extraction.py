"""Features of images, computed once and cached."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.features.cache import Features, read_features, write_features
from iidgan.features.extractor import FrozenExtractor
from iidgan.features.images import ImageBlocks, Images, split_images
from iidgan.features.registry import create_extractor
from iidgan.utils.files import check_free_space, user_cache_dir

ProgressCallback = Callable[[int, int | None], object]
"""Receives the number of images done, and the number of all images or None if it is unknown."""

BATCH_PIXELS = 1 << 19
"""Pixels of the images that the network reads at once, or of those that it reads them from."""
MAX_BATCH_SIZE = 256


def features_cache_dir() -> Path:
    """Return the folder of cached features, which can be removed at any time."""
    return user_cache_dir() / "features"


def extract(
    images: Images,
    extractor: str | FrozenExtractor = "efficientnet-lite0",
    *,
    cache_dir: str | Path | None = "auto",
    on_progress: ProgressCallback = lambda done, total: None,
) -> Features:
    """Compute the features of images, or read them if they were computed before.

    Features are cached by the content of the images, the protocol and the code of the network.
    Those of blocks, which can be read only once, are not cached.

    Arguments:
        images: uint8 images of any size, grey or RGB: an array of shape (N, C, H, W), perhaps
            mapped from a file, a data set, or an iterable of such arrays.
        extractor: Name of an extractor, as of `create_extractor`, or an extractor.
        cache_dir: Folder of cached features. By default that of `features_cache_dir`, if it can
            be written to; None: features are neither read from a cache nor written to one.
        on_progress: Receives the number of images done and of all images, after each batch.

    Returns:
        The features, with shape (N, D), and their protocol. Cached ones are mapped from the file:
        a batch of images and of features is in memory at a time.

    Raises:
        InputError: The images are not valid, or a feature is not finite.

    Examples:
        >>> import numpy as np
        >>> images = np.zeros((10, 1, 28, 28), np.uint8)
        >>> features = extract(images, "pixels", cache_dir=None)
        >>> features.values.shape, features.protocol.extractor
        (torch.Size([10, 3072]), 'pixels')
    """
    if isinstance(extractor, str):
        extractor = create_extractor(extractor)
    blocks = split_images(images)
    folder = _choose_cache_dir(cache_dir)
    code_sha256 = _compute_code_sha256(extractor)
    if folder is None or blocks.compute_sha256 is None or not code_sha256:
        batches = list(_extract_batches(blocks, extractor, on_progress))
        return Features(torch.cat(batches), extractor.protocol)
    images_sha256 = blocks.compute_sha256()
    key = json.dumps([images_sha256, extractor.protocol.to_dict(), code_sha256])
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
    cached = _read_cached(path, extractor, images_sha256, blocks.num_images)
    if cached is None:
        _check_space(folder, blocks, extractor)
        batch_iterator = _extract_batches(blocks, extractor, on_progress)
        write_features(path, batch_iterator, extractor.protocol, images_sha256)
        cached = read_features(path)
    return cached


def _extract_batches(
    blocks: ImageBlocks, extractor: FrozenExtractor, on_progress: ProgressCallback
) -> Iterator[Tensor]:
    """Yield the features of one batch after the other, on the CPU.

    Raises:
        InputError: There are no images, or features are not finite.
    """
    num_done = 0
    for block in blocks:
        for batch in block.split(_batch_size(extractor, block.shape[-2], block.shape[-1])):
            features = extractor(batch).cpu()
            _check_finite(features, extractor, num_done)
            num_done += len(batch)
            yield features
            on_progress(num_done, blocks.num_images)
    if num_done == 0:
        raise InputError("images: expected at least one image, got none")


def _batch_size(extractor: FrozenExtractor, height: int, width: int) -> int:
    input_height, input_width = extractor.protocol.input_size or (height, width)
    num_pixels = max(height * width, input_height * input_width)
    return min(max(1, BATCH_PIXELS // num_pixels), MAX_BATCH_SIZE)


def _check_finite(features: Tensor, extractor: FrozenExtractor, num_done: int) -> None:
    is_finite = features.isfinite().all(1)
    if not is_finite.all():
        position = num_done + int((~is_finite).nonzero()[0, 0])
        raise InputError(
            f"images: {extractor.protocol.extractor} returns features that are not finite for "
            f"image {position}; check the weights of the extractor"
        )


def _choose_cache_dir(cache_dir: str | Path | None) -> Path | None:
    if cache_dir != "auto":
        return None if cache_dir is None else Path(cache_dir)
    folder = features_cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _read_cached(
    path: Path, extractor: FrozenExtractor, images_sha256: str, num_images: int | None
) -> Features | None:
    """Read cached features; None if there are none, or if they are damaged or of other images."""
    if not path.exists():
        return None
    try:
        cached = read_features(path)
    except InputError:
        return None
    is_expected = (
        cached.protocol == extractor.protocol
        and cached.images_sha256 == images_sha256
        and num_images in (None, len(cached))
    )
    return cached if is_expected else None


def _check_space(folder: Path, blocks: ImageBlocks, extractor: FrozenExtractor) -> None:
    if blocks.num_images is not None:
        num_bytes = 4 * blocks.num_images * extractor.protocol.num_features
        check_free_space(folder, num_bytes, field="cache_dir")


def _compute_code_sha256(extractor: FrozenExtractor) -> str:
    """Compute a digest of the modules that define an extractor; empty if one has no file.

    Somebody who edits a network, not only its weights, would otherwise get the old features.
    """
    parts = [*map(type, extractor.modules()), type(extractor.preprocessing)]
    modules = {inspect.getmodule(part) for part in (*parts, extractor.preprocessing.filter.resize)}
    try:
        sources = sorted(inspect.getsource(module) for module in modules if module)
    except (OSError, TypeError):
        return ""
    return "" if None in modules else hashlib.sha256("".join(sources).encode()).hexdigest()
