"""Intact sets of images in each format, and what `iidgan prepare` makes of them."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from tests.helpers.data import encode_idx
from tests.helpers.images import encode_image, random_images, write_files, write_zip

NUM_IMAGES = 12


def png_files() -> dict[str, bytes]:
    images = random_images(NUM_IMAGES)
    return {f"{i % 2}/{i}.png": encode_image(image) for i, image in enumerate(images)}


def write_image_folder() -> None:
    write_files(Path("images"), png_files())


def write_image_zip() -> None:
    write_zip(Path("images.zip"), png_files())


def write_image_tar(compression: str = "") -> None:
    with tarfile.open("images.tar", f"w:{compression}") as archive:
        for name, content in png_files().items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_image_table() -> None:
    labels = "".join(f"{i % 2}/{i}.png,{i % 3}\n" for i in range(NUM_IMAGES))
    write_image_folder()
    Path("labels.csv").write_text(f"name,label\n{labels}")


def write_image_arrays() -> None:
    """As MedMNIST does."""
    images, labels = random_images(NUM_IMAGES), np.arange(NUM_IMAGES) % 3
    np.savez_compressed("images.npz", train_images=images, train_labels=labels)


def write_stylegan_folder() -> None:
    """Numbered folders, with the labels in one file beside them."""
    files = {f"{i // 6:05}/{i}.png": content for i, content in enumerate(png_files().values())}
    write_files(Path("images"), files)
    labels = [[name, i % 3] for i, name in enumerate(files)]
    Path("images/dataset.json").write_text(json.dumps({"labels": labels}))


def write_cifar_archive() -> None:
    write_cifar()
    with tarfile.open("cifar.tar.gz", "w:gz") as archive:
        archive.add("cifar", "cifar-10-batches-py")


def write_idx(suffix: str) -> None:
    """Packed, with a checksum, if the suffix is .gz."""
    images, labels = random_images(NUM_IMAGES, 28, 1)[..., 0], np.arange(NUM_IMAGES) % 3
    pack = gzip.compress if suffix else bytes
    files = {
        f"{part}-{name}-ubyte{suffix}": pack(encode_idx(values.astype(np.uint8)))
        for part in ("train", "t10k")
        for name, values in (("images-idx3", images), ("labels-idx1", labels))
    }
    write_files(Path("idx"), files)


def write_cifar() -> None:
    Path("cifar").mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        pixels = random_images(10, 32).reshape(10, 3072)
        content = {b"data": pixels, b"labels": [i % 10 for i in range(10)]}
        Path("cifar", name).write_bytes(pickle.dumps(content, protocol=2))


def write_stl10() -> None:
    pixels = random_images(NUM_IMAGES, 96).transpose(0, 3, 2, 1)
    labels = bytes(1 + i % 3 for i in range(NUM_IMAGES))
    write_files(Path("stl"), {"train_X.bin": pixels.tobytes(), "train_y.bin": labels})


def write_image_array() -> None:
    np.save("images.npy", random_images(NUM_IMAGES))


def write_parquet() -> None:
    """As other programs than `datasets` write it."""
    import pyarrow
    from pyarrow import parquet

    labels = [i % 3 for i in range(NUM_IMAGES)]
    columns = {"image": [*png_files().values()], "label": labels}
    parquet.write_table(pyarrow.table(columns), "images.parquet", row_group_size=5)


def write_parquet_folder() -> None:
    """Two shards, as data sets of the Hub have them."""
    import datasets

    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b", "c"])}
    )
    contents = [*png_files().values()]
    Path("pets/data").mkdir(parents=True)
    for shard in range(2):
        columns = {
            "image": [{"bytes": content, "path": None} for content in contents[shard::2]],
            "label": [i % 3 for i in range(NUM_IMAGES)][shard::2],
        }
        dataset = datasets.Dataset.from_dict(columns, features=features)
        dataset.to_parquet(f"pets/data/train-{shard:05}-of-00002.parquet")


@contextmanager
def local_hub() -> Iterator[None]:
    """Let the file of `write_parquet` stand in for every data set of the Hub."""
    import datasets

    load_builder = datasets.load_dataset_builder
    with tempfile.TemporaryDirectory() as cache_dir:

        def load(name: str, config: str | None, *, revision: str | None) -> object:
            path = str(Path("images.parquet").absolute())
            return load_builder("parquet", data_files=path, cache_dir=cache_dir)

        with patch.object(datasets, "load_dataset_builder", load):
            yield


def write_lmdb() -> None:
    import lmdb

    Path("church").mkdir()
    with (
        lmdb.open("church", map_size=1 << 20) as environment,
        environment.begin(write=True) as transaction,
    ):
        for i, content in enumerate(png_files().values()):
            transaction.put(f"{i}".encode(), content)


def damage_lmdb(path: Path, rng: Random) -> None:
    """Cut the file, or flip a bit of an image.

    The library follows other numbers in the file, and a wrong one could end the process.
    """
    content = bytearray(path.read_bytes())
    if rng.random() < 0.5:
        os.truncate(path, rng.randrange(len(content)))
        return
    image = rng.choice([*png_files().values()])
    position = content.index(image) + rng.randrange(len(image))
    content[position] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


class PreparedSet(NamedTuple):
    """What `iidgan prepare` has made.

    Arguments:
        images: The pixels of each image.
        labels: Their labels; none if the set has none.
        num_skipped: Number of images that were reported instead.
    """

    images: list[bytes]
    labels: list[int]
    num_skipped: int


def read_images() -> PreparedSet:
    (manifest,) = Path("sets").glob("**/manifest.json")
    facts = json.loads(manifest.read_text())
    images = np.load(manifest.with_name("images.npy"))
    label_file = manifest.with_name("labels.npy")
    return PreparedSet(
        images=[image.tobytes() for image in images],
        labels=np.load(label_file).tolist() if label_file.exists() else [],
        num_skipped=sum(facts.get("skipped", {}).values()),
    )


def are_all_right(intact: PreparedSet, damaged: PreparedSet) -> bool:
    """Every image that is not missing is right."""
    return set(damaged.images) <= set(intact.images)


def are_all_accounted_for(intact: PreparedSet, damaged: PreparedSet) -> bool:
    """Every image is right, or was reported as skipped."""
    num_accounted_for = len(damaged.images) + damaged.num_skipped
    return are_all_right(intact, damaged) and num_accounted_for >= len(intact.images)


def are_all_present(intact: PreparedSet, damaged: PreparedSet) -> bool:
    """No image is missing; their pixels have no checksum. A file of labels may be missing."""
    return len(damaged.images) == len(intact.images)


def are_all_unchanged(intact: PreparedSet, damaged: PreparedSet) -> bool:
    """Images and labels are right. A file of labels may be missing."""
    return damaged.images == intact.images and damaged.labels in (intact.labels, [])
