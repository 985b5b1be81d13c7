"""Files of reference features."""

import copy
import json
from dataclasses import replace
from types import MethodType

import numpy as np
import pytest
import torch

from iidgan.features import create_extractor
from iidgan.features.tensor_file import BlockedTensor, write_tensor_file
from iidgan.sample_sets import (
    extract_features,
    open_data,
    open_reference,
    read_reference,
    write_reference,
)
from iidgan.sample_sets.reference import MAX_PICTURE_SIDE
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_images

PIXELS = create_extractor("pixels", size=4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stats.safetensors"


@pytest.fixture
def images():
    """Labelled images; those of 8 pixels are kept as they are."""
    labels = torch.arange(30) % 3
    return replace(
        open_data(make_images(30, 1, 8, 8)),
        name="digits",
        labels=labels,
        label_names=("a", "b", "c"),
    )


def test_reference_is_read_as_extracted(path, images):
    written = write_reference(path, images, PIXELS)
    expected = extract_features(images, PIXELS)
    for reference in (written, read_reference(path)):
        assert reference.name == str(path)
        assert reference.features.values.equal(expected.features.values)
        assert reference.features.protocol == PIXELS.protocol
        assert reference.features.images_sha256 == expected.features.images_sha256
        assert reference.labels.equal(images.labels)
        assert reference.label_names == ("a", "b", "c")
        assert reference.take([5, 0]).equal(images.take([5, 0]))
        assert (len(reference), reference.num_available) == (30, 30)


def test_part_of_the_samples_is_written(path, images):
    write_reference(path, images, PIXELS, 10, seed=3)
    reference, expected = read_reference(path), extract_features(images, PIXELS, 10, seed=3)
    assert (len(reference), reference.num_available) == (10, 30)
    assert reference.features.values.equal(expected.features.values)
    assert reference.take(range(10)).equal(expected.take(range(10)))
    assert reference.labels.equal(expected.labels)


@pytest.mark.parametrize(
    ("shape", "picture"), [((3, 96, 72), (3, 48, 36)), ((1, 48, 10), (1, 48, 10))]
)
def test_pictures_are_small(path, shape, picture):
    images = np.full((3, *shape), 7, np.uint8)
    reference = write_reference(path, open_data(images), PIXELS)
    assert reference.take([0, 2]).shape == (2, *picture)
    assert reference.take([1]).unique().tolist() == [7]


def test_points_are_their_own_features(path):
    points = torch.randn(20, 2)
    reference = write_reference(path, open_data(points), None)
    assert reference.features.values.equal(points)
    assert reference.take([3]).equal(points[3:4])
    assert reference.labels is None
    assert open_reference(path, None, 5).features.values.shape == (5, 2)


def test_pictures_of_several_blocks(path, images):
    def iterate(self, indices):
        for start in range(0, len(indices), 4):
            yield images.take(indices[start : start + 4])

    in_blocks = copy.copy(images)
    object.__setattr__(in_blocks, "iterate", MethodType(iterate, in_blocks))
    reference = write_reference(path, in_blocks, PIXELS)
    assert reference.take(range(30)).equal(images.take(range(30)))


def test_interrupted_writing_leaves_nothing(path, images):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_reference(
            path, images, create_extractor("random", seed=9, size=8), on_progress=interrupt
        )
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["stats", "stats.npz", "stats.safetensor"])
def test_other_suffix_is_refused(tmp_path, images, name):
    with raises_input_error("out", ".safetensors", name):
        write_reference(tmp_path / name, images, PIXELS)


def test_open_reference_of_data_and_of_file(path, images):
    array = images.take(range(30)).numpy()
    write_reference(path, open_data(array), PIXELS)
    from_file, from_data = (open_reference(data, PIXELS, 12, seed=1) for data in (path, array))
    assert from_file.features.values.equal(from_data.features.values)
    assert from_file.take([0, 11]).equal(from_data.take([0, 11]))
    assert len(open_reference(str(path), PIXELS, 100)) == 30


def test_parts_of_a_file_have_digests_of_their_own(path, images):
    write_reference(path, images, PIXELS)
    digests = {open_reference(path, PIXELS, num).features.images_sha256 for num in (None, 10, 11)}
    assert len(digests) == 3
    assert len({open_reference(path, PIXELS, 10).features.images_sha256 for _ in range(2)}) == 1


@pytest.mark.parametrize(
    ("extractor", "words"),
    [
        (create_extractor("random", size=8), ["extractor", "random", "pixels"]),
        (create_extractor("pixels", size=5), ["num_features", "75", "48"]),
        (None, ["pixels", "points"]),
    ],
)
def test_reference_of_other_features_is_refused(path, images, extractor, words):
    write_reference(path, images, PIXELS)
    with raises_input_error(str(path), *words):
        open_reference(path, extractor)


def test_reference_of_other_weights_is_refused(path, images):
    write_reference(path, images, create_extractor("random", size=8))
    with raises_input_error(str(path), "weights"):
        open_reference(path, create_extractor("random", size=8, seed=1))


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_truncated_file_is_refused(path, images, length):
    write_reference(path, images, PIXELS)
    path.write_bytes(path.read_bytes()[:length])
    with raises_input_error(str(path), "iidgan reference"):
        read_reference(path)


def write_file(path, **changes):
    """Write a file of two pictures with other tensors or metadata than `write_reference`."""
    tensors = {
        "features": torch.zeros(2, 48),
        "images": torch.zeros(2, 1, 8, 8, dtype=torch.uint8),
        "labels": torch.tensor([0, 1]),
    }
    metadata = {
        "protocol": json.dumps(PIXELS.protocol.to_dict()),
        "images_sha256": "",
        "num_available": "2",
        "shape": "[1, 8, 8]",
        "label_names": '["a", "b"]',
    }
    for name, value in changes.items():
        group = tensors if isinstance(value, torch.Tensor) or name in tensors else metadata
        group[name] = value
    blocked = {
        name: BlockedTensor(tensor.dtype, tuple(tensor.shape[1:]), [tensor])
        for name, tensor in tensors.items()
        if tensor is not None
    }
    present = {name: text for name, text in metadata.items() if text is not None}
    write_tensor_file(path, blocked, present)


def test_reference_of_images_of_another_size_is_refused(path):
    write_file(path)
    with raises_input_error("size", "8 x 8", "--size 16"):
        open_reference(path, PIXELS, size=16)
    assert len(open_reference(path, PIXELS, size=8)) == 2


def test_fields_that_fit_are_read(path):
    write_file(path)
    assert len(read_reference(path)) == 2
    write_file(path, images=None, labels=None, shape="[48]")
    assert read_reference(path).take([1]).shape == (1, 48)


@pytest.mark.parametrize(
    "changes",
    [
        {"features": None},
        {"features": torch.zeros(2, 47)},
        {"features": torch.zeros(2, 48, dtype=torch.int64)},
        {"features": torch.full((2, 48), torch.nan)},
        {"features": torch.full((2, 48), torch.inf)},
        {"features": torch.zeros(3, 48)},
        {"features": torch.zeros(0, 48), "images": None, "labels": None},
        {"images": torch.zeros(2, 2, 8, 8, dtype=torch.uint8)},
        {"images": torch.zeros(3, 1, 8, 8, dtype=torch.uint8)},
        {"images": torch.zeros(2, 1, MAX_PICTURE_SIDE + 1, 8, dtype=torch.uint8)},
        {"images": torch.zeros(2, 1, 0, 8, dtype=torch.uint8)},
        {"images": torch.zeros(2, 1, 8, 8)},
        {"images": torch.zeros(2, 64, dtype=torch.uint8)},
        {"shape": None},
        {"shape": "[1, 8]"},
        {"shape": "[3, 8, 8]"},
        {"shape": "[1, 8, -8]"},
        {"shape": "8"},
        {"labels": torch.tensor([0, 2])},
        {"labels": torch.tensor([-2, 0])},
        {"labels": torch.tensor([0])},
        {"labels": torch.zeros(2)},
        {"labels": torch.zeros(2, 1, dtype=torch.int64)},
        {"protocol": "{}"},
        {"protocol": "[1, 2]"},
        {"protocol": "{"},
        {"protocol": "[" * 100_000},
        {"protocol": None},
        {"images_sha256": None},
        {"num_available": "1"},
        {"num_available": "many"},
        {"num_available": None},
        {"label_names": '["a", 1]'},
        {"label_names": '["a", "b\\u001b"]'},
        {"label_names": '{"a": "b"}'},
        {"label_names": None},
    ],
    ids=repr,
)
def test_fields_that_do_not_fit_are_refused(path, changes):
    write_file(path, **changes)
    with raises_input_error(str(path), "iidgan reference"):
        read_reference(path)
