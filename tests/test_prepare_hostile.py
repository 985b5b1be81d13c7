"""Files that are damaged, or that mean harm: each is left out and told, the rest stays."""

import io
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.data.prepare import archives as tree
from iidgan.data.prepare import prepare
from iidgan.data.prepare.decode import convert
from iidgan.data.prepare.reader import Item
from iidgan.data.prepare.resize import Rule
from iidgan.errors import InputError
from tests.helpers.images import arrays, encoded, pixels, put, zipped

GOOD = encoded(pixels(1, 64)[0])


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


def png(width, height, data=b""):
    """A PNG whose head promises any size."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


BAD = {
    "empty": (b"", "empty file"),
    "text": (b"hello", "no image of a known format"),
    "page": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image of a known format"),
    "truncated": (GOOD[:-2000], "truncated or damaged"),
    "truncated head": (GOOD[:20], "truncated or damaged|no image of a known format"),
    "truncated jpeg": (encoded(pixels(1, 64)[0], "JPEG")[:-500], "truncated or damaged"),
    "bomb": (png(100_000, 100_000), "too many pixels"),
    "smaller bomb": (png(10_000, 10_000), "too many pixels"),
    "no pixels": (png(8, 8), "truncated or damaged"),
    "script": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "no image of a known format",
    ),
}


@pytest.mark.parametrize(("content", "reason"), BAD.values(), ids=BAD)
def test_a_bad_file_is_left_out_and_the_others_stay(tmp_path, content, reason):
    place = put(tmp_path / "x", {"1.png": GOOD, "2.png": content, "3.png": GOOD})
    outcome = prepare("x", origin=str(place))
    assert outcome.manifest.count == 2
    (skip,) = outcome.skipped
    assert skip.name == "2.png"
    assert skip.reason in reason.split("|")
    assert sum(outcome.manifest.skipped.values()) == 1
    line = (outcome.folder / "skipped.csv").read_text().splitlines()[1]
    assert line.startswith(f"2.png,{skip.reason}")
    with pytest.raises(InputError, match=r"strict: 2\.png: ") as error:
        prepare("y", origin=str(place), strict=True)
    assert "\n" not in str(error.value)


def test_one_truncated_file_among_thousands(tmp_path):
    files = {f"{i % 7}/{i:04}.png": encoded(p) for i, p in enumerate(pixels(2000, 8))}
    files["3/0500.png"] = files["3/0500.png"][:-30]
    outcome = prepare("x", origin=str(put(tmp_path / "x", files)), size=8)
    assert outcome.manifest.count == 1999
    assert [skip.name for skip in outcome.skipped] == ["3/0500.png"]
    assert len(arrays(outcome)[1]) == 1999


def test_a_folder_of_bad_files_only_is_refused(tmp_path):
    place = put(tmp_path / "x", {"1.png": b"no", "2.png": b""})
    with pytest.raises(InputError, match=r"no image of .* could be used, such as 1\.png: no"):
        prepare("x", origin=str(place))
    assert list((tmp_path / "home").iterdir()) == []


def test_a_bomb_takes_no_memory():
    tracemalloc.start()
    try:
        convert([Item("x", png(1 << 20, 1 << 20))], Rule(size=8))
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_with_wrong_bytes_is_read_or_left_out(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]))
    content = bytearray(encoded(pixels(1, 16)[0], kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    found = convert([Item("x", bytes(content[:end]))], Rule(size=8))
    assert len(found.pixels) + len(found.skipped) == 1
    assert all(pixels.shape in ((1, 8, 8), (3, 8, 8)) for pixels in found.pixels)


# Things that are no files


def test_links_pipes_and_locked_files(tmp_path):
    place = put(tmp_path / "x", {"1.png": GOOD})
    (place / "2.png").symlink_to(place / "nowhere.png")
    os.mkfifo(place / "3.png")
    (place / "loop").symlink_to(place)
    (place / "4.png").symlink_to(put(tmp_path, {"other.png": GOOD}) / "other.png")
    outcome = prepare("x", origin=str(place))
    assert outcome.manifest.count == 2
    assert {skip.name: skip.reason for skip in outcome.skipped} == {
        "2.png": "cannot be opened",
        "3.png": "not a file",
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: os.mkfifo(path), "neither a folder nor a file"),
        (lambda path: path.write_bytes(b"junk"), "x: no whole ZIP or TAR archive, and no folder$"),
        (lambda path: path.write_bytes(GOOD), "x: a single image; name its folder$"),
        (lambda path: path.write_bytes(b"PK\3\4" + bytes(100)), "x: a truncated ZIP archive$"),
        (lambda path: path.mkdir(), "0 files, none of them an image"),
        (lambda path: zipped(path, {"a.txt": "x"}), "1 files, none of them an image"),
        (lambda path: path.symlink_to("nowhere"), "does not exist"),
    ],
)
def test_what_is_no_set_of_images_is_refused(tmp_path, make, message):
    make(tmp_path / "x")
    with pytest.raises(InputError, match=message):
        prepare("x", origin=str(tmp_path / "x"))
    assert not (tmp_path / "home" / "x").exists()


# Archives

OUT = ["../out.png", "/tmp/out.png", "a/../../out.png", "..\\out.png", "C:\\out.png", "C:/out.png"]


@pytest.mark.parametrize("name", OUT)
def test_paths_that_lead_out_of_an_archive_are_left_out(tmp_path, name):
    archive = zipped(tmp_path / "x.zip", {"in.png": GOOD, name: GOOD})
    outcome = prepare("x", origin=str(archive), labels="none")
    assert outcome.manifest.count == 1
    assert outcome.skipped[0].reason == "its path leads out of the archive"
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"x.zip", "images.npy", "manifest.json", "skipped.csv"}


def test_paths_that_lead_out_change_no_labels(tmp_path):
    flat = zipped(tmp_path / "flat.zip", {"1.png": GOOD, "2.png": GOOD, "../evil.png": GOOD})
    assert arrays(prepare("flat", origin=str(flat)))[1] is None
    pets = zipped(tmp_path / "pets.zip", {"a/1.png": GOOD, "b/1.png": GOOD, "/evil.png": GOOD})
    outcome = prepare("pets", origin=str(pets))
    assert (outcome.manifest.labels, len(outcome.skipped)) == (("a", "b"), 1)
    with pytest.raises(InputError, match=r"could be used, such as \.\./evil\.png: its path"):
        prepare("evil", origin=str(zipped(tmp_path / "evil.zip", {"../evil.png": GOOD})))


def test_tar_archives_too(tmp_path):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        for name in ("in.png", "../out.png"):
            info = tarfile.TarInfo(name)
            info.size = len(GOOD)
            archive.addfile(info, io.BytesIO(GOOD))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    outcome = prepare("x", origin=str(tmp_path / "x.tar.gz"), labels="none")
    assert outcome.manifest.count == 1
    assert {skip.name: skip.reason for skip in outcome.skipped} == {
        "../out.png": "its path leads out of the archive",
        "link.png": "cannot be opened",
    }


@pytest.mark.parametrize("symbolic", [False, True])
def test_links_in_tar_archives_are_images(tmp_path, symbolic):
    """GNU tar writes the second name of a file as a link."""
    place = put(tmp_path / "x", {f"b/{i}.png": encoded(pixels(2)[i]) for i in range(2)})
    (place / "a").mkdir()
    make = os.symlink if symbolic else os.link
    make("../b/1.png" if symbolic else place / "b" / "1.png", place / "a" / "0.png")
    (place / "a" / "loop.png").symlink_to("loop.png")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        archive.add(place, ".")
    outcome = prepare("x", origin=str(tmp_path / "x.tar.gz"), size=8)
    images, labels = arrays(outcome)
    assert labels.tolist() in ([0, 1, 1], [1, 0, 1], [1, 1, 0])
    (of_a,) = images[labels == 0]
    assert (images[labels == 1] == of_a).all((1, 2, 3)).sum() == 1
    assert [str(skip) for skip in outcome.skipped] == [
        "a/loop.png: cannot be opened (a link to nothing)"
    ]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_of_equal_names_in_an_archive_the_last_counts_and_the_others_are_told(tmp_path, kind):
    first, last = (encoded(image) for image in pixels(2))
    path = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as made:
            made.writestr("./1.png", first)
            made.writestr("1.png", last)
    else:
        with tarfile.open(path, "w") as made:
            for content in (first, last):
                info = tarfile.TarInfo("1.png")
                info.size = len(content)
                made.addfile(info, io.BytesIO(content))
    outcome = prepare("x", origin=str(path), size=8)
    assert np.array_equal(arrays(outcome)[0][0], pixels(2)[1].transpose(2, 0, 1))
    (skip,) = outcome.skipped
    assert str(skip) == "1.png: has the name of a later one in the archive"
    with pytest.raises(InputError, match=r"strict: 1\.png: has the name of a later one"):
        prepare("y", origin=str(path), strict=True)


@pytest.mark.parametrize("prefix", ["./", "./root/", "root\\", "2021-01-01 10:20/"])
def test_names_in_archives_are_tidied(tmp_path, prefix):
    """As `tar cf x.tar .` and some packers of ZIP files write them."""
    files = {f"{prefix}{label}/1.png": GOOD for label in "ab"}
    if "\\" in prefix:
        files = {name.replace("/", "\\"): content for name, content in files.items()}
        archive = zipped(tmp_path / "x.zip", files)
    else:
        archive = tmp_path / "x.tar"
        with tarfile.open(archive, "w") as made:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                made.addfile(info, io.BytesIO(content))
    outcome = prepare("x", origin=str(archive))
    assert (outcome.manifest.labels, outcome.manifest.count) == (("a", "b"), 2)


def test_names_cannot_command_a_terminal(tmp_path):
    place = put(tmp_path / "x", {"1.png": GOOD, "bad\n\x1b[31m.png": b"junk"})
    (skip,) = prepare("x", origin=str(place)).skipped
    assert str(skip).startswith("bad\\n\\x1b[31m.png: ")


def test_a_member_that_unpacks_to_too_much_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MOST", 1 << 20)
    monkeypatch.setattr(tree.Tree.read, "__defaults__", (1 << 20,))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(1 << 27))
        archive.writestr("good.png", GOOD)
    tracemalloc.start()
    try:
        outcome = prepare("x", origin=str(tmp_path / "x.zip"))
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert [str(skip) for skip in outcome.skipped] == ["bomb.png: larger than 1 MiB"]


@pytest.mark.parametrize("declared", [0, 10, 1 << 31])
def test_a_member_that_lies_about_its_size_is_left_out(tmp_path, declared):
    path = zipped(tmp_path / "x.zip", {"lie.png": GOOD, "good.png": GOOD})
    content = bytearray(path.read_bytes())
    true = struct.pack("<I", len(GOOD))
    entry = content.index(b"PK\1\2")  # of the first file
    at = content.index(true, entry)
    content[at + 4 : at + 8] = struct.pack("<I", declared)
    path.write_bytes(content)
    outcome = prepare("x", origin=str(path))
    assert outcome.manifest.count == 1
    assert outcome.skipped[0].name == "lie.png"


def test_a_damaged_member_is_left_out(tmp_path):
    path = zipped(tmp_path / "x.zip", {"1.png": GOOD, "2.png": GOOD})
    content = bytearray(path.read_bytes())
    content[content.index(GOOD) + 100] ^= 255
    path.write_bytes(content)
    outcome = prepare("x", origin=str(path))
    assert [skip.name for skip in outcome.skipped] == ["1.png"]
    assert outcome.skipped[0].reason == "truncated or damaged"


def test_an_encrypted_member_is_left_out(tmp_path):
    path = zipped(tmp_path / "x.zip", {"1.png": GOOD, "2.png": GOOD})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag of encryption
    path.write_bytes(content)
    outcome = prepare("x", origin=str(path))
    assert outcome.skipped[0].reason == "encrypted or packed in an unknown way"


def test_names_of_any_bytes_are_written_down(tmp_path):
    place = put(tmp_path / "x", {"good.png": GOOD})
    with open(os.fsencode(place) + b'/\xff\n,".png', "wb") as file:
        file.write(b"bad")
    outcome = prepare("x", origin=str(place))
    assert outcome.manifest.count == 1
    assert "no image" in (outcome.folder / "skipped.csv").read_text()
