"""Safetensors files that are written in blocks, with digests that are checked on reading."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from iidgan.utils.files import require_regular_file, write_file

_DTYPES = {torch.float32: "F32", torch.uint8: "U8", torch.int64: "I64"}
_MAX_ROWS = 10**15  # for the width of a header whose numbers of rows are not known yet
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class BlockedTensor:
    """A tensor that comes in blocks of rows.

    Arguments:
        dtype: Type of its numbers: float32, uint8 or int64.
        row_shape: Shape of a row, without the first axis.
        blocks: The blocks, each with shape (n, *row_shape).
    """

    dtype: torch.dtype
    row_shape: tuple[int, ...]
    blocks: Iterable[Tensor]

    @property
    def row_bytes(self) -> int:
        """Number of bytes of a row."""
        return torch.Size(self.row_shape).numel() * self.dtype.itemsize


def write_tensor_file(
    path: Path, tensors: Mapping[str, BlockedTensor], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file, atomically, holding one block in memory at a time.

    Arguments:
        path: The file; an existing one is replaced.
        tensors: Tensors by name, which are written in this order.
        metadata: Texts by name. The digest of each tensor is added.

    Raises:
        InputError: The operating system refuses to write.
    """

    def write_blocks(temporary_path: Path) -> None:
        draft = _encode_header(tensors, dict.fromkeys(tensors, (_MAX_ROWS, _NO_DIGEST)), metadata)
        written: dict[str, tuple[int, str]] = {}
        with temporary_path.open("wb") as file:
            file.write(bytes(len(draft)))
            for name, tensor in tensors.items():
                written[name] = _write_rows(file, tensor)
            header = _encode_header(tensors, written, metadata)
            file.seek(0)
            file.write(_pad_header(header, len(draft)))

    write_file(path, write_blocks)


def _write_rows(file: BufferedWriter, tensor: BlockedTensor) -> tuple[int, str]:
    """Write a tensor, and return its number of rows and the digest of its bytes."""
    hasher, num_rows = hashlib.sha256(), 0
    for block in tensor.blocks:
        content = block.contiguous().numpy().data
        hasher.update(content)
        file.write(content)
        num_rows += len(block)
    return num_rows, hasher.hexdigest()


def _encode_header(
    tensors: Mapping[str, BlockedTensor],
    written: Mapping[str, tuple[int, str]],
    metadata: Mapping[str, str],
) -> bytes:
    """Return the start of a safetensors file: the length of a JSON object, and this object."""
    digests = {_digest_key(name): digest for name, (_, digest) in written.items()}
    content: dict[str, Any] = {"__metadata__": {**metadata, **digests}}
    start = 0
    for name, tensor in tensors.items():
        num_rows, _ = written[name]
        end = start + num_rows * tensor.row_bytes
        content[name] = {
            "dtype": _DTYPES[tensor.dtype],
            "shape": [num_rows, *tensor.row_shape],
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _pad_header(header: bytes, length: int) -> bytes:
    """Add the spaces that the format allows at the end of the JSON object."""
    text = header[8:].ljust(length - 8)
    return len(text).to_bytes(8, "little") + text


def _digest_key(name: str) -> str:
    return f"sha256_{name}"


def read_tensor_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a file of `write_tensor_file`; its tensors are mapped rather than copied.

    Arguments:
        path: The file.

    Returns:
        The tensors and the metadata, both by name.

    Raises:
        Exception: The file cannot be read, or is damaged: call it in `damage_as_input_error`.
    """
    require_regular_file(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    for name, tensor in tensors.items():
        if hashlib.sha256(tensor.numpy().data).hexdigest() != metadata[_digest_key(name)]:
            raise ValueError(f"{name} does not match its digest")
    return tensors, metadata
