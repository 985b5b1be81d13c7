"""LSUN: one LMDB folder of encoded images, through the package `lmdb`.

References:
    LSUN: Construction of a Large-scale Image Dataset using Deep Learning with Humans in the Loop
    (Yu, Seff, Zhang, Song, Funkhouser and Xiao, 2015), https://arxiv.org/abs/1506.03365.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from iidgan.data.prepare.archives import MAX_IMAGE_BYTES
from iidgan.data.prepare.reader import ImageStream, RawImage, ReadRequest, SkippedImage
from iidgan.errors import InputError

_DATA_FILE = "data.mdb"


def find_lmdb_folder(path: Path) -> Path | None:
    """Find the LMDB folder that a path is, that it is a file of, or its only LMDB subfolder."""
    if path.is_file():
        return path.parent if path.suffix == ".mdb" else None
    if (path / _DATA_FILE).is_file():
        return path
    subfolders = [file.parent for file in path.glob(f"*/{_DATA_FILE}")]
    return subfolders[0] if len(subfolders) == 1 else None


@contextmanager
def open_lmdb(request: ReadRequest) -> Iterator[ImageStream]:
    """Open the images of an LMDB folder, in the order of their keys.

    Raises:
        InputError: The package `lmdb` is not installed, or the folder is not a complete LMDB.
    """
    try:
        import lmdb
    except ImportError:
        raise InputError("from: LMDB needs one more package: pip install 'iidgan[lmdb]'") from None
    path = request.existing_path()
    folder = find_lmdb_folder(path) or path
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


def _raw_image(key: bytes, value: memoryview) -> RawImage | SkippedImage:
    name = f"key {key.decode('ascii', 'backslashreplace')}"
    if len(value) > MAX_IMAGE_BYTES:
        return SkippedImage(name, f"larger than {MAX_IMAGE_BYTES >> 20} MiB")
    return RawImage(name, bytes(value))
