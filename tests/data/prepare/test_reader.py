"""Raw and skipped images."""

from iidgan.data.prepare import prepare
from tests.helpers.images import encode_image, random_images, write_files

GOOD = encode_image(random_images(1, 64)[0])


def test_skipped_image_escapes_terminal_codes(tmp_path):
    folder = write_files(tmp_path / "x", {"1.png": GOOD, "bad\n\x1b[31m.png": b"junk"})
    (skipped_image,) = prepare("x", origin=str(folder)).skipped
    assert str(skipped_image).startswith("bad\\n\\x1b[31m.png: ")
