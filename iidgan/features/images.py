"""Sets of images as blocks of bytes, with the digest of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.core import Dataset
from iidgan.errors import InputError, wrong_type_error

ImageArray = NDArray[np.uint8] | Tensor
MAX_BLOCK_BYTES = 1 << 24


@dataclass(frozen=True)
class ImageBlocks:
    """Images in blocks, which may differ in size.

    Arguments:
        blocks: Tensors of uint8, with shape (n, C, H, W) and C = 1 or 3; those of a generator are
            read once.
        num_images: Number N of all images; None if it is unknown.
        compute_sha256: Computes a digest of the content of all images, without reading `blocks`
            if these can be read only once; None if there is no way.

    Examples:
        >>> photos = (torch.zeros(1, 3, 30, width, dtype=torch.uint8) for width in (20, 40))
        >>> [block.shape[-1] for block in ImageBlocks(photos, 2, compute_sha256=None)]
        [20, 40]
    """

    blocks: Iterable[Tensor]
    num_images: int | None
    compute_sha256: Callable[[], str] | None

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the blocks, checked.

        Raises:
            InputError: A block does not consist of images.
        """
        for block in self.blocks:
            check_images(block)
            yield block


Images = ImageArray | Dataset | ImageBlocks | Iterable[ImageArray]
"""Images: uint8 arrays of shape (N, C, H, W) with C = 1 or 3, a data set of images, or blocks of
such arrays, whose sizes may differ."""


def split_images(images: Images) -> ImageBlocks:
    """Split images into blocks that fit in memory.

    Arguments:
        images: An array, a data set, or blocks, such as those of a generator function.

    Raises:
        InputError: They are not images.

    Examples:
        >>> blocks = split_images(np.zeros((5, 3, 32, 32), np.uint8))
        >>> blocks.num_images, [tuple(block.shape) for block in blocks]
        (5, [(5, 3, 32, 32)])
        >>> list(split_images(np.zeros((5, 32, 32, 3), np.uint8)))
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: images: expected uint8 of shape (N, 1 or 3, H, W), got ...
    """
    if isinstance(images, Dataset):
        return _split_dataset(images)
    if isinstance(images, np.ndarray | Tensor):
        check_images(images)
        array_blocks = _ArrayBlocks(images)
        return ImageBlocks(array_blocks, len(images), array_blocks.compute_sha256)
    if isinstance(images, ImageBlocks):
        return images
    return _split_iterable(images)


def _split_iterable(images: object) -> ImageBlocks:
    if isinstance(images, str) or not isinstance(images, Iterable):
        raise wrong_type_error("images", "an array, a data set or blocks of images", images)
    return ImageBlocks(map(_to_tensor, images), None, None)


@dataclass(frozen=True)
class _ArrayBlocks:
    """An array, perhaps mapped from a file, that is copied to memory block by block."""

    array: ImageArray

    def __iter__(self) -> Iterator[Tensor]:
        size = _block_size(tuple(self.array.shape[1:]))
        for start in range(0, len(self.array), size):
            yield _to_tensor(self.array[start : start + size])

    def compute_sha256(self) -> str:
        hasher = hashlib.sha256(f"images {tuple(self.array.shape)}".encode())
        for block in self:
            hasher.update(block.contiguous().numpy().data)
        return hasher.hexdigest()


@dataclass(frozen=True)
class _DatasetBlocks:
    """The images of a data set, as stored or computed from what is stored."""

    dataset: Dataset

    def __iter__(self) -> Iterator[Tensor]:
        index = torch.arange(len(self.dataset), device=self.dataset.x.device)
        for block_index in index.split(_block_size(self.dataset.shape)):
            yield self.dataset.take_bytes(block_index).cpu()


def _split_dataset(dataset: Dataset) -> ImageBlocks:
    if not dataset.is_image:
        raise InputError(
            f"images: expected a data set of images, got points of shape {dataset.shape}"
        )
    return ImageBlocks(_DatasetBlocks(dataset), len(dataset), dataset.compute_sha256)


def _block_size(shape: tuple[int, ...]) -> int:
    return max(1, MAX_BLOCK_BYTES // max(1, int(np.prod(shape))))


def _to_tensor(block: Any) -> Tensor:  # noqa: ANN401 - what a user's generator yields
    """Copy arrays, which may be mapped or read-only, to tensors on the CPU."""
    if isinstance(block, np.ndarray):
        return torch.from_numpy(np.array(block)) if block.dtype == np.uint8 else _refuse(block)
    return block.cpu() if isinstance(block, Tensor) else _refuse(block)


def _refuse(block: Any) -> Tensor:  # noqa: ANN401 - what a user's generator yields
    if isinstance(block, np.ndarray):
        check_images(block)
    raise wrong_type_error("images", "arrays of images", block)


def check_images(images: ImageArray) -> None:
    """Check that an array consists of images.

    Arguments:
        images: An array, which must be uint8 with shape (N, 1 or 3, H, W).

    Raises:
        InputError: It does not.
    """
    shape = tuple(images.shape)
    is_valid = len(shape) == 4 and shape[1] in (1, 3) and min(shape) > 0
    if is_valid and images.dtype in (np.uint8, torch.uint8):
        return
    hint = ""
    if images.dtype not in (np.uint8, torch.uint8):
        hint = "; of x in [-1, 1], ((x + 1) * 127.5).round() are the bytes"
    elif len(shape) == 4 and shape[3] in (1, 3):
        hint = "; move the channels from the last axis to the second"
    raise InputError(
        "images: expected uint8 of shape (N, 1 or 3, H, W), got "
        f"{str(images.dtype).removeprefix('torch.')} of shape {shape}{hint}"
    )
