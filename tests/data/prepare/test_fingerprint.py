"""Changes of the files that a data set was prepared from."""

import shutil

import pytest

from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, random_images, write_files


@pytest.fixture
def faces(tmp_path):
    """A folder of two labels, six images of 8 pixels."""
    files = {
        f"{'ab'[i % 2]}/{i}.png": encode_image(image) for i, image in enumerate(random_images(6))
    }
    return write_files(tmp_path / "faces", files)


def test_prepare_reports_changed_files(faces):
    options = {"origin": str(faces), "size": 8}
    linked = write_files(faces.parent / "elsewhere", {"8.png": encode_image(random_images(1)[0])})
    (faces / "a" / "linked").symlink_to(linked)
    first = prepare("faces", **options)
    messages = []
    prepare("faces", **options, on_message=messages.append)
    assert messages == []
    write_files(linked, {"9.png": encode_image(random_images(1)[0])})
    second = prepare("faces", **options, on_message=messages.append)
    assert second.manifest == first.manifest
    assert messages == [
        f"{first.folder}: its original files have changed; "
        "remove manifest.json, images.npy, labels.npy, skipped.csv there to prepare it again"
    ]
    moved = faces.rename(faces.with_name("moved"))  # missing files have not changed
    prepare("faces", **options, on_message=messages.append)
    assert len(messages) == 1
    moved.rename(faces)
    shutil.rmtree(first.folder)
    assert prepare("faces", **options, on_message=messages.append).manifest.count == 8
    assert len(messages) == 1


def test_fingerprint_ignores_own_output(faces):
    """The advice names files that may be removed, never those of the user."""
    options = {"origin": str(faces), "root": str(faces.parent), "size": 8}
    messages = []
    first = prepare("faces", **options, on_message=messages.append)
    assert first.folder == faces
    assert not prepare("faces", **options, on_message=messages.append).is_new
    assert messages == []
    with raises_input_error(
        str(faces),
        "size was 8, is 16",
        "remove manifest.json, images.npy, labels.npy, skipped.csv",
    ):
        prepare("faces", **options | {"size": 16})


def test_prepare_reports_changed_labels(faces, tmp_path):
    table = write_files(tmp_path, {"l.csv": b"file,label\na/0.png,x\nb/1.png,y\n"}) / "l.csv"
    options = {"origin": str(faces), "labels": str(table)}
    prepare("faces", **options)
    messages = []
    table.write_bytes(b"file,label\na/0.png,x\nb/1.png,z\nb/3.png,x\n")
    prepare("faces", **options, on_message=messages.append)
    assert len(messages) == 1
