"""`iidgan directions`: directions of the latent space, and samples along them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
import tyro
from torch import Tensor
from torch.nn.functional import normalize

from iidgan.cli.latent.grid_output import GRID_SUFFIXES, BaseOptions, save_grid
from iidgan.cli.latent.model_options import check_suffix, save_arrays
from iidgan.cli.options import check_positive
from iidgan.cli.parse import parse_options
from iidgan.errors import InputError
from iidgan.latent.directions import class_directions, read_input_matrix, sefa_directions
from iidgan.latent.grid import traverse_directions
from iidgan.latent.spacing import space_latents
from iidgan.sample_sets import open_run_data
from iidgan.training.model import Model
from iidgan.utils.subsets import choose_indices

DEFAULT_DIRECTIONS = 5
MAX_ENCODED = 10_000
"""Number of samples from which the mean codes of classes are computed."""


@dataclass(frozen=True, kw_only=True)
class DirectionsOptions(BaseOptions):
    """Find directions of the latent space, and move along each of them.

    `sefa`: those that the first layer of G amplifies most, from its weights alone. `classes`: the
    mean code of each class of the run's data minus the mean of all codes, for which the run needs
    an inverse F. The directions are written beside the picture, as .npz.
    """

    kind: Literal["sefa", "classes"] = "sefa"
    """Which directions."""
    num: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Number of directions of sefa, by default 5, or that of the latents if there are fewer; of
    classes, all are shown."""
    start: Annotated[float, tyro.conf.arg(name="from")] = -3.0
    """First step along a direction, whose length is 1."""
    stop: Annotated[float, tyro.conf.arg(name="to")] = 3.0
    """Last step."""
    steps: int = 9
    """Number of steps."""
    out: str = "directions.png"
    """.png; .gif: images of all rows, moving through the columns. Beside it, .npz: the array
    directions, and the eigenvalues of sefa or the labels of classes; named itself, no picture but
    arrays x and z."""


def directions_command(arguments: list[str]) -> int:
    """Run `iidgan directions` and return its exit code.

    Arguments:
        arguments: Words of the command line after `directions`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(DirectionsOptions, "iidgan directions", arguments)
    if options.num is not None:
        check_positive("num", options.num)
    out_path = check_suffix(options.out, GRID_SUFFIXES)
    values = space_latents(options.start, options.stop, options.steps)
    model = options.load_model()
    names, arrays = FINDERS[options.kind](options, model)
    units = normalize(arrays["directions"], dim=1)
    grid = traverse_directions(options.find_base(model), units, values, names)
    grid = replace(grid, z=options.add_class(grid.z, model))
    arrays_path = out_path.with_suffix(".npz")
    if out_path == arrays_path:
        arrays |= {"x": grid.generate(model), "z": grid.z}
    else:
        save_grid(out_path, grid, model)
    save_arrays(arrays_path, **arrays)
    print(f"{arrays_path}: {len(units)} directions")
    return 0


def _find_sefa(options: DirectionsOptions, model: Model) -> tuple[list[str], dict[str, Tensor]]:
    num = min(DEFAULT_DIRECTIONS, model.latent) if options.num is None else options.num
    directions, eigenvalues = sefa_directions(read_input_matrix(model), num)
    names = [f"direction {row}" for row in range(num)]
    return names, {"directions": directions, "eigenvalues": eigenvalues}


def _find_classes(options: DirectionsOptions, model: Model) -> tuple[list[str], dict[str, Tensor]]:
    data = open_run_data(options.run, options.plugin)
    if data.labels is None:
        raise InputError(f"kind: {data.name} have no labels; use --kind sefa")
    indices = choose_indices(data.num_samples, MAX_ENCODED)
    labels = data.labels[torch.tensor(indices)]
    latents, _ = model.split_codes(model.invert(data.take(indices)))
    directions = class_directions(latents, labels)
    label_names = data.label_names
    names = [
        label_names[label] if label_names else f"class {label}"
        for label in labels.unique().tolist()
    ]
    return names, {"directions": directions, "labels": labels.unique()}


FINDERS: dict[str, Callable[[DirectionsOptions, Model], tuple[list[str], dict[str, Tensor]]]] = {
    "sefa": _find_sefa,
    "classes": _find_classes,
}
