#!/usr/bin/env bash
# Pillow 13.0.0 writes fewer frames than it is given: in GIF, WebP and APNG, frames that equal the
# one before are merged, and only their time is kept. So frame i of a saved animation need not be
# step i, and an animation whose frames are all the same is no animation when it is read: a
# traversal of nine steps of a collapsed generator has one frame, and is_animated is False. One
# would expect as many frames as were given. To find step i, add up durations, or write the steps
# side by side in one picture.
# Output seen (Python 3.11), for grey frames 0, 100, 100, 200, and for four frames of 100:
#   13.0.0 GIF frames 3 1 animated True False durations [100, 200, 100]
#   13.0.0 WEBP frames 3 1 animated True False durations [100, 200, 100]
#   13.0.0 PNG frames 3 1 animated True False durations [100, 200, 100]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" pillow==13.0.0 2>/dev/null
cat > "$work/run.py" <<'PY'
import io

import PIL
from PIL import Image


def save_and_open(greys, kind):
    frames = [Image.new("RGB", (8, 8), (grey, grey, grey)) for grey in greys]
    file = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(
        file, kind, save_all=True, append_images=frames[1:], duration=100, loop=0, **options
    )
    return Image.open(file)


def list_durations(image):
    durations = []
    for frame in range(image.n_frames):
        image.seek(frame)
        image.load()
        durations.append(round(image.info["duration"]))
    return durations


for kind in ("GIF", "WEBP", "PNG"):
    moving, still = save_and_open([0, 100, 100, 200], kind), save_and_open([100] * 4, kind)
    print(
        PIL.__version__, kind, "frames", moving.n_frames, still.n_frames,
        "animated", moving.is_animated, still.is_animated, "durations", list_durations(moving),
    )
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py")
echo "$seen"
[ "$seen" = "13.0.0 GIF frames 3 1 animated True False durations [100, 200, 100]
13.0.0 WEBP frames 3 1 animated True False durations [100, 200, 100]
13.0.0 PNG frames 3 1 animated True False durations [100, 200, 100]" ]
