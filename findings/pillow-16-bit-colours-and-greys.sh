#!/usr/bin/env bash
# Pillow 13.0.0 reduces PNG files of 16 bits to 8 in two ways, without a warning. Colours are
# decoded to mode RGB, which keeps the upper byte of each value: 12-bit data come out nearly black.
# Greys are decoded to mode I;16, and convert("L") or convert("RGB") clips at 255: the same data
# come out white. The lower byte of colours can be had by swapping the byte order in the raw mode of
# the file's tile before its pixels are decoded.
# Output seen (Python 3.11), for the values 255, 256 and 4095:
#   13.0.0 colours RGB;16B [0, 1, 15] greys I;16 [255, 256, 4095] as L [255, 255, 255] lower bytes [255, 0, 255]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" pillow==13.0.0 2>/dev/null
cat > "$work/run.py" <<'PY'
import io
import struct
import zlib

import PIL
from PIL import Image

GREY, COLOUR = 0, 2


def encode_png(values, colour_type, width):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, 1, 16, colour_type, 0, 0, 0)
    row = b"\0" + struct.pack(f">{len(values)}H", *values)
    pixels = zlib.compress(row)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunks)


values = [255, 256, 4095]
colours = Image.open(encode_png(values, COLOUR, 1))
layout = colours.tile[0].args
swapped = Image.open(encode_png(values, COLOUR, 1))
swapped.tile = [tile._replace(args="RGB;16L") for tile in swapped.tile]
greys = Image.open(encode_png(values, GREY, 3))
print(
    PIL.__version__, "colours", layout, list(colours.getpixel((0, 0))),
    "greys", greys.mode, [greys.getpixel((i, 0)) for i in range(3)],
    "as L", [greys.convert("L").getpixel((i, 0)) for i in range(3)],
    "lower bytes", list(swapped.getpixel((0, 0))),
)
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py")
echo "$seen"
[ "$seen" = "13.0.0 colours RGB;16B [0, 1, 15] greys I;16 [255, 256, 4095] as L [255, 255, 255] lower bytes [255, 0, 255]" ]
