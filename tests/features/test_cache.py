"""Files of features."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from iidgan.features.cache import read_features, write_features
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_extractor_of_means

PROTOCOL = make_extractor_of_means().protocol


@pytest.fixture
def path(tmp_path):
    return tmp_path / "features.safetensors"


def write_blocks(path, *lengths):
    blocks = [torch.randn(length, PROTOCOL.num_features) for length in lengths]
    write_features(path, iter(blocks), PROTOCOL, "digest")
    return torch.cat(blocks)


@pytest.mark.parametrize("lengths", [(1,), (5, 5, 3), (1,) * 11])
def test_features_are_read_as_written(path, lengths):
    values = write_blocks(path, *lengths)
    features = read_features(path)
    assert features.values.equal(values)
    assert (features.protocol, features.images_sha256) == (PROTOCOL, "digest")
    assert len(features) == sum(lengths)


def test_file_is_one_of_safetensors(path):
    values = write_blocks(path, 4, 2)
    assert load_file(path)["features"].equal(values)


def test_interrupted_writing_leaves_nothing(path):
    def interrupted_blocks():
        yield torch.zeros(1, PROTOCOL.num_features)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_features(path, interrupted_blocks(), PROTOCOL, "digest")
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("position", [0, 7, 40, -8, -1])
def test_changed_byte_is_noticed(path, position):
    write_blocks(path, 4)
    content = bytearray(path.read_bytes())
    content[position] ^= 0x55
    path.write_bytes(content)
    with raises_input_error(str(path)):
        read_features(path)


@pytest.mark.parametrize("length", [0, 7, 8, 100, -1])
def test_truncated_file_is_refused(path, length):
    write_blocks(path, 4)
    path.write_bytes(path.read_bytes()[:length])
    with raises_input_error(str(path)):
        read_features(path)


def test_file_of_another_protocol_is_refused(path):
    blocks = [torch.zeros(4, PROTOCOL.num_features)]
    write_features(path, blocks, replace(PROTOCOL, num_features=4), "digest")
    with raises_input_error(str(path)):
        read_features(path)


def test_special_files_are_refused(path):
    path.mkdir()
    with raises_input_error(str(path), "folder"):
        read_features(path)
