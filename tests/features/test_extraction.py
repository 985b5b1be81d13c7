"""Features are computed once, in constant memory, and cached by content."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from iidgan.core import Dataset
from iidgan.features import (
    ImageBlocks,
    create_extractor,
    extract,
    extraction,
    features_cache_dir,
    wrap_net,
)
from iidgan.features.extractor import FrozenExtractor
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import (
    ChannelMeans,
    NaNForBlack,
    make_extractor_of_means,
    make_images,
)

IMAGES = make_images(10, 3, 12, 9)


class CountingExtractor(FrozenExtractor):
    """Counts the images that it reads."""

    def __init__(self):
        means = make_extractor_of_means()
        super().__init__("means", means.net, means.preprocessing)
        self.num_read = 0

    def forward(self, images):
        self.num_read += len(images)
        return super().forward(images)


@pytest.fixture
def extractor():
    return CountingExtractor()


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(extraction, "BATCH_PIXELS", 4 * 12 * 9)


def cached_files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_features_are_computed_once(extractor, tmp_path):
    first = extract(IMAGES, extractor, cache_dir=tmp_path)
    second = extract(IMAGES, extractor, cache_dir=tmp_path)
    assert extractor.num_read == 10
    assert first.values.equal(second.values)
    assert first.values.equal(extractor(torch.from_numpy(IMAGES)))
    assert (second.protocol, second.images_sha256) == (first.protocol, first.images_sha256)


def test_features_do_not_depend_on_batches(small_batches, extractor, tmp_path):
    features = extract(IMAGES, extractor, cache_dir=tmp_path)
    torch.testing.assert_close(features.values, extractor(torch.from_numpy(IMAGES)))


def change_images(extractor):
    return IMAGES ^ 1, extractor


def change_protocol(extractor):
    extractor.protocol = replace(extractor.protocol, extractor="others")
    return IMAGES, extractor


def change_code(extractor):
    extractor.net = nn.Sequential(extractor.net)
    return IMAGES, extractor


@pytest.mark.parametrize("change", [change_images, change_protocol, change_code])
def test_what_differs_is_computed(change, extractor, tmp_path):
    extract(IMAGES, extractor, cache_dir=tmp_path)
    images, other_extractor = change(extractor)
    extract(images, other_extractor, cache_dir=tmp_path)
    assert extractor.num_read == 20
    assert len(cached_files(tmp_path)) == 2


def truncate(path, other):
    path.write_bytes(path.read_bytes()[:-3])


def replace_by_other(path, other):
    path.write_bytes(other.read_bytes())


def empty(path, other):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, replace_by_other, empty])
def test_damaged_cache_is_computed_again(damage, extractor, tmp_path):
    expected = extract(IMAGES, extractor, cache_dir=tmp_path / "a").values.clone()
    extract(IMAGES[::-1].copy(), extractor, cache_dir=tmp_path / "b")
    (path,), (other,) = (tmp_path / "a").iterdir(), (tmp_path / "b").iterdir()
    damage(path, other)
    num_read = extractor.num_read
    assert extract(IMAGES, extractor, cache_dir=tmp_path / "a").values.equal(expected)
    assert extractor.num_read == num_read + 10
    extract(IMAGES, extractor, cache_dir=tmp_path / "a")
    assert extractor.num_read == num_read + 10


def test_data_set_is_cached_by_its_digest(extractor, tmp_path):
    dataset = Dataset(torch.from_numpy(IMAGES))
    features = extract(dataset, extractor, cache_dir=tmp_path)
    assert features.images_sha256 == dataset.compute_sha256()
    assert features.values.equal(extract(IMAGES, extractor, cache_dir=None).values)


def test_generator_is_read_block_by_block(extractor, tmp_path):
    sides = (5, 20, 9)
    blocks = [make_images(4, 1, side, side) for side in sides]
    features = extract((block for block in blocks), extractor, cache_dir=tmp_path)
    expected = torch.cat([extractor(torch.from_numpy(block)) for block in blocks])
    assert features.values.equal(expected)
    assert cached_files(tmp_path) == []


def test_generator_with_a_digest_is_cached(extractor, tmp_path):
    def describe(digest):
        blocks = (torch.from_numpy(IMAGES[i : i + 3]) for i in range(0, 10, 3))
        return ImageBlocks(blocks, None, lambda: digest)

    first = extract(describe("a"), extractor, cache_dir=tmp_path)
    second = extract(describe("a"), extractor, cache_dir=tmp_path)
    assert extractor.num_read == 10
    assert len(first) == 10
    assert first.values.equal(second.values)


def test_progress_is_reported(small_batches, extractor):
    calls = []
    extract(IMAGES, extractor, cache_dir=None, on_progress=lambda *call: calls.append(call))
    assert calls == [(4, 10), (8, 10), (10, 10)]
    calls.clear()
    extract(iter([IMAGES]), extractor, on_progress=lambda *call: calls.append(call))
    assert calls == [(4, None), (8, None), (10, None)]


def test_features_that_are_not_finite_are_refused(small_batches, tmp_path):
    images = np.array(IMAGES)
    images[7] = 0
    with raises_input_error("images", 7, "black"):
        extract(images, wrap_net(NaNForBlack(), "black"), cache_dir=tmp_path)
    assert cached_files(tmp_path) == []


def test_no_images_are_refused(extractor, tmp_path):
    with raises_input_error("images", "none"):
        extract(iter([]), extractor)


def test_only_one_batch_is_in_memory(small_batches, extractor, tmp_path):
    """Images of a generator are asked for when those before are done."""
    yielded = []

    def yield_images():
        for i in range(10):
            assert extractor.num_read == i
            yielded.append(i)
            yield torch.from_numpy(IMAGES[i : i + 1])

    extract(ImageBlocks(yield_images(), 10, lambda: "digest"), extractor, cache_dir=tmp_path)
    assert len(yielded) == 10


def test_default_cache_is_in_the_users_folder(extractor, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    extract(IMAGES, extractor)
    assert len(cached_files(features_cache_dir())) == 1
    assert tmp_path in features_cache_dir().parents


@pytest.mark.parametrize("cause", ["file instead of folder", "read-only"])
def test_unusable_default_cache_is_done_without(cause, extractor, tmp_path, monkeypatch):
    if cause == "read-only":
        monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    else:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(extract(IMAGES, extractor)) == 10


def test_code_without_a_file_is_not_cached(extractor, tmp_path):
    namespace = {"ChannelMeans": ChannelMeans, "__name__": "notebook"}
    exec("class Edited(ChannelMeans):\n    pass", namespace)
    extract(IMAGES, wrap_net(namespace["Edited"](), "edited"), cache_dir=tmp_path)
    assert cached_files(tmp_path) == []


def test_full_disk_is_noticed_before_the_work(extractor, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with raises_input_error("cache_dir", tmp_path):
        extract(IMAGES, extractor, cache_dir=tmp_path)
    assert extractor.num_read == 0


def test_extractor_may_be_named(tmp_path):
    features = extract(IMAGES, "pixels", cache_dir=tmp_path)
    assert features.values.equal(create_extractor("pixels")(torch.from_numpy(IMAGES)))
