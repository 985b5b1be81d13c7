"""LSUN in LMDB folders."""

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files, write_zip


def test_lsun_in_order_of_keys(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    folder = tmp_path / "lsun" / "church_outdoor_train_lmdb"
    folder.mkdir(parents=True)
    images = {f"{key}".encode(): random_images(1, 64, seed=key)[0] for key in (7, 3, 5)}
    with (
        lmdb.open(str(folder), map_size=1 << 24) as environment,
        environment.begin(write=True) as transaction,
    ):
        for key, image in images.items():
            transaction.put(key, encode_image(image, "WEBP", lossless=True))
        transaction.put(b"9", b"damaged")
    for origin in (folder, folder.parent, folder / "data.mdb"):
        result = prepare("lsun-church", origin=str(origin), root=str(tmp_path / origin.name))
        expected = np.stack([images[key] for key in (b"3", b"5", b"7")])
        assert np.array_equal(load_arrays(result)[0], expected.transpose(0, 3, 1, 2))
        assert result.skipped[0].name == "key 9"


def test_lsun_from_image_files(tmp_path):
    files = {f"{i}.jpg": encode_image(random_images(1, 80)[0], "JPEG") for i in range(2)}
    result = prepare("lsun-church", origin=str(write_files(tmp_path / "lsun", files)))
    assert result.manifest.shape == (3, 64, 64)
    folder = write_files(tmp_path / "bad", {"data.mdb": b"no database" * 1000})
    with raises_input_error(str(tmp_path / "bad"), "not a complete LMDB folder"):
        prepare("lsun-church", origin=str(folder), root=str(tmp_path / "b"))
    packed = write_zip(tmp_path / "x.zip", {"church/data.mdb": b"", "church/lock.mdb": b""})
    with raises_input_error(str(packed), "2 files", "extract it first"):
        prepare("lsun-church", origin=str(packed), root=str(tmp_path / "b"))
