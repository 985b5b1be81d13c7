#!/usr/bin/env bash
# emoji-datasource-twitter 16.0.0 (npm): 45 of its 3,786 emoji of 64 pixels are byte for byte one of
# 11 pictures: families of other members, and flags of territories that use that of a state. So a
# random half of the set contains copies of the other half: a share of "memorised" samples is not 0
# for held-out emoji, distances to nearest neighbours are 0, and neighbour metrics that compare with
# `<` count these emoji as covered by nothing. 177 of the files have a palette, and the others four
# channels, though all are pictures of one style: without a background, the colour of transparent
# pixels is part of the data.
# Output seen (Python 3.11, Pillow 13.0.0):
#   3786 files, 45 in 11 groups of equal bytes; modes: P 177, RGBA 3609
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent emoji-datasource-twitter@16.0.0 > /dev/null
tar xzf emoji-datasource-twitter-16.0.0.tgz package/img/twitter/64
python3 -m pip install --quiet --disable-pip-version-check --target lib pillow==13.0.0 2>/dev/null
cat > count.py <<'PY'
from collections import Counter
from hashlib import sha256
from pathlib import Path

from PIL import Image

paths = sorted(Path("package/img/twitter/64").glob("*.png"))
digests = Counter(sha256(path.read_bytes()).hexdigest() for path in paths)
groups = [count for count in digests.values() if count > 1]
modes = Counter(Image.open(path).mode for path in paths)
print(
    f"{len(paths)} files, {sum(groups)} in {len(groups)} groups of equal bytes; modes:",
    ", ".join(f"{mode} {count}" for mode, count in sorted(modes.items())),
)
PY
seen=$(PYTHONPATH=lib python3 count.py)
echo "$seen"
[ "$seen" = "3786 files, 45 in 11 groups of equal bytes; modes: P 177, RGBA 3609" ]
