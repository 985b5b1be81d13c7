"""Images and sets of them, written for tests of `iidgan prepare`."""

import io
import zipfile

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
