"""Blocks of samples that fit in memory, and the digest of their numbers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

MAX_BLOCK_VALUES = 1 << 22
"""Largest number of values in a block of several samples."""


def split_indices(indices: Sequence[int], shape: tuple[int, ...]) -> Iterator[Sequence[int]]:
    """Split the positions of samples into those of blocks.

    Arguments:
        indices: The positions.
        shape: Shape of a sample.

    Examples:
        >>> [len(block) for block in split_indices(range(100), (3, 256, 256))]
        [21, 21, 21, 21, 16]
    """
    size = _block_size(shape)
    for start in range(0, len(indices), size):
        yield indices[start : start + size]


def stack_blocks(
    samples: Iterable[NDArray[Any]], shape: tuple[int, ...]
) -> Iterator[NDArray[Any]]:
    """Stack samples that come one after the other into blocks.

    Arguments:
        samples: Arrays of one shape.
        shape: That shape.
    """
    iterator, size = iter(samples), _block_size(shape)
    while block := list(islice(iterator, size)):
        yield np.stack(block)


def _block_size(shape: tuple[int, ...]) -> int:
    return max(1, MAX_BLOCK_VALUES // max(1, math.prod(shape)))


def hash_blocks(blocks: Iterable[Tensor], shape: tuple[int, ...]) -> str:
    """Compute a digest of samples that does not depend on how they are split.

    Arguments:
        blocks: Blocks of the samples, all of one type.
        shape: Shape of a sample.

    Returns:
        The digest, in hexadecimal.
    """
    hasher, num_samples, dtype = hashlib.sha256(), 0, None
    for block in blocks:
        hasher.update(block.contiguous().numpy().data)
        num_samples, dtype = num_samples + len(block), block.dtype
    hasher.update(f"{num_samples} samples, {dtype} {shape}".encode())
    return hasher.hexdigest()
