"""Walks through folders: links that lead back, and folders that are too deep."""

import io
import os
import subprocess
import tarfile
import time

import pytest

from iidgan.data.prepare import prepare
from iidgan.data.prepare.folder_walk import MAX_DEPTH, MAX_LINKS, walk_files
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, random_images, write_files, write_zip


def test_walk_files_before_subfolders(tmp_path):
    write_files(tmp_path, dict.fromkeys(("b/2", "b/1", "a/c/3", "a/z", "d", "B/0"), b""))
    assert list(walk_files(tmp_path)) == ["d", "B/0", "a/z", "a/c/3", "b/1", "b/2"]


def test_walk_files_follows_links_once(tmp_path):
    root = write_files(tmp_path / "root", {"a/1": b"", "b/2": b""})
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "above").symlink_to(tmp_path)
    (root / "a" / "self").symlink_to(".")
    (root / "a" / "aside").symlink_to("../b")
    (root / "b" / "back").symlink_to("../a")
    (root / "nowhere").symlink_to("nothing")
    (root / "itself").symlink_to("itself")
    assert list(walk_files(root)) == ["itself", "nowhere", "a/1", "a/aside/2", "b/2", "b/back/1"]


def test_walk_files_refuses_doubling_links(tmp_path):
    for level in range(30):
        folder = tmp_path / str(level)
        folder.mkdir()
        for name in "ab":
            (folder / name).symlink_to(f"../{level + 1}")
    (tmp_path / "30").mkdir()
    with raises_input_error(None, f"more than {MAX_LINKS} paths", tmp_path):
        list(walk_files(tmp_path / "0"))


def test_walk_files_refuses_deep_folders(tmp_path):
    deep = "/".join(["d"] * MAX_DEPTH)
    write_files(tmp_path, {f"{deep}/1": b""})
    assert list(walk_files(tmp_path)) == [f"{deep}/1"]
    (tmp_path / deep / "d").mkdir()
    with raises_input_error(str(tmp_path), MAX_DEPTH, f"got {MAX_DEPTH + 1}"):
        list(walk_files(tmp_path))


@pytest.fixture
def deep_folder(tmp_path):
    """A folder with many folders within each other, created one by one."""
    root, start = tmp_path / "deep", os.getcwd()
    root.mkdir()
    os.chdir(root)
    try:
        for _ in range(500):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(start)
    yield root
    subprocess.run(["rm", "-rf", root], check=True)


def test_prepare_refuses_deep_folder_at_once(deep_folder):
    begin = time.monotonic()
    with raises_input_error(str(deep_folder), MAX_DEPTH):
        prepare("x", origin=str(deep_folder))
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_prepare_refuses_deep_archive_at_once(tmp_path, kind):
    image, path = encode_image(random_images(1)[0]), tmp_path / f"x.{kind}"
    names = ["d/" * depth + "1.png" for depth in range(0, 5000, 10)]
    if kind == "zip":
        write_zip(path, dict.fromkeys(names, image))
    else:
        with tarfile.open(path, "w") as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(image)
                archive.addfile(info, io.BytesIO(image))
    begin = time.monotonic()
    with raises_input_error(str(path), MAX_DEPTH):
        prepare("x", origin=str(path))
    assert time.monotonic() - begin < 5


def test_tar_with_a_chain_of_links(tmp_path):
    """Links are followed as far as an operating system does."""
    image = encode_image(random_images(1)[0])
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo("0.png")
        info.size = len(image)
        archive.addfile(info, io.BytesIO(image))
        for i in range(1, 300):
            link = tarfile.TarInfo(f"{i}.png")
            link.type, link.linkname = tarfile.SYMTYPE, f"{i - 1}.png"
            archive.addfile(link)
    result = prepare("x", origin=str(tmp_path / "x.tar"), size=8)
    assert result.manifest.count == 1 + MAX_LINKS
    assert result.manifest.skipped == {"cannot be opened": 299 - MAX_LINKS}
