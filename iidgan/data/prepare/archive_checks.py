"""Checks of ZIP and TAR archives that Python's standard library leaves out.

`tarfile` takes a damaged header for the end of an archive and does not read on to the checksum of
a packed one; `zipfile` does not compare the number of members with the stated one.
"""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Self

from iidgan.utils.files import open_regular_file


def check_zip_directory(path: Path, archive: zipfile.ZipFile) -> None:
    """Check that the directory of a ZIP archive lists all members, under their own names.

    The directory has no checksum, and `zipfile` compares the name of a member with the one beside
    its content only when the member is opened.

    Arguments:
        path: The archive.
        archive: The same archive, opened for reading.

    Raises:
        zipfile.BadZipFile: It does not.
    """
    num_listed = len(archive.infolist())
    num_stated, num_bits = _read_num_members(path)
    if num_listed % (1 << num_bits) != num_stated:
        raise zipfile.BadZipFile(f"its directory lists {num_listed} of {num_stated} members")
    for member in archive.infolist():
        with suppress(RuntimeError):  # encrypted, or compressed by an unknown method
            archive.open(member).close()


_ZIP_END, _ZIP64_END, _ZIP64_LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_ZIP64_LOCATOR_BYTES = 20
_ZIP_TAIL_BYTES = 22 + (1 << 16) + _ZIP64_LOCATOR_BYTES + 56  # all ends and the longest comment


def _read_num_members(path: Path) -> tuple[int, int]:
    """Read the stated number of members of a ZIP archive that `zipfile` has opened.

    Returns:
        The number and its bits, beyond which some programs count from 0 again.
    """
    with open_regular_file(path) as file:
        num_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, num_bytes - _ZIP_TAIL_BYTES))
        tail = file.read()
    end = tail.rindex(_ZIP_END)
    if tail[:end][-_ZIP64_LOCATOR_BYTES:].startswith(_ZIP64_LOCATOR):
        zip64_end = tail.rindex(_ZIP64_END, 0, end)
        return int.from_bytes(tail[zip64_end + 32 : zip64_end + 40], "little"), 64
    return int.from_bytes(tail[end + 10 : end + 12], "little"), 16


class BoundedTarInfo(tarfile.TarInfo):
    """A header of a TAR archive; what `tarfile` reads into memory with it has a bounded size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        check_tar_size(member, _MAX_NAME_BYTES if member.type in _NAME_TYPES else sys.maxsize)
        return member


_MAX_NAME_BYTES = 1 << 20
_NAME_TYPES = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)


def check_tar_size(member: tarfile.TarInfo, max_bytes: int = sys.maxsize) -> None:
    """Check the stated size of a member: `tarfile` follows a negative one backwards, forever.

    Arguments:
        member: Header of the member.
        max_bytes: Largest size that is accepted.

    Raises:
        tarfile.ReadError: It is negative, or larger than `max_bytes`.
    """
    if not 0 <= member.size <= max_bytes:
        raise tarfile.ReadError(f"a member has the size {member.size}")


def list_tar_members(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """List all members of an archive, and read it to its end.

    Arguments:
        archive: The archive, opened for reading.

    Raises:
        tarfile.ReadError: It ends early, or zeros are missing where blocks are filled with them.
    """
    members = []
    for member in archive:
        check_tar_size(member)
        _check_padding(archive, member)
        members.append(member)
    _check_tar_end(archive)
    return members


def _check_padding(archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Check that zeros fill the last block of the member that was listed last.

    Where whole blocks are lost, these bytes are of another member, which has lost its header.
    """
    # Of a sparse member the size in the archive is not known.
    if archive.offset == member.offset_data or member.issparse():
        return
    end, num_zeros = member.offset_data + member.size, -member.size % tarfile.BLOCKSIZE
    if end + num_zeros != archive.offset:
        raise tarfile.ReadError(f"the member at byte {member.offset} states two sizes")
    file = archive.fileobj
    assert file is not None
    file.seek(end)
    if any(file.read(num_zeros)):
        raise tarfile.ReadError(
            f"the member at byte {member.offset} continues after its {member.size} bytes"
        )


def _check_tar_end(archive: tarfile.TarFile) -> None:
    """Check what follows the last member that `tarfile` lists.

    A cut may be between two members, and `tarfile` takes a damaged header for the end. The
    checksum of a packed archive is compared when its last byte is read. Bytes that are lost within
    the last members move zeros to where a header was; but all programs write whole blocks.
    """
    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    end_mark = file.read(tarfile.BLOCKSIZE)
    if len(end_mark) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError(f"it ends at byte {archive.offset}, without an end mark")
    if any(end_mark):
        raise tarfile.ReadError(f"the header at byte {archive.offset} is damaged")
    while block := file.read(_BLOCK_BYTES):
        if any(block):
            raise tarfile.ReadError(
                "it continues after its end mark; to join archives, use tar --concatenate"
            )
    if file.tell() % tarfile.BLOCKSIZE:
        raise tarfile.ReadError(
            f"expected blocks of {tarfile.BLOCKSIZE} bytes, got {file.tell()} bytes"
        )


_BLOCK_BYTES = 1 << 20
