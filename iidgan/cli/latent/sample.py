"""`iidgan sample`: draw samples of a trained run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

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
    """.npz: arrays x (n, *shape) and z (n, M), of a conditional run codes (n, M + K) with one-hot
    classes; .png: a grid of images, or points in the plane."""
    stream: int = 1
    """Number of the random stream; another one gives other samples."""
    psi: float = 1.0
    """Truncation: latents are psi times those of the prior, or styles of stylegan2 psi times as
    far from their mean. Below 1, samples are more typical and vary less; at 0 all of a class are
    the same."""
    label: str | None = None
    """Class of a conditional run, by name or number; all: that many samples of each class, one
    class after the other; up to 16 images of a class share a row. By default classes are as
    frequent as in the data."""


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
    model = options.load_model()
    labels = _choose_labels(options, model)
    num_samples = options.num * len(labels)
    if out_path.suffix == ".png":
        if num_samples > MAX_DRAWN:
            raise InputError(
                f"num: a picture shows at most {MAX_DRAWN:,} samples, got {num_samples:,}; "
                "use .npz"
            )
        samples = torch.cat([*_iterate_samples(options, model, labels)])
        has_row_per_class = len(labels) > 1 and options.num <= MAX_COLUMNS
        columns = options.num if has_row_per_class else None
        save_figure(plot_samples(samples.numpy(), columns), out_path)
    else:
        _save_samples(out_path, model, options, labels)
    print(f"{out_path}: {num_samples} samples of seed {model.point.seeds[0]}")
    return 0


MAX_DRAWN = 10_000
"""Largest number of samples in a picture."""
MAX_COLUMNS = 16
"""Largest number of images of a class that share a row."""


def _choose_labels(options: SampleOptions, model: Model) -> Sequence[str | int | None]:
    """Return the classes of which so many samples are drawn; None: as frequent as in the data."""
    is_class_all = model.classes is not None and "all" in model.classes.names
    if options.label != "all" or is_class_all or model.classes is None:
        return [options.label]
    return range(len(model.classes))


def _iterate_codes(
    options: SampleOptions, model: Model, labels: Sequence[str | int | None], psi: float
) -> Iterator[Tensor]:
    for label in labels:
        yield from model.iterate_prior(options.num, stream=options.stream, psi=psi, label=label)


def _iterate_samples(
    options: SampleOptions, model: Model, labels: Sequence[str | int | None]
) -> Iterator[Tensor]:
    for codes in _iterate_codes(options, model, labels, psi=1.0):
        yield model.generate(codes, options.psi)


def _save_samples(
    path: Path, model: Model, options: SampleOptions, labels: Sequence[str | int | None]
) -> None:
    """Write samples and their codes; the codes are drawn twice rather than stored."""
    first_codes = model.sample_prior(1, label=labels[0])
    x_blocks = (samples.numpy() for samples in _iterate_samples(options, model, labels))
    z_blocks = (codes.numpy() for codes in _iterate_codes(options, model, labels, options.psi))
    num_samples = options.num * len(labels)
    arrays = {
        "x": ArrayBlocks((num_samples, *model.shape), x_blocks),
        "z": ArrayBlocks((num_samples, first_codes.shape[1]), z_blocks),
    }
    check_free_space(path.parent, sum(array.num_bytes for array in arrays.values()), field="num")
    write_file(path, lambda partial: write_npz(partial, arrays))
