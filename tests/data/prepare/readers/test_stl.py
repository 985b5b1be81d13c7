"""STL-10 in small files of the same layout."""

import hashlib
import tarfile

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from iidgan.data.prepare.readers.published_files import STL10_FILES
from tests.helpers.errors import raises_input_error
from tests.helpers.images import load_arrays, random_images, write_files, write_zip


def encode_stl(images):
    return images.transpose(0, 3, 2, 1).tobytes()  # channel, x, y


def stl_files(images):
    return {
        "stl10_binary/unlabeled_X.bin": encode_stl(images),
        "stl10_binary/train_X.bin": encode_stl(images[:2]),
        "stl10_binary/train_y.bin": bytes([1, 10]),
        "stl10_binary/class_names.txt": "\n".join(f"c{i}" for i in range(10)),
    }


@pytest.mark.parametrize("pack", [write_files, write_zip])
def test_stl10_transposes_columns(tmp_path, pack):
    images = random_images(3, 96)
    folder = str(pack(tmp_path / "stl", stl_files(images)))
    result = prepare("stl10", origin=folder, size=96)
    assert np.array_equal(load_arrays(result)[0], images.transpose(0, 3, 1, 2))
    assert load_arrays(result)[1] is None
    train = prepare("stl10", origin=folder, size=96, split="train")
    assert load_arrays(train)[1].tolist() == [0, 9]
    assert train.manifest.labels[9] == "c9"


@pytest.mark.parametrize(("size", "side"), [(None, 48), (64, 64)])
def test_stl10_default_size_is_48(tmp_path, size, side):
    folder = str(write_files(tmp_path / "stl", stl_files(random_images(3, 96))))
    assert prepare("stl10", origin=folder, size=size).manifest.shape == (3, side, side)


@pytest.mark.parametrize(
    ("files", "values"),
    [
        (
            {"unlabeled_X.bin": bytes(27648 + 5)},
            ["unlabeled_X.bin", "multiple of 27648", "got 27653"],
        ),
        ({"unlabeled_X.bin": b""}, ["unlabeled_X.bin", "got 0"]),
        ({"x": b""}, ["no unlabeled_X.bin"]),
    ],
)
def test_stl10_refuses_incomplete_files(tmp_path, files, values):
    with raises_input_error(str(tmp_path / "stl"), *values):
        prepare("stl10", origin=str(write_files(tmp_path / "stl", files)))


def test_stl10_refuses_wrong_labels(tmp_path):
    files = stl_files(random_images(3, 96)) | {"stl10_binary/train_y.bin": bytes([1, 2, 3])}
    with raises_input_error(
        str(tmp_path / "stl"), "train_X.bin", "3 images of 27648", "got 55296"
    ):
        prepare("stl10", origin=str(write_files(tmp_path / "stl", files)), split="train")
    files["stl10_binary/train_y.bin"] = bytes([0, 11])
    with raises_input_error("labels", "between 0 and 9", "got -1"):
        prepare("stl10", origin=str(write_files(tmp_path / "b", files)), split="train")


def test_stl10_refuses_cut_archive(tmp_path):
    folder = write_files(tmp_path / "x", stl_files(random_images(3, 96)))
    path = tmp_path / "stl10_binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "x")
    assert prepare("stl10", origin=str(path)).manifest.count == 3
    path.write_bytes(path.read_bytes()[:-1])
    with raises_input_error(str(path), "truncated or damaged"):
        prepare("stl10", origin=str(path), split="train")


def test_stl10_reports_other_files(tmp_path, monkeypatch):
    files = stl_files(random_images(3, 96))
    folder, messages = write_files(tmp_path / "stl", files), []
    image_md5, label_md5 = (
        hashlib.md5(files[f"stl10_binary/train_{kind}.bin"]).hexdigest() for kind in "Xy"
    )
    monkeypatch.setitem(STL10_FILES.members, "train_X.bin", image_md5)
    options = {"origin": str(folder), "split": "train", "on_message": messages.append}
    prepare("stl10", **options)
    assert messages == [
        "stl: train_y.bin: loaded, but not the published file "
        f"(md5 {label_md5}, expected 5a34089d4802c674881badbb80307741)"
    ]
    monkeypatch.setitem(STL10_FILES.members, "train_y.bin", label_md5)
    prepare("stl10", **options, root=str(tmp_path / "other"))
    assert len(messages) == 1
