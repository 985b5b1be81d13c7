"""`iidgan sample`: draw samples of a trained run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

from iidgan.cli.latent.model_options import ModelOptions, check_suffix
from iidgan.cli.options import check_positive
from iidgan.cli.parse import parse_options
from iidgan.data.array_files import ArrayBlocks, write_npz
from iidgan.errors import InputError
from iidgan.figures.run import plot_samples
from iidgan.report import save_figure
from iidgan.training.model import Model
from iidgan.utils.files import check_free_space, write_file


@dataclass(frozen=True, kw_only=True)
class SampleOptions(ModelOptions):
    """Draw samples of one seed."""

    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 1000
    """Number of samples; any for .npz files, which are written block by block."""
    out: str = "samples.npz"
    """.npz: arrays x (n, *shape) and z (n, M); .png: a grid of images, or points in the plane."""
    stream: int = 1
    """Number of the random stream; another one gives other samples."""
    psi: float = 1.0
    """Truncation: latents are psi times those of the prior. Below 1, samples are more typical and
    vary less; at 0 all are the same."""


def sample_command(arguments: list[str]) -> int:
    """Run `iidgan sample` and return its exit code.

    Arguments:
        arguments: Words of the command line after `sample`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(SampleOptions, "iidgan sample", arguments)
    check_positive("num", options.num)
    out_path = check_suffix(options.out, (".npz", ".png"))
    if out_path.suffix == ".png" and options.num > MAX_DRAWN:
        raise InputError(
            f"num: a picture shows at most {MAX_DRAWN:,} samples, got {options.num:,}; use .npz"
        )
    model = options.load_model()
    if out_path.suffix == ".png":
        samples = model.sample(options.num, stream=options.stream, psi=options.psi)
        save_figure(plot_samples(samples.numpy()), out_path)
    else:
        _save_samples(out_path, model, options)
    print(f"{out_path}: {options.num} samples of seed {model.point.seeds[0]}")
    return 0


MAX_DRAWN = 10_000
"""Largest number of samples in a picture."""


def _save_samples(path: Path, model: Model, options: SampleOptions) -> None:
    """Write samples and their latents; the latents are drawn twice rather than stored."""

    def draw_latents() -> Iterator[torch.Tensor]:
        return model.iterate_prior(options.num, stream=options.stream, psi=options.psi)

    x_blocks = (model.generate(z).numpy() for z in draw_latents())
    z_blocks = (z.numpy() for z in draw_latents())
    arrays = {
        "x": ArrayBlocks((options.num, *model.shape), x_blocks),
        "z": ArrayBlocks((options.num, model.latent), z_blocks),
    }
    check_free_space(path.parent, sum(array.num_bytes for array in arrays.values()), field="num")
    write_file(path, lambda partial: write_npz(partial, arrays))
