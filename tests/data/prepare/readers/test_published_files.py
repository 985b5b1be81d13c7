"""Digests of published files: others of the same layout are reported."""

import hashlib
import re

import pytest

from iidgan.data.prepare.readers import published_files
from iidgan.data.prepare.readers.published_files import PublishedFiles


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


PUBLISHED = PublishedFiles(
    archives={"x.tar.gz": md5(b"archive")}, members={"a": md5(b"1"), "b": md5(b"2")}
)


@pytest.mark.parametrize("name", ["x.tar.gz", "renamed.tgz"])
def test_published_archive(tmp_path, name):
    (tmp_path / name).write_bytes(b"archive")
    describe = PUBLISHED.describe_difference
    assert describe(tmp_path / name, ["a", "b", "c"], lambda name: pytest.fail("is read")) == ""


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_members_are_compared(tmp_path, make):
    """Those of a folder, or of an archive that has been packed again."""
    path, contents = tmp_path / "x.tar.gz", {"a": b"1", "b": b"2"}
    getattr(path, make)()

    def describe():
        return PUBLISHED.describe_difference(path, ["a", "b"], lambda name: md5(contents[name]))

    assert describe() == ""
    contents["b"] = b"3"
    assert describe() == (
        f"x.tar.gz: b: loaded, but not the published file (md5 {md5(b'3')}, expected {md5(b'2')})"
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("x.tar.gz", md5(b"archive")), ("y.zip", "that of x.tar.gz")]
)
def test_members_without_digests(tmp_path, name, expected):
    (tmp_path / name).write_bytes(b"other")
    difference = PUBLISHED.describe_difference(tmp_path / name, ["a", "c"], lambda name: "")
    assert difference == (
        f"{name}: loaded, but not the published file (md5 {md5(b'other')}, expected {expected})"
    )
    assert PUBLISHED.describe_difference(tmp_path, ["a", "c"], lambda name: "") == ""


@pytest.mark.parametrize("name", ["CIFAR10_FILES", "CIFAR100_FILES", "STL10_FILES"])
def test_digests_are_complete(name):
    files = getattr(published_files, name)
    digests = [*files.archives.values(), *files.members.values()]
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in digests)
    assert len(set(digests)) == len(digests)
