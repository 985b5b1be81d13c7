"""From a run's stored arrays and logs to its figures."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch

from iidgan.errors import InputError
from iidgan.evaluation.evaluate import Arrays
from iidgan.metrics import qq
from iidgan.records import Row, read
from iidgan.report import (
    QQ,
    Panel,
    Series,
    curve_grid,
    generations,
    image_grid,
    latent_panels,
    qq_plot,
    save,
    scatter,
)
from iidgan.training.run_dir import RunFolder
from iidgan.utils.jsonl import read_lines

DIGITS = ("digits_modes", "digits_bad", "digits_kl", "digits_kl_reverse")
STACKED = ("stacked_modes", "stacked_kl", "stacked_kl_train")
SHOWN = (
    *("modes_100", "quality", "reverse_kl", "shapiro_wilk", "ks", "z_error", "x_error"),
    *(*DIGITS, *STACKED, "classifier_fid"),
)
IMAGES = 64


def load_arrays(folder: RunFolder) -> Arrays:
    """Reads the samples that a run keeps for its figures.

    Raises:
        InputError: There are none yet, or they are damaged.
    """
    if not folder.arrays.exists():
        raise InputError(f"run: {folder.path} holds no samples yet; it has no checkpoint")
    try:
        with folder.arrays.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise InputError(f"{folder.arrays}: damaged ({error}); evaluate again") from None


def draw_figures(folder: RunFolder, out: Path, seed: int | None = None) -> Iterator[Path]:
    """Draws what can be drawn of a run, and gives the path of each figure."""
    run, seeds = folder.read()
    arrays = load_arrays(folder)
    position = _position(seeds, seed, read(folder.metrics))
    label = f"run {run.id}, seed {seeds[position]}"
    if "centres" in arrays and run.arch.latent == 2:
        panel = panel_of(arrays, label, position)
        yield save(latent_panels([panel]), out / "latent.png")
        yield save(generations([panel]), out / "samples.png")
    elif arrays["real"].shape[1:] == (2,):
        yield save(scatter(arrays["generated"][position], arrays["real"]), out / "samples.png")
    elif arrays["real"].ndim == 4:
        yield picture(arrays["generated"][position][:IMAGES], out / "samples.png")
    if "x_cycled" in arrays and arrays["real"].ndim == 4:
        half = IMAGES // 2
        pairs = np.stack([arrays["real"][:half], arrays["x_cycled"][position][:half]], axis=1)
        yield picture(pairs.reshape(-1, *pairs.shape[2:]), out / "reconstructions.png")
    if "codes" in arrays:
        yield save(qq_plot([qq_of(arrays, label, position)]), out / "qq.png")
    if losses := loss_series(folder, f"run {run.id}", seeds):
        yield save(curve_grid(losses), out / "losses.png")
    if metrics := metric_series(folder, f"run {run.id}", seeds):
        yield save(curve_grid(metrics), out / "metrics.png")


def picture(samples: npt.NDArray[Any], out: Path) -> Path:
    """Saves images as a grid, or points in the plane as a scatter plot.

    Raises:
        InputError: The samples are neither.
    """
    if samples.ndim == 4 and samples.shape[1] in (1, 3):
        return save(image_grid(samples, columns=8 if len(samples) <= IMAGES else 16), out)
    if samples.ndim == 2 and samples.shape[1] == 2:
        return save(scatter(samples), out)
    raise InputError(
        f"out: samples of shape {samples.shape[1:]} have no picture; use .npz instead of .png"
    )


def panel_of(arrays: Arrays, label: str, position: int) -> Panel:
    """Collects one seed's row of the latent figure."""
    codes = arrays.get("codes")
    return Panel(
        label=label,
        codes=None if codes is None else codes[position].astype(float),
        code_modes=None if codes is None else arrays["real_modes"],
        z=arrays["z"][position].astype(float),
        z_modes=arrays["modes"][position],
        generated=arrays["generated"][position].astype(float),
        centres=arrays["centres"].astype(float),
        std=float(arrays["std"]),
    )


def qq_of(arrays: Arrays, label: str, position: int) -> QQ:
    theoretical, ordered = qq(torch.from_numpy(arrays["codes"][position : position + 1]))
    return QQ(label=label, theoretical=theoretical.numpy(), ordered=ordered[0].numpy())


def loss_series(folder: RunFolder, label: str, seeds: Sequence[int]) -> dict[str, list[Series]]:
    """Reads the loss curves, one for each name, seeds together."""
    records = read_lines(folder.log)
    names = dict.fromkeys(key for record in records for key in record if "/" in key)
    found = {
        name: {(r["step"], r["seed"]): r[name] for r in records if r.get(name) is not None}
        for name in names
    }
    return {name: [_series(label, points, seeds)] for name, points in found.items() if points}


def metric_series(folder: RunFolder, label: str, seeds: Sequence[int]) -> dict[str, list[Series]]:
    """Reads the metric curves that a figure shows, where there are at least two points."""
    rows = read(folder.metrics)
    made = {}
    for name in SHOWN:
        points = {(row.step, row.seed): row.value for row in rows if row.metric == name}
        if len({step for step, _ in points}) > 1:
            made[name] = [_series(label, points, seeds)]
    return made


def _series(label: str, points: Mapping[tuple[int, int], float], seeds: Sequence[int]) -> Series:
    """Lays points out by seed and step; NaN where there is none."""
    steps = sorted({step for step, _ in points})
    values = [[points.get((step, seed), np.nan) for step in steps] for seed in seeds]
    return Series(label=label, steps=np.array(steps, float), values=np.array(values, float))


def _position(seeds: tuple[int, ...], seed: int | None, rows: list[Row]) -> int:
    if seed is not None and seed not in seeds:
        raise InputError(f"seed: {seed} was not trained; there are {', '.join(map(str, seeds))}")
    broken = {row.seed for row in rows if row.diverged >= 0}
    healthy = next((each for each in seeds if each not in broken), seeds[0])
    return seeds.index(healthy if seed is None else seed)
