"""Truncated and damaged archives: no image is left out in silence."""

import bz2
import gzip
import io
import lzma
import os
import random
import shutil
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest

from iidgan.data.prepare import archive_checks, prepare
from iidgan.data.prepare.archives import open_file_tree
from iidgan.errors import InputError
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, random_images

IMAGES = {f"{i}.png": encode_image(image) for i, image in enumerate(random_images(4))}


def pack_tar(files=IMAGES, format=tarfile.GNU_FORMAT):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def pack_zip(files=IMAGES, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


PACKS = {
    "tar": pack_tar,
    "tar.gz": lambda: gzip.compress(pack_tar(), mtime=0),
    "tar.bz2": lambda: bz2.compress(pack_tar()),
    "tar.xz": lambda: lzma.compress(pack_tar()),
    "zip": pack_zip,
    "stored.zip": lambda: pack_zip(compression=zipfile.ZIP_STORED),
}


def read_intact(path):
    """Reads an archive; returns the names of the files whose content is intact, or None."""
    try:
        with open_file_tree(path) as tree:
            return {name for name in tree.file_names() if tree.read_file(name) == IMAGES.get(name)}
    except InputError:
        return None


def count_reported(path):
    """Prepares an archive; returns the number of its images and of the skipped ones, or None."""
    try:
        result = prepare("x", origin=str(path), size=8, root=str(path.parent / path.stem))
    except InputError:
        return None
    return result.manifest.count + len(result.skipped)


@pytest.mark.parametrize("kind", PACKS)
def test_cut_archive_is_refused(tmp_path, kind):
    content = PACKS[kind]()
    end = len(content) if kind != "tar" else len(content.rstrip(b"\0")) + tarfile.BLOCKSIZE
    path = tmp_path / "x"
    offsets = {*random.Random(0).sample(range(end), 60), 0, 1, end - 1}
    for offset in [*offsets, *range(0, end, tarfile.BLOCKSIZE)]:
        path.write_bytes(content[:offset])
        with pytest.raises(InputError), open_file_tree(path):
            pass
    path.write_bytes(content)
    assert read_intact(path) == IMAGES.keys()


def end_of_members(content):
    """Position of the end mark of a TAR archive."""
    return tarfile.BLOCKSIZE * -(-len(content.rstrip(b"\0")) // tarfile.BLOCKSIZE)


@pytest.mark.parametrize("num_zeros", [512, 1024, 5120, 10_240, 102_400])
def test_tar_without_padding_is_whole(tmp_path, num_zeros):
    """Some programs end an archive with fewer zeros than others, but with whole blocks."""
    content = pack_tar()
    path = tmp_path / "x.tar"
    path.write_bytes(content[: end_of_members(content)] + bytes(num_zeros))
    assert read_intact(path) == IMAGES.keys()
    for num_bytes in (path.stat().st_size - 1, path.stat().st_size + 1):
        os.truncate(path, num_bytes)
        with raises_input_error(str(path), "truncated or damaged"):
            prepare("x", origin=str(path))


MEMBER_BYTES = 2 * tarfile.BLOCKSIZE  # of each image: its header and one block
assert all(200 < len(content) < tarfile.BLOCKSIZE for content in IMAGES.values())


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["tar", "tar.gz"])
@pytest.mark.parametrize("num_bytes", [1, 64, 511, 1000, 1023, -1, -1000])
def test_bytes_missing_within_tar_are_noticed(tmp_path, pack, num_bytes):
    """Where lost or repeated bytes have moved a header, `tarfile` may see the end mark."""
    content, path = pack_tar(), tmp_path / "x"
    for start in range(100, 4 * MEMBER_BYTES, 100):
        path.write_bytes(pack(content[:start] + content[max(0, start + num_bytes) :]))
        with raises_input_error(str(path), "archive"):
            prepare("x", origin=str(path))


def test_blocks_missing_within_tar_are_noticed(tmp_path):
    """Without whole blocks the bytes after a short member are those of a longer one."""
    files = {"short.png": IMAGES["0.png"], "long.bmp": random.Random(0).randbytes(500)}
    content, path = pack_tar(files), tmp_path / "x.tar"
    start = content.index(files["short.png"]) + 50
    path.write_bytes(content[:start] + content[start + MEMBER_BYTES :])
    with raises_input_error(str(path), "member at byte 0 continues after its"):
        prepare("x", origin=str(path))


def test_bytes_after_member_are_noticed(tmp_path):
    """Zeros fill the last block of each member, whatever program writes it."""
    content, path = bytearray(pack_tar()), tmp_path / "x.tar"
    for number, (name, image) in enumerate(IMAGES.items()):
        end = content.index(image) + len(image)
        for position in (end, tarfile.BLOCKSIZE * (2 * number + 2) - 1):
            content[position] = 1
            path.write_bytes(content)
            with raises_input_error(
                str(path),
                f"member at byte {number * MEMBER_BYTES} continues after its {len(image)} bytes",
            ):
                prepare("x", origin=str(path))
            content[position] = 0
        path.write_bytes(content)
        assert read_intact(path) == IMAGES.keys(), name


def test_tar_of_two_sizes_is_refused(tmp_path):
    """A size for all members, beside those of their headers."""
    path = tmp_path / "x.tar"
    headers = {"size": "5000"}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:
        info = tarfile.TarInfo("0.png")
        info.size = len(IMAGES["0.png"])
        archive.addfile(info, io.BytesIO(IMAGES["0.png"]))
    with raises_input_error(str(path), "states two sizes"):
        prepare("x", origin=str(path))


@pytest.mark.skipif(not shutil.which("tar"), reason="needs tar")
@pytest.mark.parametrize("format", ["gnu", "posix"])
def test_sparse_tar_is_whole(tmp_path, format):
    """GNU tar leaves out holes; the stated size is that with them."""
    content = bytearray(encode_image(np.zeros((128, 128, 3), np.uint8), "BMP"))
    content[-200:] = bytes(range(200))
    with (tmp_path / "a.bmp").open("wb") as file:
        file.write(content[:100])
        file.seek(len(content) - 200)
        file.write(content[-200:])
    command = ["tar", f"--format={format}", "--sparse", "-C", str(tmp_path), "-cf"]
    subprocess.run([*command, str(tmp_path / "x.tar"), "a.bmp"], check=True)
    assert (tmp_path / "x.tar").stat().st_size < len(content)
    with open_file_tree(tmp_path / "x.tar") as tree:
        assert tree.read_file("a.bmp") == content


def test_tar_cut_between_members_is_refused(tmp_path):
    path = tmp_path / "x.tar.gz"
    half = pack_tar(dict(list(IMAGES.items())[:2])).rstrip(b"\0")
    half += bytes(-len(half) % tarfile.BLOCKSIZE)
    path.write_bytes(gzip.compress(half))
    with raises_input_error(str(path), "complete", "truncated or damaged", f"byte {len(half)}"):
        prepare("x", origin=str(path))
    path.write_bytes(gzip.compress(pack_tar() + pack_tar()))
    with raises_input_error(str(path), "truncated or damaged", "continues after its end"):
        prepare("x", origin=str(path))


def test_gzip_checksum_is_compared(tmp_path):
    content = bytearray(gzip.compress(pack_tar()))
    for position in range(-8, 0):  # checksum and size
        content[position] ^= 1
        (tmp_path / "x.tgz").write_bytes(content)
        with raises_input_error(str(tmp_path / "x.tgz"), "damaged"):
            prepare("x", origin=str(tmp_path / "x.tgz"))
        content[position] ^= 1


def flip_bit(content, bit):
    flipped = bytearray(content)
    flipped[bit // 8] ^= 1 << bit % 8
    return flipped


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_flipped_bit_in_packed_tar(tmp_path, kind):
    """Of a packed archive every byte of the content has a checksum."""
    content = PACKS[kind]()
    for bit in random.Random(0).sample(range(8 * len(content)), 80):
        (tmp_path / "x").write_bytes(flip_bit(content, bit))
        assert read_intact(tmp_path / "x") in (None, IMAGES.keys())


def test_flipped_bit_in_tar_header(tmp_path):
    """Headers have a checksum; so all files are listed under their names, or none is."""
    content = pack_tar()
    headers = [content.index(name.encode()) for name in IMAGES]
    generator = random.Random(0)
    for bit in generator.sample(range(8 * tarfile.BLOCKSIZE), 80):
        header = generator.choice(headers)
        (tmp_path / "x").write_bytes(flip_bit(content, 8 * header + bit))
        assert read_intact(tmp_path / "x") in (None, IMAGES.keys())


@pytest.mark.slow
@pytest.mark.parametrize("kind", PACKS)
def test_no_image_is_lost_in_silence(tmp_path, kind):
    content = PACKS[kind]()
    for number, bit in enumerate(random.Random(1).sample(range(8 * len(content)), 40)):
        path = tmp_path / f"{number}.x"
        path.write_bytes(flip_bit(content, bit))
        assert count_reported(path) in (None, len(IMAGES)), bit


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("limit", [1, 1 << 16])
def test_flipped_bit_in_zip_directory(tmp_path, monkeypatch, compression, limit):
    """It has no checksum; so its number of members and their names are compared."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", limit)  # of archives without Zip64
    content = pack_zip(compression=compression)
    assert (b"PK\6\6" in content) == (limit == 1)
    start = content.index(b"PK\1\2")
    (tmp_path / "x").write_bytes(content)
    assert read_intact(tmp_path / "x") == IMAGES.keys()
    for bit in random.Random(0).sample(range(8 * start, 8 * len(content)), 150):
        (tmp_path / "x").write_bytes(flip_bit(content, bit))
        try:
            with open_file_tree(tmp_path / "x") as tree:
                assert set(tree.file_names()) == IMAGES.keys()
        except InputError:
            continue


def test_zip_directory_without_its_first_member(tmp_path):
    content = pack_zip(compression=zipfile.ZIP_STORED)
    start, second = (
        content.index(b"PK\1\2"),
        content.index(b"PK\1\2", content.index(b"PK\1\2") + 4),
    )
    end = content.index(b"PK\5\6")
    size, offset = (end - second).to_bytes(4, "little"), start.to_bytes(4, "little")
    rest = content[end : end + 12] + size + offset + content[end + 20 :]
    (tmp_path / "x.zip").write_bytes(content[:start] + content[second:end] + rest)
    with raises_input_error(str(tmp_path / "x.zip"), "3 of 4 members"):
        prepare("x", origin=str(tmp_path / "x.zip"))


def test_tar_with_zip_inside_is_a_tar(tmp_path):
    (tmp_path / "x.tar").write_bytes(pack_tar({**IMAGES, "other.zip": pack_zip({"z.png": b""})}))
    with open_file_tree(tmp_path / "x.tar") as tree:
        assert {*tree.file_names()} == {*IMAGES, "other.zip"}


@pytest.mark.parametrize(("size", "max_bytes"), [(-512, 1 << 40), (11, 10)])
def test_check_tar_size_refuses(size, max_bytes):
    member = tarfile.TarInfo("x")
    member.size = size
    with pytest.raises(tarfile.ReadError, match=str(size)):
        archive_checks.check_tar_size(member, max_bytes)


def test_tar_with_long_names_is_whole(tmp_path):
    files = {f"{'long' * 30}/{name}": content for name, content in IMAGES.items()}
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        (tmp_path / "x").write_bytes(pack_tar(files, format))
        with open_file_tree(tmp_path / "x") as tree:
            assert {*tree.file_names()} == files.keys()
