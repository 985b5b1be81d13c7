"""Data sources: mixtures and sets of points, arrays in files, MNIST and its kin, prepared images.

Everything that yields samples belongs here, with the true modes where they are known; converting
images into prepared data sets is in `data.prepare`.
"""

from __future__ import annotations

import os
from pathlib import Path

from iidgan.core import Source
from iidgan.data.array_files import ARRAY_READERS
from iidgan.data.array_source import ArrayFile, array
from iidgan.data.gaussian_mixture import Grid, Ring, TwoGaussians
from iidgan.data.idx import FashionMnist, Mnist
from iidgan.data.mixture_file import MixtureFile, is_mixture_file, mixture
from iidgan.data.mixture_source import Mixture
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.point_sets import Checkerboard, Moons, Rings, Spiral, SwissRoll
from iidgan.data.prepared_source import Prepared, is_prepared, prepared, prepared_names
from iidgan.data.shapes import Shapes
from iidgan.data.stacked import StackedFashion, StackedMnist
from iidgan.data.subset import Subset
from iidgan.errors import InputError, unknown_name_error

__all__ = [
    "ARRAY_READERS",
    "FILE_SUFFIXES",
    "SOURCES",
    "ArrayFile",
    "Checkerboard",
    "FashionMnist",
    "Grid",
    "Mixture",
    "MixtureFile",
    "Mnist",
    "Mnist5k",
    "Moons",
    "Prepared",
    "Ring",
    "Rings",
    "Shapes",
    "Spiral",
    "StackedFashion",
    "StackedMnist",
    "Subset",
    "SwissRoll",
    "TwoGaussians",
    "array",
    "list_source_names",
    "mixture",
    "prepared",
    "resolve_source",
]

SOURCES: dict[str, type[Source]] = {
    "ring": Ring,
    "grid": Grid,
    "two-gaussians": TwoGaussians,
    "mixture": Mixture,
    "mixture-file": MixtureFile,
    "rings": Rings,
    "spiral": Spiral,
    "checkerboard": Checkerboard,
    "swiss-roll": SwissRoll,
    "moons": Moons,
    "mnist": Mnist,
    "mnist-5k": Mnist5k,
    "fashion-mnist": FashionMnist,
    "stacked-mnist": StackedMnist,
    "stacked-fashion": StackedFashion,
    "shapes": Shapes,
    "array": ArrayFile,
    "prepared": Prepared,
}
FILE_SUFFIXES = (*ARRAY_READERS, ".json")
"""Suffixes of the files that are sources of points: arrays and mixtures."""
NEEDS_ARGUMENT = {
    "array": f"a file; give its path instead ({', '.join(ARRAY_READERS)})",
    "mixture-file": "a .json or .npz file; give its path instead",
    "prepared": "a data set; give its name instead (iidgan prepare)",
}
"""Argument without a default that a source needs, by the name of the source."""


def resolve_source(text: str, root: str | None = None) -> Source:
    """Create the source of a name, with its defaults, or of a file.

    A file is of an array (.npy, .npz, .csv) or of a mixture (.json, or .npz with centres).

    A data set that `iidgan prepare` has written comes before the files it may have been made
    from.

    Arguments:
        text: Name or path.
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.

    Raises:
        InputError: `text` is neither a known name nor an array file that exists, or the data set
            is not prepared yet.

    Examples:
        >>> resolve_source("ring") == Ring()
        True
    """
    from iidgan.data.prepare.catalog import DATASETS  # slow to import, and few sources need it

    if Path(text).suffix.lower() in FILE_SUFFIXES:
        return mixture(text) if is_mixture_file(text) else array(text)
    if text in NEEDS_ARGUMENT:
        raise InputError(f"source: {text!r} needs {NEEDS_ARGUMENT[text]}")
    if (text in DATASETS or text not in SOURCES) and is_prepared(text, root):
        return prepared(text, root)
    if text in SOURCES:
        return SOURCES[text]()
    if text in DATASETS:
        raise InputError(f"source: {text!r} is not prepared yet; run iidgan prepare {text}")
    if _looks_like_path(text):
        raise InputError(
            f"source: expected a name, or a file that ends in {' or '.join(FILE_SUFFIXES)}, got "
            f"{text!r}; prepare images with iidgan prepare NAME --from PATH"
        )
    error = unknown_name_error("source", text, list_source_names(root))
    raise InputError(
        f"{error}; or give a file of points ({', '.join(FILE_SUFFIXES)}), images that iidgan "
        "prepare has converted, by name, or package.module:Name of your own"
    )


def list_source_names(root: str | None = None) -> set[str]:
    """List the names of all sources that need no argument, prepared or not.

    Arguments:
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.
    """
    from iidgan.data.prepare.catalog import DATASETS  # as in `resolve_source`

    return ({*SOURCES, *DATASETS} - {*NEEDS_ARGUMENT}) | {*prepared_names(root)}


def _looks_like_path(text: str) -> bool:
    return bool(Path(text).suffix) or os.path.basename(text) != text or os.path.exists(text)
