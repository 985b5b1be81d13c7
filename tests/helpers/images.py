"""Images and sets of them, written for tests of `iidgan prepare`."""

import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image


def random_images(number, side=8, channels=3, *, seed=0):
    """Random images, (number, side, side, channels)."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (number, side, side, channels), dtype=np.uint8)


def encode_image(image, kind="PNG", **options):
    """The bytes of an image file; `image` is pixels or an image."""
    image = Image.fromarray(np.squeeze(image)) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def encode_deep_tiff(
    values, order, *, compress=False, planes=1, extra=None, orientation=1, rows=None, tile=None
):
    """Encode a TIFF of colours in 16 bits, which Pillow does not write.

    It is one piece, or has strips of some rows, or is one tile, each for every plane.
    """
    (height, width, channels), ordered = values.shape, values.astype(f"{order}u2")
    rows = rows or height
    pieces = [
        plane[start : start + rows].tobytes()
        for plane in ([ordered] if planes == 1 else np.moveaxis(ordered, 2, 0))
        for start in range(0, height, rows)
    ]
    pieces = list(map(zlib.compress, pieces)) if compress else pieces
    offsets = np.cumsum([8, *map(len, pieces)])
    tags = {256: [width], 257: [height], 259: [8 if compress else 1], 262: [2], 277: [channels]}
    tags |= {258: [16] * channels, 274: [orientation], 284: [planes]}
    if tile is None:
        tags |= {278: [rows], 273: offsets[:-1], 279: [*map(len, pieces)]}
    else:
        tags |= {322: [tile], 323: [tile], 324: offsets[:-1], 325: [*map(len, pieces)]}
    tags |= {} if extra is None else {338: [extra]}
    tail, entries = b"", []
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        value = packed if len(packed) == 4 else struct.pack(f"{order}I", offsets[-1] + len(tail))
        tail += b"" if len(packed) == 4 else packed
        entries.append(struct.pack(f"{order}HHI", tag, 4, len(numbers)) + value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(
        f"{order}I", offsets[-1] + len(tail)
    )
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    return head + b"".join(pieces) + tail + directory


def write_files(root, files):
    """Writes files by their name."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def write_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def load_arrays(outcome):
    """The images and labels of a prepared set, read whole."""
    images = np.load(outcome.folder / "images.npy")
    has_labels = (outcome.folder / "labels.npy").exists()
    return images, np.load(outcome.folder / "labels.npy") if has_labels else None


def labelled_files():
    """Six images in three folders."""
    images = [encode_image(image) for image in random_images(6)]
    names = ("dog/1.png", "cat/2.png", "cat/deep/3.PNG", "bird/10.png", "bird/9.png", "dog/0.png")
    return dict(zip(names, images))
