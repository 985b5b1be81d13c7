"""Tiles of real photos, in the archives in which CIFAR-10 and STL-10 are published."""

import importlib.util
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg")


def read_photos():
    """The photos of the package scikit-image, (H, W, 3) each; the test is skipped without it."""
    spec = importlib.util.find_spec("skimage")
    if spec is None:
        pytest.skip("scikit-image is not installed")
    folder = Path(spec.origin).parent / "data"
    return [np.asarray(Image.open(folder / name).convert("RGB")) for name in PHOTOS]


def cut_tiles(number, side):
    """Tiles of the photos, uint8 with shape (number, side, side, 3), from places by chance."""
    photos, draw = read_photos(), np.random.default_rng(0)
    tiles = []
    for i in range(number):
        photo = photos[i % len(photos)]
        top, left = (draw.integers(0, length - side + 1) for length in photo.shape[:2])
        tiles.append(photo[top : top + side, left : left + side])
    return np.stack(tiles)


def write_cifar10_archive(path, number):
    """Writes an archive like cifar-10-python.tar.gz, whose labels are the photos."""
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    tiles = cut_tiles(number, 32).transpose(0, 3, 1, 2).reshape(number, -1)
    with tarfile.open(path, "w:gz") as archive:
        for name, index in zip(names, np.array_split(np.arange(number), len(names))):
            batch = {b"data": tiles[index], b"labels": [int(i) % len(PHOTOS) for i in index]}
            add_member(archive, f"cifar-10-batches-py/{name}", pickle.dumps(batch, protocol=2))
    return path


def write_stl10_archive(path, number):
    """Writes an archive like stl10_binary.tar.gz, of unlabelled images alone."""
    pixels = cut_tiles(number, 96).transpose(0, 3, 2, 1)  # channel, x, y
    with tarfile.open(path, "w:gz") as archive:
        add_member(archive, "stl10_binary/unlabeled_X.bin", pixels.tobytes())
    return path


def add_member(archive, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
