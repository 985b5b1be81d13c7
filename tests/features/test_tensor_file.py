"""Safetensors files that are written in blocks."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from iidgan.features.tensor_file import BlockedTensor, read_tensor_file, write_tensor_file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tensors.safetensors"


def write_tensors(path):
    """Write three tensors in blocks of any size, and return them."""
    tensors = {
        "values": torch.randn(7, 3),
        "pictures": torch.arange(7 * 5, dtype=torch.uint8).reshape(7, 1, 5, 1),
        "labels": torch.arange(7),
    }
    blocked = {
        name: BlockedTensor(tensor.dtype, tuple(tensor.shape[1:]), iter(tensor.split(size)))
        for (name, tensor), size in zip(tensors.items(), (3, 2, 7))
    }
    write_tensor_file(path, blocked, {"text": "ä"})
    return tensors


def test_tensors_are_read_as_written(path):
    expected = write_tensors(path)
    tensors, metadata = read_tensor_file(path)
    assert metadata["text"] == "ä"
    for by_name in (tensors, load_file(path)):
        assert by_name.keys() == expected.keys()
        assert all(tensor.equal(expected[name]) for name, tensor in by_name.items())


@pytest.mark.parametrize("position", [-1, -60, -100])
def test_changed_byte_of_any_tensor_is_noticed(path, position):
    write_tensors(path)
    content = bytearray(path.read_bytes())
    content[position] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(ValueError, match="digest"):
        read_tensor_file(path)


def test_tensor_without_digest_is_refused(path):
    save_file({"values": torch.zeros(2)}, path)
    with pytest.raises(KeyError):
        read_tensor_file(path)
