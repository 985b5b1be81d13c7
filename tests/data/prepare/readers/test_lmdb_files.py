"""LSUN in LMDB folders."""

import os
import struct

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from iidgan.data.prepare.readers.lmdb_files import size_error
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
    with raises_input_error(str(tmp_path / "bad" / "data.mdb"), "not a complete LMDB file"):
        prepare("lsun-church", origin=str(folder), root=str(tmp_path / "b"))
    packed = write_zip(tmp_path / "x.zip", {"church/data.mdb": b"", "church/lock.mdb": b""})
    with raises_input_error(str(packed), "2 files", "extract it first"):
        prepare("lsun-church", origin=str(packed), root=str(tmp_path / "b"))


def describe_lmdb(page_size, last_pages, page_header=16):
    """The numbers at the start of an LMDB file, in its two first pages."""
    header = b""
    for last_page in last_pages:
        page = bytes(page_header) + struct.pack("=IIQQI", 0xBEEFC0DE, 1, 0, 0, page_size)
        header += (page + bytes(92) + struct.pack("=Q", last_page)).ljust(page_size, b"\0")
    return header


@pytest.mark.parametrize("page_header", [16, 24])
@pytest.mark.parametrize(
    ("page_size", "last_pages", "num_bytes", "reason"),
    [
        (4096, (1, 1), 8192, ""),
        (4096, (1, 7), 32768, ""),
        (4096, (7, 1), 50000, ""),
        (4096, (1, 7), 32767, "expected at least 32768 bytes, got 32767"),
        (4096, (7, 1), 32767, "expected at least 32768 bytes, got 32767"),
        (4096, (1, 2**64 - 1), 32768, "expected at least"),
        (4096, (1,), 4096, "4096 bytes, less than two pages"),
        (65536, (1, 1), 131072, ""),
        (65536, (1, 2), 131072, "expected at least 196608"),
        (1000, (1, 1), 8192, "pages have 1000 bytes"),
    ],
)
def test_size_error(page_header, page_size, last_pages, num_bytes, reason):
    message = size_error(describe_lmdb(page_size, last_pages, page_header), num_bytes)
    assert (reason in message) if reason else not message


def write_lmdb(folder):
    lmdb = pytest.importorskip("lmdb")
    folder.mkdir()
    with lmdb.open(str(folder)) as environment, environment.begin(write=True) as transaction:
        for key in (b"1", b"2"):
            transaction.put(key, encode_image(random_images(1, 64)[0]))
    return folder / "data.mdb"


def test_size_error_of_written_file(tmp_path):
    path = write_lmdb(tmp_path / "x")
    content = path.read_bytes()
    assert size_error(content, len(content)) == ""
    assert "expected at least" in size_error(content, 8192)


def test_damaged_lmdb_is_not_opened(tmp_path, monkeypatch):
    """The library could end the process; so it receives checked files only."""
    path = write_lmdb(tmp_path / "x")
    monkeypatch.setattr("lmdb.open", lambda *arguments, **options: pytest.fail("opened"))
    content = path.read_bytes()
    for damaged in (
        b"",
        content[:100],
        content[:5000],
        content[: len(content) // 2],
        content[:8192] + bytes(len(content) - 8192),
    ):
        path.write_bytes(damaged)
        with raises_input_error(str(path), "not a complete LMDB file", "again"):
            prepare("lsun-church", origin=str(path.parent))


def test_lmdb_is_a_regular_file(tmp_path):
    path = write_lmdb(tmp_path / "x").rename(tmp_path / "x" / "other.mdb")
    os.mkfifo(path.with_name("data.mdb"))
    with raises_input_error(None, "data.mdb", "got a named pipe"):
        prepare("lsun-church", origin=str(path))
