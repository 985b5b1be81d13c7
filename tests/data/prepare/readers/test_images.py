"""Image files in folders and archives, including CelebA and AFHQ."""

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from tests.helpers.images import encode_image, load_arrays, random_images, write_files, write_zip

IMAGE = random_images(1)[0]  # 8 x 8, RGB


def test_open_image_files_reports_other_types(tmp_path):
    names = ("1.png", "a.heic", "b.heic", "c", ".hidden", "r.txt")
    folder = write_files(tmp_path / "x", {name: encode_image(IMAGE) for name in names})
    messages = []
    assert prepare("x", origin=str(folder), on_message=messages.append).manifest.count == 1
    assert messages == ["3 files of other types are ignored (2 .heic, 1 without a suffix)"]


def test_open_image_files_follows_links(tmp_path):
    folder = write_files(tmp_path / "x", {"b/1.png": encode_image(IMAGE)})
    other = write_files(tmp_path / "elsewhere", {"2.png": encode_image(IMAGE)})
    (folder / "a").symlink_to(other)
    (folder / "b" / "up").symlink_to(folder)  # a loop
    assert prepare("x", origin=str(folder)).manifest.labels == ("a", "b")


@pytest.mark.parametrize("pack", [write_files, write_zip])
def test_celeba_is_cropped_from_centre(tmp_path, pack):
    image = np.zeros((218, 178, 3), np.uint8)
    image[20:198] = 255  # 178 rows in the middle
    files = {f"img_align_celeba/{i:06}.png": encode_image(image) for i in range(2)}
    files |= {"list_attr_celeba.txt": "2\n", "other/x.png": encode_image(random_images(1)[0])}
    result = prepare("celeba", origin=str(pack(tmp_path / "celeba", files)))
    images, labels = load_arrays(result)
    assert images.shape == (2, 3, 64, 64)
    assert images.min() == 255
    assert labels is None


@pytest.mark.parametrize("prefix", ["afhq/train/cat/", "train/cat/", "cat/", ""])
def test_afhq_selects_cats(tmp_path, prefix):
    files = {f"{prefix}{i}.png": encode_image(random_images(1, 64, seed=i)[0]) for i in range(2)}
    if prefix:
        files |= {
            f"{prefix.replace('cat', 'dog')}{i}.png": encode_image(random_images(1, 64)[0])
            for i in "a"
        }
        files |= (
            {"afhq/val/cat/9.png": encode_image(random_images(1)[0])} if "afhq" in prefix else {}
        )
    result = prepare("afhq-cat", origin=str(write_files(tmp_path / "afhq", files)))
    assert np.array_equal(
        load_arrays(result)[0][1], random_images(1, 64, seed=1)[0].transpose(2, 0, 1)
    )
    assert result.manifest.count == 2
