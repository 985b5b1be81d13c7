"""Sets that are sources of their own, too: MNIST, Fashion-MNIST, and 5,000 digits of MNIST."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from iidgan.data.idx import FashionMnist, Mnist, Split
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.prepare.reader import Item, Reader, Reading, Wanted


def own_source(kind: type[Mnist] | type[FashionMnist] | type[Mnist5k]) -> Reader:
    """Makes the reader of what a source reads from its files."""

    @contextmanager
    def read(wanted: Wanted) -> Iterator[Reading]:
        root = None if wanted.path is None else str(wanted.place())
        split: Split = "test" if wanted.split == "test" else "train"
        data = kind(root=root, split=split).load()
        labels = [None] * len(data) if data.y is None else data.y.tolist()
        yield Reading(
            source=f"{kind.name}, {split}",
            total=len(data),
            labelled=data.y is not None,
            classes=data.labels,
            items=(
                Item(f"image {i}", pixels.numpy(), label)
                for i, (pixels, label) in enumerate(zip(data.x[:, 0], labels))
            ),
        )

    return read
