"""What the commands that show a grid of latents have in common: its base, and its output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from iidgan.cli.latent.model_options import ClassOptions, save_arrays
from iidgan.errors import InputError
from iidgan.figures.latent import make_latent_frames, plot_latent_grid
from iidgan.latent.grid import LatentGrid
from iidgan.report import save_animation, save_figure
from iidgan.training.model import Model

GRID_SUFFIXES = (".png", ".gif", ".npz")
RANDOM_GROUP_ROWS = 16
"""Latents after which those before them do not depend on how many are drawn."""
MAX_BASE_SAMPLE = 1_000_000
"""Largest number of a sample: all before it are drawn."""


@dataclass(frozen=True, kw_only=True)
class BaseOptions(ClassOptions):
    """The latents that are kept while others change."""

    base_sample: int | None = None
    """Keep the latents of this sample, from 0, of those that `iidgan sample` draws; by default
    the mean of the prior, 0."""
    stream: int = 1
    """Number of the random stream of --base-sample, as of `iidgan sample`."""

    def find_base(self, model: Model) -> Tensor:
        """Return the latents that are kept, (M,).

        Arguments:
            model: The model.

        Raises:
            InputError: The sample's number is negative or too large.
        """
        if self.base_sample is None:
            return torch.zeros(model.latent)
        if not 0 <= self.base_sample <= MAX_BASE_SAMPLE:
            raise InputError(
                f"base-sample: must be between 0 and {MAX_BASE_SAMPLE:,}, got {self.base_sample}"
            )
        num = self.base_sample + 1 + RANDOM_GROUP_ROWS
        latents, _ = model.split_codes(model.sample_prior(num, stream=self.stream))
        return latents[self.base_sample]


def save_grid(path: Path, grid: LatentGrid, model: Model) -> None:
    """Generate the samples of a grid, and write a picture, an animation or arrays.

    Arguments:
        path: The output; its suffix is one of `GRID_SUFFIXES`.
        grid: The latents.
        model: The model.

    Raises:
        InputError: The samples cannot be shown in this format.
    """
    samples = grid.generate(model)
    if path.suffix == ".npz":
        save_arrays(path, x=samples, z=grid.z)
    elif path.suffix == ".gif":
        save_animation(make_latent_frames(grid, samples), path)
    else:
        save_figure(plot_latent_grid(grid, samples), path)
    num_rows, num_columns = grid.z.shape[:2]
    print(f"{path}: {num_rows} x {num_columns} samples of seed {model.point.seeds[0]}")
