"""Figures of one run, from its stored arrays, metric records and log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from PIL.Image import Image

from iidgan.errors import InputError
from iidgan.evaluation.arrays import Arrays, load_arrays
from iidgan.metrics import METRICS, qq_quantiles
from iidgan.records import MetricRecord
from iidgan.report import (
    QQ,
    LatentPanel,
    Series,
    make_image_grid,
    plot_curve_grid,
    plot_generated,
    plot_latent_panels,
    plot_points,
    plot_qq,
    save_figure,
)
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import damage_as_input_error
from iidgan.utils.jsonl import read_lines

DIGIT_METRICS = ("digits_modes", "digits_bad", "digits_kl", "digits_kl_reverse")
STACKED_METRICS = ("stacked_modes", "stacked_kl", "stacked_kl_train")
CONDITIONAL_METRICS = ("class_accuracy", "class_coverage", "intra_fd", "class_diversity")
REGISTERED_CURVES = (
    *("modes_100", "quality", "reverse_kl", "shapiro_wilk", "ks", "gaussian_kl"),
    *("z_error", "x_error", *DIGIT_METRICS, *STACKED_METRICS, "classifier_fid"),
    *(*CONDITIONAL_METRICS, "mig", "dci_disentanglement", "dci_completeness"),
)
"""Metrics that figures show as curves, besides those that are not registered."""
MAX_GRID_IMAGES = 64


def draw_figures(run_dir: RunDir, out_dir: Path, seed: int | None = None) -> Iterator[Path]:
    """Save all figures of a run, and yield their paths; if a file is damaged, save none.

    Arguments:
        run_dir: The run directory.
        out_dir: Folder of the figures.
        seed: Seed whose samples are shown; by default the first one that did not diverge.
    """
    figures = {**dict(make_sample_figures(run_dir, seed)), **dict(make_curve_figures(run_dir))}
    for file_name, figure in figures.items():
        yield save_figure(figure, out_dir / file_name)


def make_sample_figures(
    run_dir: RunDir, seed: int | None = None
) -> Iterator[tuple[str, Figure | Image]]:
    """Draw samples, reconstructions and codes of one seed, and yield them with file names.

    Arguments:
        run_dir: The run directory.
        seed: The seed; by default the first one that did not diverge.

    Raises:
        InputError: The run has no samples yet, or the seed was not trained.
    """
    run, _ = run_dir.read_run()
    arrays = load_arrays(run_dir.arrays_file)
    sampled_seeds = tuple(arrays["seeds"].tolist())
    seed_index = _select_seed(sampled_seeds, seed, run_dir.read_metric_records())
    label = f"run {run.id}, seed {sampled_seeds[seed_index]}"
    is_planar = arrays["real"].shape[1:] == (2,)
    if "centres" in arrays and is_planar:
        panel = make_latent_panel(arrays, label, seed_index)
        if panel.z is not None:
            yield "latent.png", plot_latent_panels([panel])
        yield "samples.png", plot_generated([panel])
    elif is_planar:
        generated = arrays["generated"][seed_index]
        yield "samples.png", plot_points(generated, arrays["real"], title=label)
    elif arrays["real"].ndim == 4:
        images = arrays["generated"][seed_index][:MAX_GRID_IMAGES]
        yield "samples.png", plot_samples(images)
    if "x_cycled" in arrays and arrays["real"].ndim == 4:
        yield "reconstructions.png", plot_samples(_pair_reconstructions(arrays, seed_index))
    if "codes" in arrays:
        yield "qq.png", plot_qq([make_qq(arrays, label, seed_index)])


def make_curve_figures(run_dir: RunDir) -> Iterator[tuple[str, Figure]]:
    """Draw losses and metrics over training, where there are any, with file names.

    Arguments:
        run_dir: The run directory.
    """
    run, seeds = run_dir.read_run()
    if losses := load_loss_series(run_dir, f"run {run.id}", seeds):
        yield "losses.png", plot_curve_grid(losses)
    if metrics := load_metric_series(run_dir, f"run {run.id}", seeds):
        yield "metrics.png", plot_curve_grid(metrics)


def _pair_reconstructions(arrays: Arrays, seed_index: int) -> npt.NDArray[Any]:
    """Place each real image x beside G(F(x))."""
    num_pairs = MAX_GRID_IMAGES // 2
    real, x_cycled = arrays["real"][:num_pairs], arrays["x_cycled"][seed_index][:num_pairs]
    pairs = np.stack([real, x_cycled], axis=1)
    return pairs.reshape(-1, *pairs.shape[2:])


def plot_samples(samples: npt.NDArray[Any], columns: int | None = None) -> Figure | Image:
    """Show images as a grid, or points in the plane as a scatter plot.

    Arguments:
        samples: Images (N, C, H, W) with C = 1 or 3, uint8 or in [-1, 1]; or points (N, 2).
        columns: Images per row; by default 8, or 16 of many.

    Raises:
        InputError: The samples are neither.

    Examples:
        >>> import numpy as np
        >>> plot_samples(np.zeros((10, 1, 28, 28))).size  # 8 columns, 2 rows, twice enlarged
        (466, 118)
    """
    if samples.ndim == 4 and samples.shape[1] in (1, 3):
        default_columns = 8 if len(samples) <= MAX_GRID_IMAGES else 16
        return make_image_grid(samples, columns=columns or default_columns)
    if samples.ndim == 2 and samples.shape[1] == 2:
        return plot_points(samples)
    raise InputError(
        f"out: samples of shape {samples.shape[1:]} cannot be drawn; use .npz instead of .png"
    )


def make_latent_panel(arrays: Arrays, label: str, seed_index: int) -> LatentPanel:
    """Collect the latents, codes and samples of one seed for a figure.

    Arguments:
        arrays: Arrays of the run, as of `to_arrays`.
        label: Name of the method.
        seed_index: Position of the seed along the first axis.
    """
    z = arrays["z"][seed_index].astype(float)
    has_plane = z.shape[1] == 2
    codes = arrays.get("codes") if has_plane else None
    return LatentPanel(
        label=label,
        codes=None if codes is None else codes[seed_index].astype(float),
        code_modes=None if codes is None else arrays["real_modes"],
        z=z if has_plane else None,
        z_modes=arrays["modes"][seed_index],
        generated=arrays["generated"][seed_index].astype(float),
        centres=arrays["centres"].astype(float),
        std=float(arrays["std"]),
    )


def make_qq(arrays: Arrays, label: str, seed_index: int) -> QQ:
    """Compute the quantiles of one seed's codes for a QQ plot.

    Arguments:
        arrays: Arrays of the run, as of `to_arrays`; `codes` have shape (S, n, M).
        label: Name of the method.
        seed_index: Position of the seed along the first axis.

    Examples:
        >>> codes = torch.randn(1, 5_000, 2, generator=torch.Generator().manual_seed(0))
        >>> qq = make_qq({"codes": codes.numpy()}, "exactly normal", seed_index=0)
        >>> bool(abs(qq.ordered[:, 0] - qq.theoretical).max() < 0.5)
        True
    """
    codes = torch.from_numpy(arrays["codes"][seed_index : seed_index + 1])
    theoretical, ordered = qq_quantiles(codes)
    return QQ(label=label, theoretical=theoretical.numpy(), ordered=ordered[0].numpy())


def load_loss_series(run_dir: RunDir, label: str, seeds: Sequence[int]) -> dict[str, list[Series]]:
    """Load the loss curves of a run's log by the name of the loss.

    Arguments:
        run_dir: The run directory.
        label: Name of the method.
        seeds: Seeds of the run.
    """
    log_records = read_lines(run_dir.log_file)
    names = dict.fromkeys(name for record in log_records for name in record if "/" in name)
    loss_series = {}
    with damage_as_input_error(run_dir.log_file):
        steps = _list_common_steps({(record["step"], record["seed"]) for record in log_records})
        for name in names:
            points = {
                (record["step"], record["seed"]): float(record[name])
                for record in log_records
                if record.get(name) is not None and record["step"] in steps
            }
            if points:
                loss_series[name] = [make_series(label, points, seeds)]
    return loss_series


def load_metric_series(
    run_dir: RunDir, label: str, seeds: Sequence[int]
) -> dict[str, list[Series]]:
    """Load the metric curves of at least two steps by the name of the metric.

    These are the curves of `REGISTERED_CURVES`, and of all metrics that are not registered.

    Arguments:
        run_dir: The run directory.
        label: Name of the method.
        seeds: Seeds of the run.
    """
    records = run_dir.read_metric_records()
    own_metrics = [
        record.metric for record in records if record.protocol.get("family", "") not in _FAMILIES
    ]
    metric_series = {}
    steps = _list_common_steps({(record.step, record.seed) for record in records})
    for name in dict.fromkeys((*REGISTERED_CURVES, *own_metrics)):
        points = {
            (record.step, record.seed): record.value
            for record in records
            if record.metric == name and record.step in steps
        }
        if len({step for step, _ in points}) > 1:
            metric_series[name] = [make_series(label, points, seeds)]
    return metric_series


def _list_common_steps(places: Collection[tuple[int, int]]) -> set[int]:
    """List the steps, of pairs of step and seed, without a gap in the curve of any seed.

    Processes stop at different steps; a mean over the seeds of one would make the curve jump.
    """
    last_steps: dict[int, int] = {}
    for step, seed in places:
        last_steps[seed] = max(step, last_steps.get(seed, 0))
    return {
        step
        for step in {step for step, _ in places}
        if all((step, seed) in places for seed, last in last_steps.items() if last > step)
    }


_FAMILIES = ("", *METRICS)  # records of older versions name no family


def make_series(
    label: str, points: Mapping[tuple[int, int], float], seeds: Sequence[int]
) -> Series:
    """Arrange values by seed and step; NaN where there is no value.

    Arguments:
        label: Name of the method.
        points: Values by step and seed.
        seeds: Seeds of the series, in order.
    """
    steps = sorted({step for step, _ in points})
    values = [[points.get((step, seed), np.nan) for step in steps] for seed in seeds]
    return Series(label=label, steps=np.array(steps, float), values=np.array(values, float))


def _select_seed(seeds: tuple[int, ...], seed: int | None, records: list[MetricRecord]) -> int:
    """Return the index of a seed; by default of the first one that did not diverge."""
    if seed is not None:
        if seed not in seeds:
            trained_seeds = ", ".join(map(str, seeds))
            raise InputError(f"seed: {seed} was not trained; trained seeds: {trained_seeds}")
        return seeds.index(seed)
    diverged_seeds = {record.seed for record in records if record.diverged >= 0}
    stable_seeds = [seed for seed in seeds if seed not in diverged_seeds]
    return seeds.index(stable_seeds[0]) if stable_seeds else 0
