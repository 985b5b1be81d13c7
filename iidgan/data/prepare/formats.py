"""Which reader opens what is at a path."""

from __future__ import annotations

from iidgan.data.prepare.hub import hub_data, is_parquet
from iidgan.data.prepare.lmdb_files import lmdb_files, lmdb_folder
from iidgan.data.prepare.order import Order
from iidgan.data.prepare.reading import Reader


def reader_of(order: Order) -> Reader:
    """Finds the reader: by what is at the path where that tells, else the set's own."""
    wanted = order.wanted()
    if wanted.hub is not None:
        return hub_data
    if wanted.path is not None and is_parquet(wanted.path):
        return hub_data
    if wanted.path is not None and lmdb_folder(wanted.path):
        return lmdb_files
    return order.known.reader
