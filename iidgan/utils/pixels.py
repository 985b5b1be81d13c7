"""Images of floats as images of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_bytes(images: NDArray[Any], *, black: float = -1.0) -> NDArray[np.uint8]:
    """Round images of floats to bytes; values below black or above white are clipped.

    Arguments:
        images: Floats of any shape, finite; 1 is white.
        black: Value that becomes 0.

    Examples:
        >>> to_bytes(np.array([-1.0, 0.0, 1.0]))
        array([  0, 128, 255], dtype=uint8)
        >>> to_bytes(np.array([-0.1, 0.5, 1.0]), black=0.0)
        array([  0, 128, 255], dtype=uint8)
    """
    clipped = np.clip(images.astype(np.float64), black, 1)
    return np.rint((clipped - black) * (255 / (1 - black))).astype(np.uint8)
