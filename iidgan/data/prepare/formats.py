"""Which reader opens what is at a path."""

from __future__ import annotations

from iidgan.data.prepare.reader import Reader
from iidgan.data.prepare.readers.hub import hub_data, is_parquet
from iidgan.data.prepare.readers.lmdb_files import lmdb_files, lmdb_folder
from iidgan.data.prepare.request import Order
from iidgan.errors import InputError


def reader_of(order: Order) -> Reader:
    """Finds the reader: by what is at the path where that tells, else the set's own.

    Raises:
        InputError: It cannot do what is asked for.
    """
    wanted, path = order.wanted(), order.path
    of_hub = wanted.hub is not None or (path is not None and is_parquet(path))
    if wanted.config is not None and not (of_hub and (path is None or path.is_dir())):
        raise InputError(f"config: {wanted.config!r}; only data sets of the Hub have any")
    if of_hub:
        if wanted.labels not in (None, "none"):
            raise InputError(
                f"labels: {wanted.labels!r}; these come with labels, or --labels none"
            )
        return hub_data
    if wanted.split is not None and not order.known.splits:
        raise InputError(
            f"split: {wanted.split!r}; {order.name} has no parts; name its files with --from"
        )
    if path is not None and lmdb_folder(path):
        if wanted.labels not in (None, "none"):
            raise InputError(f"labels: {wanted.labels!r}; LMDB has none that could be named")
        return lmdb_files
    return order.known.reader
