"""Files with training data, written for tests of sources."""

import struct

import numpy as np

from iidgan.data import ArrayFile
from iidgan.errors import InputError


def encode_idx(values):
    """Encode an array of bytes as an IDX file."""
    header = struct.pack(f">{values.ndim + 1}I", 0x800 + values.ndim, *values.shape)
    return header + values.tobytes()


def write_array(folder, name, content):
    """Write bytes, text, or an array as a .npy file; return the path."""
    path = folder / name
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=content.dtype.hasobject)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def load_samples(path):
    """Load the samples of an array file."""
    return ArrayFile(path=str(path)).load().x


def holds_or_refuses(condition, path):
    """Whether `condition()`, or it raises an `InputError` of one line about the file."""
    try:
        return bool(condition())
    except InputError as error:
        return str(error).startswith(f"{path}: ") and "\n" not in str(error)
