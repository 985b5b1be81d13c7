"""Files of features: written in blocks, and checked before they are used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from iidgan.features.protocol import FeatureProtocol
from iidgan.utils.files import damage_as_input_error, require_regular_file, write_file

_NAME = "features"
_MAX_NUM_IMAGES = 10**15  # for the width of a header whose number of images is not known yet
_SHA256_LENGTH = 64


@dataclass(frozen=True)
class Features:
    """Features of a set of images.

    Arguments:
        values: Features, float32 with shape (N, D); they may be mapped from a file.
        protocol: How they were computed.
        images_sha256: Digest of the images; empty if it is unknown.
    """

    values: Tensor
    protocol: FeatureProtocol
    images_sha256: str = ""

    def __len__(self) -> int:
        return len(self.values)


def write_features(
    path: Path, blocks: Iterable[Tensor], protocol: FeatureProtocol, images_sha256: str
) -> None:
    """Write features to a safetensors file, atomically, holding one block in memory at a time.

    Arguments:
        path: The file; an existing one is replaced.
        blocks: Blocks of features, float32 with shape (n, D).
        protocol: How they are computed.
        images_sha256: Digest of the images.

    Raises:
        InputError: The operating system refuses to write.
    """

    def write_blocks(temporary_path: Path) -> None:
        draft = _encode_header(_MAX_NUM_IMAGES, "0" * _SHA256_LENGTH, protocol, images_sha256)
        hasher, num_images = hashlib.sha256(), 0
        with temporary_path.open("wb") as file:
            file.write(bytes(len(draft)))
            for block in blocks:
                content = block.contiguous().numpy().data
                hasher.update(content)
                file.write(content)
                num_images += len(block)
            header = _encode_header(num_images, hasher.hexdigest(), protocol, images_sha256)
            file.seek(0)
            file.write(_pad_header(header, len(draft)))

    write_file(path, write_blocks)


def _encode_header(
    num_images: int, sha256: str, protocol: FeatureProtocol, images_sha256: str
) -> bytes:
    """Return the start of a safetensors file: the length of a JSON object, and this object."""
    num_bytes = 4 * num_images * protocol.num_features
    content = {
        "__metadata__": {
            "protocol": json.dumps(protocol.to_dict()),
            "images_sha256": images_sha256,
            "sha256": sha256,
        },
        _NAME: {
            "dtype": "F32",
            "shape": [num_images, protocol.num_features],
            "data_offsets": [0, num_bytes],
        },
    }
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _pad_header(header: bytes, length: int) -> bytes:
    """Add the spaces that the format allows at the end of the JSON object."""
    text = header[8:].ljust(length - 8)
    return len(text).to_bytes(8, "little") + text


def read_features(path: Path) -> Features:
    """Read a file of features; its values are mapped rather than copied.

    Arguments:
        path: The file.

    Raises:
        InputError: The file cannot be read, or is damaged.
    """
    with damage_as_input_error(path):
        require_regular_file(path)
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            values: Tensor = file.get_tensor(_NAME)
        protocol = FeatureProtocol.from_dict(json.loads(metadata["protocol"]))
        if values.shape[1:] != (protocol.num_features,):
            raise ValueError(f"expected {protocol.num_features} features, got {values.shape}")
        if hashlib.sha256(values.numpy().data).hexdigest() != metadata["sha256"]:
            raise ValueError("the values do not match their digest")
        return Features(values, protocol, metadata["images_sha256"])
