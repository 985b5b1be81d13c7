"""MNIST and Fashion-MNIST from their IDX files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from iidgan.data.idx import FashionMnist, Mnist, Split
from iidgan.data.prepare.reading import Item, Reader, Reading, Wanted


def idx_files(kind: type[Mnist] | type[FashionMnist]) -> Reader:
    """Makes the reader of a set that comes as IDX files."""

    @contextmanager
    def read(wanted: Wanted) -> Iterator[Reading]:
        root = None if wanted.path is None else str(wanted.place())
        split: Split = "test" if wanted.split == "test" else "train"
        data = kind(root=root, split=split).load()
        labels = [None] * len(data) if data.y is None else data.y.tolist()
        yield Reading(
            source=f"IDX files, {split}",
            total=len(data),
            labelled=data.y is not None,
            classes=data.labels,
            items=(
                Item(f"image {i}", pixels.numpy(), label)
                for i, (pixels, label) in enumerate(zip(data.x[:, 0], labels))
            ),
        )

    return read
