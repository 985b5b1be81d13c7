"""A folder of pictures, end to end: prepare it, train on it, and save generated pictures.

Draws discs and squares into two folders, as a stand-in for pictures of your own, prepares them as
one data set whose labels are the folders, trains DCGAN with the terms of IID-GAN, and writes
samples.png. Prints what was prepared, how training ended, and where the samples are. 500 steps
are a first look: the samples are still blurred, without the colours of the pictures.

    python examples/folder_of_pictures.py --steps 500 --out runs/shapes
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import iidgan

SIDE = 16


def draw_pictures(folder: Path, num_per_class: int) -> None:
    """Draw discs and squares of random colours, sizes and positions."""
    random = np.random.default_rng(0)
    for shape in ("disc", "square"):
        (folder / shape).mkdir(parents=True, exist_ok=True)
        for i in range(num_per_class):
            image = Image.new("RGB", (SIDE, SIDE))
            left, top = random.integers(1, 6, 2)
            box = (left, top, left + random.integers(6, 9), top + random.integers(6, 9))
            draw = ImageDraw.Draw(image)
            fill = draw.ellipse if shape == "disc" else draw.rectangle
            fill([int(side) for side in box], fill=tuple(random.integers(80, 256, 3).tolist()))
            image.save(folder / shape / f"{i:04}.png")


def save_grid(samples: np.ndarray, path: Path) -> None:
    """Save 64 images (64, 3, side, side) in [-1, 1] as one picture."""
    pixels = ((samples + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    rows = pixels.reshape(8, 8, 3, SIDE, SIDE).transpose(0, 3, 1, 4, 2)
    Image.fromarray(rows.reshape(8 * SIDE, 8 * SIDE, 3)).save(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--out", type=Path, default=Path("runs/shapes"))
    options = parser.parse_args()
    out = options.out
    draw_pictures(out / "pictures", num_per_class=200)

    prepared = iidgan.prepare("drawings", origin=f"{out}/pictures", size=SIDE, root=f"{out}/data")
    manifest = prepared.manifest
    print(f"prepared {manifest.count} images of shape {manifest.shape}: {manifest.labels}")

    source = iidgan.prepared("drawings", root=f"{out}/data")
    # An average of the weights, which is recommended, needs a longer training.
    run = iidgan.recommended(source, "iid-gan")
    run = replace(run, steps=options.steps, ema=0.0, ema_rampup=0.0)
    run = replace(run, arch=iidgan.DCGAN(width=16, latent=16))
    result = iidgan.train(run, out=out / "run")
    print(f"{result.outcome} at step {result.step}")

    model = iidgan.load(out / "run")
    save_grid(model.sample(64).numpy(), out / "samples.png")
    print(f"samples: {out / 'samples.png'}")
