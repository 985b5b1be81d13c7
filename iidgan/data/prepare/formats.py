"""Which reader opens what is at a path."""

from __future__ import annotations

from iidgan.data.prepare.hub import hub_data, is_parquet
from iidgan.data.prepare.order import Order
from iidgan.data.prepare.reading import Reader


def reader_of(order: Order) -> Reader:
    """Finds the reader: by the origin where that tells, else the set's own."""
    wanted = order.wanted()
    if wanted.hub is not None or (wanted.path is not None and is_parquet(wanted.path)):
        return hub_data
    return order.known.reader
