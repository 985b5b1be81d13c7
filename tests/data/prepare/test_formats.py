"""Choice of the reader."""

import sys

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, random_images, write_files


def test_choose_reader_prefers_image_files(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1.png").write_bytes(encode_image(random_images(1)[0]))
    (tmp_path / "x" / "metadata.parquet").write_bytes(b"junk")
    assert prepare("x", origin=str(tmp_path / "x")).manifest.count == 1


def test_choose_reader_names_missing_packages(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with raises_input_error("from", "pip install 'iidgan[hub]'"):
        prepare("me/pets", origin="hub")
    folder = write_files(tmp_path / "x", {"data.mdb": b""})
    with raises_input_error("from", "pip install 'iidgan[lmdb]'"):
        prepare("lsun-church", origin=str(folder))
