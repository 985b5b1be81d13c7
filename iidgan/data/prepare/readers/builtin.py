"""Readers of data sets that are built-in sources: MNIST, Fashion-MNIST, MNIST-5k."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from iidgan.data.idx import FashionMnist, Mnist, Split
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.prepare.reader import ImageStream, RawImage, Reader, ReadRequest


def builtin_reader(source_class: type[Mnist] | type[FashionMnist] | type[Mnist5k]) -> Reader:
    """Create a reader of the files of a source.

    Arguments:
        source_class: Type of the source.
    """

    @contextmanager
    def open_source(request: ReadRequest) -> Iterator[ImageStream]:
        root = None if request.path is None else str(request.existing_path())
        split: Split = "test" if request.split == "test" else "train"
        dataset = source_class(root=root, split=split).load()
        labels = [None] * len(dataset) if dataset.y is None else dataset.y.tolist()
        yield ImageStream(
            description=f"{source_class.name}, {split}",
            num_images=len(dataset),
            has_labels=dataset.y is not None,
            class_names=dataset.labels,
            images=(
                RawImage(f"image {i}", pixels.numpy(), label)
                for i, (pixels, label) in enumerate(zip(dataset.x[:, 0], labels))
            ),
        )

    return open_source
