"""LSUN: one LMDB folder of encoded images, through the package `lmdb`.

References:
    LSUN: Construction of a Large-scale Image Dataset using Deep Learning with Humans in the Loop
    (Yu, Seff, Zhang, Song, Funkhouser and Xiao, 2015), https://arxiv.org/abs/1506.03365.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from iidgan.data.prepare.archives import MOST
from iidgan.data.prepare.reader import Item, Reading, Skip, Wanted
from iidgan.errors import InputError

_FILE = "data.mdb"


def lmdb_folder(path: Path) -> Path | None:
    """Finds the LMDB folder that a path is, that it is a file of, or that alone lies in it."""
    if path.is_file():
        return path.parent if path.suffix == ".mdb" else None
    inside = [path] if (path / _FILE).is_file() else [p.parent for p in path.glob(f"*/{_FILE}")]
    return inside[0] if len(inside) == 1 else None


@contextmanager
def lmdb_files(wanted: Wanted) -> Iterator[Reading]:
    """Opens the images of an LMDB folder, in the order of their keys.

    Raises:
        InputError: The package `lmdb` is not installed, or the folder is none of LMDB.
    """
    try:
        import lmdb
    except ImportError:
        raise InputError("from: LMDB needs one more package: pip install 'iidgan[lmdb]'") from None
    folder = lmdb_folder(wanted.place()) or wanted.place()
    try:
        environment = lmdb.open(
            str(folder), readonly=True, lock=False, readahead=False, create=False, max_readers=1
        )
        with closing(environment), environment.begin(buffers=True) as transaction:
            yield Reading(
                source=f"LMDB of {folder.name}",
                total=environment.stat()["entries"],
                labelled=False,
                items=(_item(bytes(key), value) for key, value in transaction.cursor()),
            )
    except lmdb.Error as error:
        raise InputError(f"{folder}: not a whole LMDB folder: {error}") from error


def _item(key: bytes, value: memoryview) -> Item | Skip:
    name = f"key {key.decode('ascii', 'backslashreplace')}"
    if len(value) > MOST:
        return Skip(name, f"larger than {MOST >> 20} MiB")
    return Item(name, bytes(value))
