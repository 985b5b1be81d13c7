"""Preparing a data set: what is written, when, and what is left after a failure."""

import json
import os
import shutil
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest

from iidgan.data import Prepared
from iidgan.data.prepare import conversion, prepare
from iidgan.utils.locks import exclusive_lock
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files

GOOD = encode_image(random_images(1, 64)[0])


@pytest.fixture
def faces(tmp_path):
    """A folder of two labels, six images of 8 pixels."""
    files = {
        f"{'ab'[i % 2]}/{i}.png": encode_image(image) for i, image in enumerate(random_images(6))
    }
    return write_files(tmp_path / "faces", files)


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_prepare_refuses_bad_files_only(tmp_path):
    folder = write_files(tmp_path / "x", {"1.png": b"no", "2.png": b""})
    with raises_input_error("from", "no image of", "1.png: no image of a known format"):
        prepare("x", origin=str(folder))
    assert list((tmp_path / "home").iterdir()) == []


def test_prepare_records_undecodable_names(tmp_path):
    folder = write_files(tmp_path / "x", {"good.png": GOOD})
    with open(os.fsencode(folder) + b'/\xff\n,".png', "wb") as file:
        file.write(b"bad")
    result = prepare("x", origin=str(folder))
    assert result.manifest.count == 1
    assert "no image" in (result.folder / "skipped.csv").read_text()


def test_prepare_writes_arrays_and_manifest(faces, tmp_path):
    result = prepare("faces", origin=str(faces), size=8)
    images, labels = load_arrays(result)
    order = [0, 2, 4, 1, 3, 5]  # by name: folder a, then folder b
    assert np.array_equal(images, random_images(6)[order].transpose(0, 3, 1, 2))
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert labels.dtype == np.int64
    assert result.folder == tmp_path / "home" / "faces"
    assert list_names(result.folder) == ["images.npy", "labels.npy", "manifest.json"]
    manifest = json.loads((result.folder / "manifest.json").read_text())
    assert (manifest["count"], manifest["shape"], manifest["labels"]) == (6, [3, 8, 8], ["a", "b"])
    assert manifest["label_counts"] == [3, 3]
    assert "centre crop" in manifest["rule"]
    assert manifest["rule"].endswith(
        "transparent over white, the first frame, turned as EXIF says"
    )
    for name in ("images.npy", "labels.npy"):
        content = (result.folder / name).read_bytes()
        assert manifest["files"][name]["sha256"] == sha256(content).hexdigest()


def test_prepare_again_does_nothing(faces):
    first = prepare("faces", origin=str(faces), size=8)
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    for options in ({"origin": str(faces), "size": 8}, {}):
        second = prepare("faces", **options)
        assert (first.is_new, second.is_new) == (True, False)
        assert second.manifest == first.manifest
    assert before == {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}


@pytest.mark.parametrize("name", ["images.npy", None])
def test_prepare_checks_conflicts_first(faces, tmp_path, name, monkeypatch):
    monkeypatch.setattr(conversion, "choose_reader", lambda request: pytest.fail("began"))
    folder = tmp_path / "home" / "faces"
    write_files(tmp_path / "home", {f"faces/{name}" if name else "faces": b"mine"})
    message = "images.npy exists without a manifest" if name else "is a file"
    with raises_input_error(str(folder), message):
        prepare("faces", origin=str(faces))
    assert folder.exists()


def test_prepare_refuses_other_options(faces, tmp_path):
    prepare("faces", origin=str(faces))
    assert not prepare("faces", origin=str(faces), size=64).is_new  # the usual size
    with raises_input_error(str(tmp_path / "home" / "faces"), "(size was 64, is 32)"):
        prepare("faces", origin=str(faces), size=32)
    with raises_input_error(None, f"from was {faces}, is {tmp_path / 'other'}"):
        prepare("faces", origin=str(tmp_path / "other"))


def test_prepare_strict_leaves_nothing(faces, tmp_path):
    write_files(faces, {"a/bad.png": b"no image"})
    with raises_input_error("strict", "a/bad.png: no image of a known format"):
        prepare("faces", origin=str(faces), strict=True)
    assert list_names(tmp_path / "home") == []


def test_prepare_clears_staging_of_crash(faces, tmp_path):
    staging = write_files(
        tmp_path / "home" / ".partial-faces", {"images.npy": b"half", "junk": b"x"}
    )
    result = prepare("faces", origin=str(faces), size=8)
    assert list_names(staging.parent) == ["faces"]
    assert load_arrays(result)[0].shape == (6, 3, 8, 8)


def test_prepare_refuses_second_process(faces, tmp_path):
    root = tmp_path / "home"
    lock = exclusive_lock(root / ".partial-faces.lock", refusal="")
    with lock, raises_input_error("name", root / "faces"):
        prepare("faces", origin=str(faces))
    assert list_names(root) == []


def test_prepare_keeps_other_files(faces, tmp_path):
    """IDX files of MNIST may be in the folder of the prepared data set."""
    folder = write_files(tmp_path / "home" / "faces", {"train-images-idx3-ubyte": b"raw"})
    prepare("faces", origin=str(faces))
    assert (folder / "train-images-idx3-ubyte").read_bytes() == b"raw"
    assert Prepared(name="faces").load().shape == (3, 64, 64)


def test_prepare_keeps_unknown_array(faces, tmp_path):
    folder = write_files(tmp_path / "home" / "faces", {"images.npy": b"mine"})
    with raises_input_error(str(folder), "images.npy exists without a manifest"):
        prepare("faces", origin=str(faces))
    assert (folder / "images.npy").read_bytes() == b"mine"


def test_prepare_quarantines_damaged_arrays(faces, tmp_path):
    folder = prepare("faces", origin=str(faces), size=8).folder
    content = bytearray((folder / "images.npy").read_bytes())
    content[-1] ^= 1
    (folder / "images.npy").write_bytes(content)
    with raises_input_error(str(folder), "images.npy has changed"):
        Prepared(name="faces").load()
    messages = []
    assert prepare("faces", origin=str(faces), size=8, on_message=messages.append).is_new
    assert "its files are renamed to damaged-" in messages[0]
    assert (folder / "damaged-images.npy").read_bytes() == content
    Prepared(name="faces").load()


def test_prepared_names_repair_command(faces, tmp_path):
    root = str(tmp_path / "other place")
    folder = prepare("faces", origin=str(faces), size=8, labels="none", root=root).folder
    (folder / "images.npy").unlink()
    command = f"`iidgan prepare faces --from {faces} --size 8 --labels none --root '{root}'`"
    with raises_input_error(str(folder), command):
        Prepared(name="faces", root=root).load()


def test_prepare_quarantines_damaged_manifest(faces):
    folder = prepare("faces", origin=str(faces)).folder
    (folder / "manifest.json").write_text("{")
    assert prepare("faces", origin=str(faces)).is_new


def test_prepare_refuses_full_disk(faces, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    with raises_input_error("root", "GiB are needed", "0.0 GiB are free"):
        prepare("faces", origin=str(faces))
