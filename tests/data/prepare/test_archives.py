"""Folders, ZIP and TAR archives: hostile and damaged members are skipped, the others stay."""

import io
import os
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from iidgan.data.prepare import archives, prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files, write_zip

GOOD = encode_image(random_images(1, 64)[0])


def test_folder_tree_links_and_pipes(tmp_path):
    folder = write_files(tmp_path / "x", {"1.png": GOOD})
    (folder / "2.png").symlink_to(folder / "nowhere.png")
    os.mkfifo(folder / "3.png")
    (folder / "loop").symlink_to(folder)
    (folder / "4.png").symlink_to(write_files(tmp_path, {"other.png": GOOD}) / "other.png")
    result = prepare("x", origin=str(folder))
    assert result.manifest.count == 2
    assert {image.name: image.reason for image in result.skipped} == {
        "2.png": "cannot be opened",
        "3.png": "not a file",
    }


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda path: os.mkfifo(path), ["expected a regular file, got a named pipe"]),
        (lambda path: path.write_bytes(b"junk"), ["folder", "ZIP", "TAR", "another file"]),
        (lambda path: path.write_bytes(GOOD), ["a single image; name its folder"]),
        (
            lambda path: path.write_bytes(b"PK\3\4" + bytes(100)),
            ["a truncated or damaged ZIP archive"],
        ),
        (lambda path: path.mkdir(), ["0 files", "image"]),
        (lambda path: write_zip(path, {"a.txt": "x"}), ["1 files", "image"]),
        (lambda path: path.symlink_to("nowhere"), ["does not exist"]),
    ],
)
def test_open_file_tree_refuses_other_files(tmp_path, make, values):
    make(tmp_path / "x")
    with raises_input_error(None, tmp_path / "x", *values):
        prepare("x", origin=str(tmp_path / "x"))
    assert not (tmp_path / "home" / "x").exists()


OUTSIDE_PATHS = [
    "../out.png",
    "/tmp/out.png",
    "a/../../out.png",
    "..\\out.png",
    "C:\\out.png",
    "C:/out.png",
]


@pytest.mark.parametrize("name", OUTSIDE_PATHS)
def test_zip_tree_skips_outside_paths(tmp_path, name):
    archive = write_zip(tmp_path / "x.zip", {"in.png": GOOD, name: GOOD})
    result = prepare("x", origin=str(archive), labels="none")
    assert result.manifest.count == 1
    assert result.skipped[0].reason == "its path leads out of the archive"
    all_files = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert all_files == {"x.zip", "images.npy", "manifest.json", "skipped.csv"}


def test_outside_paths_change_no_labels(tmp_path):
    flat = write_zip(tmp_path / "flat.zip", {"1.png": GOOD, "2.png": GOOD, "../evil.png": GOOD})
    assert load_arrays(prepare("flat", origin=str(flat)))[1] is None
    pets = write_zip(tmp_path / "pets.zip", {"a/1.png": GOOD, "b/1.png": GOOD, "/evil.png": GOOD})
    result = prepare("pets", origin=str(pets))
    assert (result.manifest.labels, len(result.skipped)) == (("a", "b"), 1)
    evil = write_zip(tmp_path / "evil.zip", {"../evil.png": GOOD})
    with raises_input_error("from", "../evil.png: its path leads out of the archive"):
        prepare("evil", origin=str(evil))


def test_tar_tree_skips_outside_paths(tmp_path):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        for name in ("in.png", "../out.png"):
            info = tarfile.TarInfo(name)
            info.size = len(GOOD)
            archive.addfile(info, io.BytesIO(GOOD))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    result = prepare("x", origin=str(tmp_path / "x.tar.gz"), labels="none")
    assert result.manifest.count == 1
    assert {image.name: image.reason for image in result.skipped} == {
        "../out.png": "its path leads out of the archive",
        "link.png": "cannot be opened",
    }


@pytest.mark.parametrize("symbolic", [False, True])
def test_tar_tree_resolves_links(tmp_path, symbolic):
    """GNU tar writes the second name of a file as a link."""
    folder = write_files(
        tmp_path / "x", {f"b/{i}.png": encode_image(random_images(2)[i]) for i in range(2)}
    )
    (folder / "a").mkdir()
    make = os.symlink if symbolic else os.link
    make("../b/1.png" if symbolic else folder / "b" / "1.png", folder / "a" / "0.png")
    (folder / "a" / "loop.png").symlink_to("loop.png")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(folder, ".")
    result = prepare("x", origin=str(tmp_path / "x.tar.gz"), size=8)
    images, labels = load_arrays(result)
    assert labels.tolist() in ([0, 1, 1], [1, 0, 1], [1, 1, 0])
    (of_a,) = images[labels == 0]
    assert (images[labels == 1] == of_a).all((1, 2, 3)).sum() == 1
    assert [str(image) for image in result.skipped] == [
        "a/loop.png: cannot be opened (a link to nothing)"
    ]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archive_tree_keeps_last_of_equal_names(tmp_path, kind):
    first, last = (encode_image(image) for image in random_images(2))
    path = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("./1.png", first)
            archive.writestr("1.png", last)
    else:
        with tarfile.open(path, "w") as archive:
            for content in (first, last):
                info = tarfile.TarInfo("1.png")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    result = prepare("x", origin=str(path), size=8)
    assert np.array_equal(load_arrays(result)[0][0], random_images(2)[1].transpose(2, 0, 1))
    (skipped_image,) = result.skipped
    assert str(skipped_image) == "1.png: has the name of a later one in the archive"
    with raises_input_error("strict", "1.png: has the name of a later one"):
        prepare("y", origin=str(path), strict=True)


@pytest.mark.parametrize("prefix", ["./", "./root/", "root\\", "2021-01-01 10:20/"])
def test_archive_tree_normalises_names(tmp_path, prefix):
    """Paths as `tar cf x.tar .` and some programs for ZIP files write them."""
    files = {f"{prefix}{label}/1.png": GOOD for label in "ab"}
    if "\\" in prefix:
        files = {name.replace("/", "\\"): content for name, content in files.items()}
        path = write_zip(tmp_path / "x.zip", files)
    else:
        path = tmp_path / "x.tar"
        with tarfile.open(path, "w") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    result = prepare("x", origin=str(path))
    assert (result.manifest.labels, result.manifest.count) == (("a", "b"), 2)


def test_read_file_limits_decompression(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_IMAGE_BYTES", 1 << 20)
    monkeypatch.setattr(archives.FileTree.read_file, "__defaults__", (1 << 20,))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(1 << 27))
        archive.writestr("good.png", GOOD)
    tracemalloc.start()
    try:
        result = prepare("x", origin=str(tmp_path / "x.zip"))
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert [str(image) for image in result.skipped] == ["bomb.png: larger than 1 MiB"]


@pytest.mark.parametrize("stated_size", [0, 10, 1 << 31])
def test_zip_tree_skips_false_size(tmp_path, stated_size):
    path = write_zip(tmp_path / "x.zip", {"lie.png": GOOD, "good.png": GOOD})
    content = bytearray(path.read_bytes())
    true_size = struct.pack("<I", len(GOOD))
    entry = content.index(b"PK\1\2")  # of the first file
    position = content.index(true_size, entry)
    content[position + 4 : position + 8] = struct.pack("<I", stated_size)
    path.write_bytes(content)
    result = prepare("x", origin=str(path))
    assert result.manifest.count == 1
    assert result.skipped[0].name == "lie.png"


def test_zip_tree_skips_damaged_member(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"1.png": GOOD, "2.png": GOOD})
    content = bytearray(path.read_bytes())
    content[content.index(GOOD) + 100] ^= 255
    path.write_bytes(content)
    result = prepare("x", origin=str(path))
    assert [image.name for image in result.skipped] == ["1.png"]
    assert result.skipped[0].reason == "truncated or damaged"


def test_zip_tree_skips_encrypted_member(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"1.png": GOOD, "2.png": GOOD})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag of encryption
    path.write_bytes(content)
    result = prepare("x", origin=str(path))
    assert result.skipped[0].reason == "encrypted or packed in an unknown way"
