"""Floats and bytes."""

import numpy as np
import pytest

from iidgan.utils.pixels import to_bytes

BYTES = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4"])
def test_to_bytes_inverts_scaling(dtype):
    assert np.array_equal(to_bytes((BYTES / 127.5 - 1).astype(dtype)), BYTES)
    assert np.array_equal(to_bytes((BYTES / 255).astype(dtype), black=0.0), BYTES)


def test_to_bytes_clips():
    assert to_bytes(np.array([-9.0, 9.0])).tolist() == [0, 255]
    assert to_bytes(np.array([-9.0, 9.0]), black=0.0).tolist() == [0, 255]
