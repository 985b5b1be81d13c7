"""TIFF files of 16 bits with one plane per colour."""

import io

import numpy as np
import pytest
from PIL import Image

from iidgan.data.prepare.tiff_planes import has_separate_planes, split_planes
from tests.helpers.images import encode_deep_tiff, encode_image, random_images

VALUES = np.random.default_rng(0).integers(0, 65536, (16, 16, 3), dtype=np.uint16)


def read_tags(content):
    with Image.open(io.BytesIO(content)) as image:
        return image.tag_v2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("pieces", [{}, {"rows": 8}, {"rows": 5}, {"tile": 16}], ids=str)
def test_split_planes(order, compress, pieces):
    content = encode_deep_tiff(VALUES, order, compress=compress, planes=2, **pieces)
    tags = read_tags(content)
    assert has_separate_planes(tags)
    for number, plane in enumerate(split_planes(content, tags)):
        with Image.open(io.BytesIO(plane)) as image:
            assert np.array_equal(np.asarray(image), VALUES[..., number])
    assert number == 2


def test_split_planes_of_other_files():
    content = encode_deep_tiff(VALUES, "<", planes=2)
    tags = dict(read_tags(content))
    assert split_planes(b"II+\0" + content[4:], tags) == []  # the format beyond 4 GiB
    assert split_planes(content, tags | {258: (8, 8, 8)}) == []
    assert split_planes(content, tags | {338: (1,)}) == []
    assert not has_separate_planes(read_tags(encode_image(random_images(1)[0], "TIFF")))
