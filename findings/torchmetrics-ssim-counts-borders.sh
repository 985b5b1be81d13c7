#!/usr/bin/env bash
# torchmetrics 1.9.0 averages the structural similarity over every pixel of the image, those at the
# border with windows that reach over it, into its reflection. scikit-image 0.26.0, with the same
# Gaussian window of 11 pixels, and the publication's own code average over the windows inside the
# image alone. No option of torchmetrics does: `return_full_image` returns values of all pixels, of
# which the inner ones are those of scikit-image. The difference grows as images shrink, where the
# inner part is small: for two images of 16 pixels that differ in the middle alone, 1 - SSIM is a
# sixth of scikit-image's. MS-SSIM, a product of such means at smaller scales, inherits it.
# Output seen (Python 3.11):
#   torchmetrics 1.9.0: 0.9921 at 16 pixels, 0.9977 at 64; its inner pixels: 0.9523, 0.9967
#   scikit-image 0.26.0: 0.9523 at 16 pixels, 0.9967 at 64
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" torch==2.13.0 \
    numpy==2.4.6 torchmetrics==1.9.0 scikit-image==0.26.0 2>/dev/null
cat > "$work/run.py" <<'PY'
from importlib.metadata import version

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure


def make_pair(side):
    """A smooth image, and the same with a dot in the middle."""
    rows, columns = np.mgrid[:side, :side] / side
    image = 0.5 + 0.4 * np.sin(6 * rows) * np.cos(6 * columns)
    other = image.copy()
    other[side // 2, side // 2] += 0.3
    return image.astype(np.float32), other.astype(np.float32)


def measure(image, other):
    x, y = (torch.from_numpy(values)[None, None] for values in (image, other))
    value, full = structural_similarity_index_measure(
        x, y, data_range=1.0, return_full_image=True
    )
    inner = full[..., 5:-5, 5:-5].mean()
    reference = structural_similarity(
        image, other, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
    )
    return float(value), float(inner), float(reference)


small, large = (measure(*make_pair(side)) for side in (16, 64))
print(
    f"torchmetrics {version('torchmetrics')}: {small[0]:.4f} at 16 pixels, {large[0]:.4f} at 64;",
    f"its inner pixels: {small[1]:.4f}, {large[1]:.4f}",
)
print(
    f"scikit-image {version('scikit-image')}: {small[2]:.4f} at 16 pixels, {large[2]:.4f} at 64"
)
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py")
echo "$seen"
[ "$seen" = "torchmetrics 1.9.0: 0.9921 at 16 pixels, 0.9977 at 64; its inner pixels: 0.9523, 0.9967
scikit-image 0.26.0: 0.9523 at 16 pixels, 0.9967 at 64" ]
