"""The plane of points: data, generated samples, modes, codes and density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.core import Dataset, GaussianMixture
from iidgan.metrics import assign_modes
from iidgan.training.model import Model
from iidgan.utils.subsets import choose_indices

NUM_POINTS = 2000
"""Number of points of the data that are shown."""
NUM_COUNTED = 20_000
"""Number of generated samples from which shares of modes and the density are computed."""
NUM_BINS = 96
MARGIN = 0.15
"""Part of the window on each side of the data that has none."""


def describe_plane(model: Model, data: Dataset) -> dict[str, Any] | None:
    """Describe the first two coordinates of a generator of points and of its data.

    Arguments:
        model: The generator.
        data: The data that it was trained on.

    Returns:
        The answer to `plane`, as `page/backend.js` describes it; None for images, and for points
        on a line.
    """
    if len(model.shape) != 1 or model.shape[0] < 2:
        return None
    index = torch.tensor(choose_indices(len(data), NUM_POINTS))
    real = data.in_own_units().take_samples(index.to(data.x.device)).cpu()
    generated = model.sample(NUM_COUNTED)
    truth = data.truth if isinstance(data.truth, GaussianMixture) else None
    has_codes = model.has_inverse and model.latent == 2
    codes = model.split_codes(model.invert(real))[0] if has_codes else None
    return {
        "data": _take_plane(real),
        "modes": [] if truth is None else _describe_modes(truth, generated),
        "codes": None if codes is None else codes.numpy(),
        "codeModes": None
        if codes is None or truth is None
        else assign_modes(real[None], truth)[0].numpy().astype(np.int32),
        "density": estimate_density(generated[:, :2].numpy(), *_choose_window(real)),
    }


def _take_plane(points: Tensor) -> NDArray[np.float32]:
    return points[:, :2].float().contiguous().numpy()


def _choose_window(points: Tensor) -> Sequence[tuple[float, float]]:
    """Return a square around points: the limits of both axes."""
    low, high = points[:, :2].amin(0), points[:, :2].amax(0)
    centres = ((low + high) / 2).tolist()
    half_side = max(float((high - low).max()) / 2, 1e-6) / (1 - 2 * MARGIN)
    return [(centre - half_side, centre + half_side) for centre in centres]


def _describe_modes(truth: GaussianMixture, generated: Tensor) -> list[dict[str, Any]]:
    modes = assign_modes(generated[None], truth)[0]
    num_modes = len(truth.centres)
    shares = torch.bincount(modes[modes >= 0], minlength=num_modes) / len(generated)
    scales = truth.shapes if truth.shapes is not None else torch.eye(truth.centres.shape[1])
    factors = truth.std * scales.double().expand(num_modes, -1, -1)[:, :2]
    lengths, directions = torch.linalg.eigh(factors @ factors.mT)
    axes = (directions * lengths.clamp(min=0).sqrt()[:, None]).mT
    rows = zip(truth.centres[:, :2].tolist(), axes.tolist(), shares.tolist(), truth.probabilities)
    return [
        {"x": x, "y": y, "axes": ellipse, "share": share, "expected": float(expected)}
        for (x, y), ellipse, share, expected in rows
    ]


def estimate_density(
    points: NDArray[np.float32], x: tuple[float, float], y: tuple[float, float]
) -> dict[str, Any]:
    """Estimate the density of points by a histogram that is smoothed by (1, 2, 1) / 4.

    Arguments:
        points: The points, (n, 2).
        x: Limits of the first axis.
        y: Limits of the second axis.

    Returns:
        Values from the lowest row, the largest of which is 1 if any point is in the window, and
        the limits.

    Examples:
        >>> density = estimate_density(np.zeros((5, 2), np.float32), (-1, 1), (-1, 1))
        >>> density["rows"], float(density["values"].max())
        (96, 1.0)
    """
    finite_points = points[np.isfinite(points).all(1)]
    counts, _, _ = np.histogram2d(
        finite_points[:, 1], finite_points[:, 0], bins=NUM_BINS, range=(y, x)
    )
    for axis in (0, 1):
        padded = np.pad(counts, [(1, 1) if axis == i else (0, 0) for i in (0, 1)])
        before, centre, after = (
            padded.take(range(start, start + NUM_BINS), axis) for start in (0, 1, 2)
        )
        counts = (before + 2 * centre + after) / 4
    values = (counts / max(counts.max(), 1e-12)).astype(np.float32)
    return {"values": values, "rows": NUM_BINS, "columns": NUM_BINS, "x": [*x], "y": [*y]}
