"""Decoding of images: all formats and modes, and damaged or hostile files."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from iidgan.data.prepare import prepare
from iidgan.data.prepare.decode import (
    IMAGE_SUFFIXES,
    convert_images,
    has_colours,
    measure_images,
)
from iidgan.data.prepare.depth import PixelRange, UnknownRangeError
from iidgan.data.prepare.reader import RawImage
from iidgan.data.prepare.resize import ResizeRule
from tests.helpers.errors import raises_input_error
from tests.helpers.images import (
    encode_deep_tiff,
    encode_image,
    load_arrays,
    random_images,
    write_files,
)

GOOD = encode_image(random_images(1, 64)[0])


def encode_png(width, height, data=b""):
    """Encode a PNG whose header states any size."""
    return encode_png_chunks(struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0), data)


def encode_png_chunks(head, data, transparency=None):
    """Encode a PNG of a header, rows of pixels and one transparent colour."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    color = b"" if transparency is None else struct.pack(f">{len(transparency)}H", *transparency)
    body = chunk(b"IHDR", head) + (chunk(b"tRNS", color) if color else b"")
    body += chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


BAD_FILES = {
    "empty": (b"", "empty file"),
    "text": (b"hello", "no image of a known format"),
    "page": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image of a known format"),
    "truncated": (GOOD[:-2000], "truncated or damaged"),
    "truncated head": (GOOD[:20], "truncated or damaged|no image of a known format"),
    "truncated jpeg": (
        encode_image(random_images(1, 64)[0], "JPEG")[:-500],
        "truncated or damaged",
    ),
    "bomb": (encode_png(100_000, 100_000), "too many pixels"),
    "smaller bomb": (encode_png(10_000, 10_000), "too many pixels"),
    "no pixels": (encode_png(8, 8), "truncated or damaged"),
    "script": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "no image of a known format",
    ),
}


@pytest.mark.parametrize(("content", "reason"), BAD_FILES.values(), ids=BAD_FILES)
def test_prepare_skips_bad_file(tmp_path, content, reason):
    folder = write_files(tmp_path / "x", {"1.png": GOOD, "2.png": content, "3.png": GOOD})
    result = prepare("x", origin=str(folder))
    assert result.manifest.count == 2
    (skipped_image,) = result.skipped
    assert skipped_image.name == "2.png"
    assert skipped_image.reason in reason.split("|")
    assert sum(result.manifest.skipped.values()) == 1
    line = (result.folder / "skipped.csv").read_text().splitlines()[1]
    assert line.startswith(f"2.png,{skipped_image.reason}")
    with raises_input_error("strict", "2.png: "):
        prepare("y", origin=str(folder), strict=True)


@pytest.mark.slow
def test_prepare_skips_one_of_thousands(tmp_path):
    files = {f"{i % 7}/{i:04}.png": encode_image(p) for i, p in enumerate(random_images(2000, 8))}
    files["3/0500.png"] = files["3/0500.png"][:-30]
    result = prepare("x", origin=str(write_files(tmp_path / "x", files)), size=8)
    assert result.manifest.count == 1999
    assert [image.name for image in result.skipped] == ["3/0500.png"]
    assert len(load_arrays(result)[1]) == 1999


def test_convert_images_bomb_takes_no_memory():
    tracemalloc.start()
    try:
        convert_images([RawImage("x", encode_png(1 << 20, 1 << 20))], ResizeRule(size=8))
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_convert_images_with_wrong_bytes(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]))
    content = bytearray(encode_image(random_images(1, 16)[0], kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    converted = convert_images([RawImage("x", bytes(content[:end]))], ResizeRule(size=8))
    assert len(converted.pixels) + len(converted.skipped) == 1
    assert all(pixels.shape in ((1, 8, 8), (3, 8, 8)) for pixels in converted.pixels)


def convert_one(content):
    """Convert one image to 8 x 8 pixels."""
    converted = convert_images([RawImage("x", content)], ResizeRule(size=8))
    assert converted.skipped == []
    return converted.pixels[0]


IMAGE = random_images(1)[0]  # 8 x 8, RGB


IMAGE_CHANNELS = IMAGE.transpose(2, 0, 1)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF", "WEBP", "GIF", "JPEG2000"])
def test_convert_images_keeps_lossless_pixels(kind):
    options = {"WEBP": {"lossless": True}, "GIF": {}}.get(kind, {})
    image = Image.fromarray(IMAGE)
    if kind == "GIF":  # has 256 colours at most, and these are 64
        image = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    assert np.array_equal(convert_one(encode_image(image, kind, **options)), IMAGE_CHANNELS)


GREY = random_images(1, 8, 1)[0, ..., 0]


def test_convert_images_grey_has_one_channel():
    for image in (GREY, Image.fromarray(GREY).convert("LA")):
        assert np.array_equal(convert_one(encode_image(image)), GREY[None])
    black_and_white = Image.fromarray(GREY > 127)
    assert np.array_equal(
        convert_one(encode_image(black_and_white)), 255 * (GREY > 127)[None].astype(np.uint8)
    )


def encode_deep_png(values, colour_type, transparency=None):
    """Encode a PNG of 16 bits with any channels, which Pillow does not write."""
    height, width = values.shape[:2]
    rows = values.astype(">u2").reshape(height, -1)
    return encode_png_chunks(
        struct.pack(">2I5B", width, height, 16, colour_type, 0, 0, 0),
        b"".join(b"\0" + row.tobytes() for row in rows),
        transparency,
    )


def convert_deep(contents, pixel_range=None):
    """Convert images of more than 8 bits as a data set, to 8 x 8 pixels."""
    raw_images = [RawImage(f"{i}", content) for i, content in enumerate(contents)]
    pixel_range = pixel_range or measure_images(raw_images).choose_range()
    converted = convert_images(raw_images, ResizeRule(size=8), pixel_range)
    assert converted.skipped == []
    assert converted.num_deep == len(contents)
    return converted.pixels


DEEP_RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8) * 65  # up to 4,095
FORMATS = ["PNG", "TIFF", "PPM"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_convert_images_scales_bit_depth(kind, bits):
    values = (DEEP_RAMP.astype(np.uint32) * (2**bits - 1) // 4095).astype(np.uint16)
    (pixels,) = convert_deep([encode_image(Image.fromarray(values), kind)])
    assert np.array_equal(pixels[0], values >> (bits - 8))


def test_convert_images_scales_all_alike():
    contents = [
        encode_image(Image.fromarray((DEEP_RAMP // divisor).astype(dtype)), "TIFF")
        for divisor, dtype in ((1, np.uint16), (8, np.uint16), (8, np.int32))
    ]
    bright, dark, also_dark = convert_deep(contents)
    assert np.array_equal(bright[0], DEEP_RAMP >> 4)
    assert np.array_equal(dark[0], DEEP_RAMP >> 7)
    assert np.array_equal(also_dark, dark)


def test_convert_images_needs_range():
    with pytest.raises(UnknownRangeError):
        convert_images(
            [RawImage("x", encode_image(Image.fromarray(DEEP_RAMP)))], ResizeRule(size=8)
        )


@pytest.mark.parametrize("offset", [70_000, -500])
def test_convert_images_of_32_bits_by_range(offset):
    values = np.arange(64, dtype=np.int32).reshape(8, 8) * 4 + offset
    (pixels,) = convert_deep([encode_image(Image.fromarray(values), "TIFF")])
    assert np.array_equal(pixels[0].ravel(), np.arange(64) * 4 * 256 // 253)


def test_convert_images_of_fractions_by_range():
    values = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
    (pixels,) = convert_deep([encode_image(Image.fromarray(values), "TIFF")])
    assert np.array_equal(pixels[0], np.minimum((values + 1) * 128, 255).astype(np.uint8))
    eighths = (GREY / np.float32(255)).astype(np.float32)
    (pixels,) = convert_deep([eighths], PixelRange(0, 1))
    assert np.array_equal(pixels[0], GREY)


def test_convert_images_refuses_infinite_pixels():
    values = np.full((8, 8), np.inf, np.float32)
    converted = convert_images([RawImage("x", values)], ResizeRule(size=8), PixelRange(0, 1))
    assert [image.reason for image in converted.skipped] == ["pixels that are not finite numbers"]


def test_convert_images_of_given_range():
    (pixels,) = convert_deep([DEEP_RAMP], PixelRange(0, 2047))
    assert np.array_equal(pixels[0], np.minimum(DEEP_RAMP >> 3, 255))


DEEP_COLOURS = np.stack([DEEP_RAMP, DEEP_RAMP[::-1], DEEP_RAMP.T], 2)
DEEP_ALPHA = np.full((8, 8, 1), 65535, np.uint16)


def test_convert_images_of_deep_colours():
    """Of 12 bits in 16, the upper byte alone is nearly black."""
    expected = (DEEP_COLOURS >> 4).transpose(2, 0, 1)
    (opaque,) = convert_deep([encode_deep_png(DEEP_COLOURS, 2)])
    assert np.array_equal(opaque, expected)
    (transparent,) = convert_deep([encode_deep_png(np.dstack([DEEP_COLOURS, DEEP_ALPHA]), 6)])
    assert np.array_equal(transparent, expected)
    (grey,) = convert_deep([encode_deep_png(np.dstack([DEEP_RAMP, DEEP_ALPHA]), 4)])
    assert np.array_equal(grey[0], DEEP_RAMP >> 4)
    half = np.dstack([DEEP_RAMP, np.zeros_like(DEEP_RAMP)])
    assert convert_deep([encode_deep_png(half, 4)])[0].min() == 255


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compress", [False, True])
def test_convert_images_of_deep_tiff(order, compress):
    expected = (DEEP_COLOURS >> 4).transpose(2, 0, 1)
    (pixels,) = convert_deep([encode_deep_tiff(DEEP_COLOURS, order, compress=compress)])
    assert np.array_equal(pixels, expected)
    turned = encode_deep_tiff(DEEP_COLOURS, order, compress=compress, orientation=6)
    assert np.array_equal(convert_deep([turned])[0], np.rot90(expected, -1, (1, 2)))
    with_alpha = np.dstack([DEEP_COLOURS, DEEP_ALPHA])
    (pixels,) = convert_deep([encode_deep_tiff(with_alpha, order, compress=compress, extra=2)])
    assert np.array_equal(pixels, expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compress", [False, True])
def test_convert_images_of_deep_tiff_in_planes(order, compress):
    expected, options = (DEEP_COLOURS >> 4).transpose(2, 0, 1), {"compress": compress, "planes": 2}
    (pixels,) = convert_deep([encode_deep_tiff(DEEP_COLOURS, order, **options)])
    assert np.array_equal(pixels, expected)
    turned = encode_deep_tiff(DEEP_COLOURS, order, **options, orientation=6)
    assert np.array_equal(convert_deep([turned])[0], np.rot90(expected, -1, (1, 2)))
    for alpha, extra in ((0, 2), (65535, 2), (0, 0)):  # opacity, or a channel without a meaning
        values = np.dstack([DEEP_COLOURS, np.full_like(DEEP_ALPHA, alpha)])
        (pixels,) = convert_deep([encode_deep_tiff(values, order, **options, extra=extra)])
        is_transparent = alpha == 0 and extra == 2
        assert np.array_equal(pixels, np.full_like(expected, 255) if is_transparent else expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planes", [1, 2])
def test_convert_images_refuses_multiplied_colours(order, planes):
    content = encode_deep_tiff(
        np.dstack([DEEP_COLOURS, DEEP_ALPHA]), order, planes=planes, extra=1
    )
    (skipped,) = convert_images([RawImage("x", content)], ResizeRule(size=8)).skipped
    assert skipped.reason == "colours of more than 8 bits in an unusual order"


def test_convert_images_of_deep_ppm():
    content = b"P6 8 8 65535\n" + DEEP_COLOURS.astype(">u2").tobytes()
    (pixels,) = convert_deep([content])
    assert np.array_equal(pixels, (DEEP_COLOURS >> 4).transpose(2, 0, 1))
    converted = convert_images(
        [
            RawImage("of 12 bits", content.replace(b"65535", b"4095")),
            RawImage("cut", content[:-1]),
            RawImage("text", b"P3 1 1 65535 100 200 300"),
        ],
        ResizeRule(size=8),
        PixelRange(0, 4095),
    )
    assert np.abs(converted.pixels[0] - (DEEP_COLOURS / 4095 * 255).transpose(2, 0, 1)).max() < 1
    assert [image.reason for image in converted.skipped] == [
        "truncated or damaged",
        "colours of more than 8 bits in an unusual order",
    ]


def encode_jpeg2000(values, bits):
    """Encode a JPEG 2000 of another depth than Pillow writes: its bits less the middle grey."""
    written_bits = 8 * values.dtype.itemsize
    content = bytearray(encode_image(Image.fromarray(values), "JPEG2000", irreversible=False))
    start = content.index(b"\xff\x4f\xff\x51") + 42
    for position in range(start, start + 3 * values[0, 0].size, 3):
        assert content[position] == written_bits - 1
        content[position] = bits - 1
    content[content.index(b"ihdr") + 14] = bits - 1
    return bytes(content)


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_convert_images_of_deep_jpeg2000(bits):
    """Grey values are those of the file, beside files of other formats."""
    values = (DEEP_RAMP >> (12 - min(bits, 12))).astype(np.uint16)
    middle_grey_difference = np.uint16((1 << 15) - (1 << (bits - 1)))
    contents = [
        encode_jpeg2000(values + middle_grey_difference, bits),
        encode_image(Image.fromarray(DEEP_RAMP)),
    ]
    pixels, other_pixels = convert_deep(contents)
    assert np.array_equal(pixels[0], values >> 4)
    assert np.array_equal(other_pixels[0], DEEP_RAMP >> 4)


@pytest.mark.parametrize("bits", [9, 12, 16])
def test_convert_images_refuses_deep_colours_in_jpeg2000(bits):
    """Pillow decodes the upper 8 bits only, which are nearly black for data of 12 bits in 16."""
    colours = random_images(1)[0]
    raw_images = [RawImage("x.jp2", encode_jpeg2000(colours, bits))]
    converted = convert_images(raw_images, ResizeRule(size=8), PixelRange(0, 4095))
    (skipped,) = converted.skipped
    assert skipped.reason == "colours of more than 8 bits in an unusual order"
    assert skipped.detail == f"JPEG 2000 of {bits} bits"
    assert measure_images(raw_images).max_integer == -np.inf


def test_convert_images_of_deep_transparent_colour():
    expected = (DEEP_COLOURS >> 4).transpose(2, 0, 1).copy()
    expected[:, 2, 3] = 255
    colour = tuple(DEEP_COLOURS[2, 3])
    assert np.array_equal(convert_deep([encode_deep_png(DEEP_COLOURS, 2, colour)])[0], expected)
    grey = convert_deep([encode_deep_png(DEEP_RAMP, 0, (DEEP_RAMP[2, 3],))])[0]
    assert (grey[0, 2, 3], grey[0, 2, 4]) == (255, DEEP_RAMP[2, 4] >> 4)


def test_convert_images_of_eight_bits_keeps_range():
    content = encode_image(Image.fromarray(GREY // 4))
    converted = convert_images([RawImage("x", content)], ResizeRule(size=8), PixelRange(0, 63))
    assert np.array_equal(converted.pixels[0][0], GREY // 4)
    assert converted.num_deep == 0


@pytest.mark.parametrize("dtype", [np.bool_, np.int64, ">u2", np.float16, np.longdouble])
def test_convert_images_of_array_types(dtype):
    values = (GREY > 127).astype(dtype)
    if dtype != np.bool_:
        values = values * np.asarray(255, dtype)
    converted = convert_images([RawImage("x", values)], ResizeRule(size=8), PixelRange(0, 255))
    assert np.array_equal(converted.pixels[0][0], 255 * (GREY > 127))


def test_convert_images_transparent_over_white():
    alpha = np.zeros((8, 8, 1), np.uint8)
    alpha[:4] = 255
    converted = convert_one(encode_image(Image.fromarray(np.concatenate([IMAGE, alpha], 2))))
    assert np.array_equal(converted[:, :4], IMAGE_CHANNELS[:, :4])
    assert converted[:, 4:].min() == 255
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    assert set(convert_one(encode_image(half)).ravel().tolist()) == {127}
    grey = Image.fromarray(np.stack([GREY, alpha[..., 0]], 2), "LA")
    assert np.array_equal(convert_one(encode_image(grey))[0, :4], GREY[:4])
    assert convert_one(encode_image(grey)).shape == (1, 8, 8)


def test_convert_images_with_palette():
    image = Image.fromarray(GREY % 3, "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    assert np.array_equal(convert_one(encode_image(image)), colours[GREY % 3].transpose(2, 0, 1))
    converted = convert_one(encode_image(image, transparency=1))
    assert (converted.transpose(1, 2, 0)[GREY % 3 == 1] == 255).all()
    assert (converted.transpose(1, 2, 0)[GREY % 3 == 2] == colours[2]).all()


def test_convert_images_cmyk_to_rgb():
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    converted = convert_one(encode_image(image, "TIFF"))
    assert converted[:, 0, 0].tolist() == [255, 0, 0]
    converted = convert_one(encode_image(image, "JPEG", quality=95)).astype(int)
    assert abs(converted[:, 4, 4] - [255, 0, 0]).max() < 8


def _with(image, exif):
    copy = image.copy()
    copy.getexif().update(exif)
    return copy


@pytest.mark.parametrize("orientation", range(1, 9))
def test_convert_images_applies_exif_orientation(orientation):
    image, exif = Image.fromarray(IMAGE), Image.Exif()
    exif[0x0112] = orientation
    turned = np.asarray(ImageOps.exif_transpose(_with(image, exif)))
    converted = convert_one(encode_image(image, "PNG", exif=exif))
    assert np.array_equal(converted, turned.transpose(2, 0, 1))
    assert np.array_equal(converted, IMAGE_CHANNELS) == (orientation == 1)


def test_convert_images_ignores_damaged_exif():
    content = encode_image(Image.fromarray(IMAGE), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(convert_one(content), IMAGE_CHANNELS)


def test_convert_images_uses_first_frame():
    frames = [Image.fromarray(random_images(1, seed=s)[0]) for s in range(3)]
    content = encode_image(
        frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True
    )
    assert np.array_equal(convert_one(content), np.asarray(frames[0]).transpose(2, 0, 1))


def test_image_suffixes_match_formats():
    Image.init()
    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind != "TGA"}
    assert IMAGE_SUFFIXES - {".jpe", ".jfif", ".avif"} <= known


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_has_colours_agrees_with_decoding(mode):
    image = Image.fromarray(random_images(1)[0]).convert(mode)
    content = encode_image(image, "TIFF")
    (pixels,) = convert_images([RawImage("x", content)], ResizeRule()).pixels
    assert has_colours(content) is (len(pixels) == 3)


def test_has_colours_of_pixels_and_damaged_files():
    assert has_colours(random_images(1)[0])
    assert not has_colours(random_images(1, channels=1)[0, ..., 0])
    assert not any(has_colours(content) for content in (b"", b"hello"))
    assert has_colours(GOOD[:-2000])  # its header is whole
