"""The streaming writer of arrays."""

import numpy as np

from iidgan.data.prepare import prepare
from tests.helpers.images import encode_image, load_arrays, random_images, write_files

IMAGE = random_images(1)[0]  # 8 x 8, RGB


WANTED = IMAGE.transpose(2, 0, 1)


def test_writer_converts_grey_to_rgb(tmp_path):
    files = {
        f"{i:03}.png": encode_image(image) for i, image in enumerate(random_images(150, 8, 1))
    }
    grey = prepare("grey", origin=str(write_files(tmp_path / "x", files)), size=8)
    assert np.array_equal(load_arrays(grey)[0], random_images(150, 8, 1).transpose(0, 3, 1, 2))
    write_files(tmp_path / "x", {"149.png": encode_image(IMAGE)})
    both = load_arrays(prepare("both", origin=str(tmp_path / "x"), size=8))[0]
    assert np.array_equal(both[:149], load_arrays(grey)[0][:149].repeat(3, 1))
    assert np.array_equal(both[149], WANTED)
