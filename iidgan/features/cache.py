"""Files of features: written in blocks, and checked before they are used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from iidgan.features.protocol import FeatureProtocol
from iidgan.features.tensor_file import BlockedTensor, read_tensor_file, write_tensor_file
from iidgan.utils.files import damage_as_input_error

_NAME = "features"


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
    tensor = BlockedTensor(torch.float32, (protocol.num_features,), blocks)
    metadata = {"protocol": json.dumps(protocol.to_dict()), "images_sha256": images_sha256}
    write_tensor_file(path, {_NAME: tensor}, metadata)


def read_features(path: Path) -> Features:
    """Read a file of features; its values are mapped rather than copied.

    Arguments:
        path: The file.

    Raises:
        InputError: The file cannot be read, or is damaged.
    """
    with damage_as_input_error(path):
        tensors, metadata = read_tensor_file(path)
        return decode_features(tensors[_NAME], metadata)


def decode_features(values: Tensor, metadata: Mapping[str, str]) -> Features:
    """Check that values and the metadata of a file are those of features.

    Arguments:
        values: Values, which should be float32 with shape (N, D).
        metadata: Texts by name: `protocol`, as JSON, and `images_sha256`.

    Raises:
        ValueError: They are not.
        KeyError: A text is missing.
        InputError: The protocol is not one.
    """
    protocol = FeatureProtocol.from_dict(json.loads(metadata["protocol"]))
    if values.dtype != torch.float32 or values.shape[1:] != (protocol.num_features,):
        raise ValueError(
            f"expected {protocol.num_features} features, float32, got {values.dtype} of shape "
            f"{tuple(values.shape)}"
        )
    return Features(values, protocol, metadata["images_sha256"])
