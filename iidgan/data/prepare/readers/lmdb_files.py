"""LSUN: one LMDB folder of encoded images, through the package `lmdb`.

The library maps a file into memory and follows the numbers in it, so that a damaged file may end
the process. A file is therefore checked before it is opened, by its size and by the verifier of
the package, which only reads it.

References:
    LSUN: Construction of a Large-scale Image Dataset using Deep Learning with Humans in the Loop
    (Yu, Seff, Zhang, Song, Funkhouser and Xiao, 2015), https://arxiv.org/abs/1506.03365.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from iidgan.data.prepare.archives import MAX_IMAGE_BYTES
from iidgan.data.prepare.reader import ImageStream, RawImage, ReadRequest, SkippedImage
from iidgan.errors import InputError
from iidgan.utils.extras import require_extra
from iidgan.utils.files import open_regular_file, oserror_as_input_error

_DATA_FILE = "data.mdb"


def find_lmdb_folder(path: Path) -> Path | None:
    """Find the LMDB folder that a path is, that it is a file of, or its only LMDB subfolder.

    Arguments:
        path: A file or folder.

    Returns:
        The folder, or None.
    """
    if path.is_file():
        return path.parent if path.suffix == ".mdb" else None
    if (path / _DATA_FILE).is_file():
        return path
    subfolders = [file.parent for file in path.glob(f"*/{_DATA_FILE}")]
    return subfolders[0] if len(subfolders) == 1 else None


@contextmanager
def open_lmdb(request: ReadRequest) -> Iterator[ImageStream]:
    """Open the images of an LMDB folder, in the order of their keys.

    Arguments:
        request: The folder.

    Raises:
        InputError: The package `lmdb` is not installed, or the folder is not a complete LMDB.
    """
    require_extra("lmdb", field="from: LMDB")
    import lmdb

    path = request.existing_path()
    folder = find_lmdb_folder(path) or path
    _check_file(folder / _DATA_FILE)
    try:
        environment = lmdb.open(
            str(folder), readonly=True, lock=False, readahead=False, create=False, max_readers=1
        )
        with closing(environment), environment.begin(buffers=True) as transaction:
            yield ImageStream(
                description=f"LMDB of {folder.name}",
                num_images=environment.stat()["entries"],
                has_labels=False,
                images=(_raw_image(bytes(key), value) for key, value in transaction.cursor()),
            )
    except lmdb.Error as error:
        raise InputError(f"{folder}: not a complete LMDB folder: {error}") from error


def _check_file(path: Path) -> None:
    """Check a data file without opening it as a database.

    Raises:
        InputError: It is not complete.
    """
    from lmdb import verify

    with oserror_as_input_error(path), open_regular_file(path) as file:
        reason = size_error(file.read(_HEADER_BYTES), path.stat().st_size)
    if not reason:
        try:
            problems = verify.verify(str(path), subdir=False)  # type: ignore[no-untyped-call]
        except (verify.VerifyError, struct.error) as error:
            problems = [str(error)]
        # Pages that nothing refers to waste space, and do no harm.
        reason = next((problem for problem in problems if "a leak" not in problem), "")
    if reason:
        raise InputError(f"{path}: not a complete LMDB file: {reason}; download or copy it again")


_MAGIC = struct.pack("=I", 0xBEEFC0DE)
_PAGE_SIZES = [1 << bits for bits in range(8, 17)]
_PAGE_SIZE_OFFSET, _LAST_PAGE_OFFSET = 24, 120  # from the magic number
_META_BYTES = _LAST_PAGE_OFFSET + 8
_HEADER_BYTES = _PAGE_SIZES[-1] + 64 + _META_BYTES  # the first two pages describe the file


def size_error(header: bytes, num_bytes: int) -> str:
    """Compare the size of an LMDB file with the pages that its first two pages promise.

    Arguments:
        header: Start of the file.
        num_bytes: Size of the file.

    Returns:
        What is wrong; empty if the file is large enough.
    """
    start = header[:64].find(_MAGIC)
    if start < 0 or len(header) < start + _META_BYTES:
        return "it does not start like one of this machine"
    (page_size,) = struct.unpack_from("=I", header, start + _PAGE_SIZE_OFFSET)
    if page_size not in _PAGE_SIZES:
        return f"its pages have {page_size} bytes"
    if len(header) < page_size + start + _META_BYTES:
        return f"it has {num_bytes} bytes, less than two pages"
    last_pages = (
        struct.unpack_from("=Q", header, page + start + _LAST_PAGE_OFFSET)[0]
        for page in (0, page_size)
    )
    num_promised = (max(last_pages) + 1) * page_size
    if num_promised > num_bytes:
        return f"expected at least {num_promised} bytes, got {num_bytes}"
    return ""


def _raw_image(key: bytes, value: memoryview) -> RawImage | SkippedImage:
    name = f"key {key.decode('ascii', 'backslashreplace')}"
    if len(value) > MAX_IMAGE_BYTES:
        return SkippedImage(name, f"larger than {MAX_IMAGE_BYTES >> 20} MiB")
    return RawImage(name, bytes(value))
