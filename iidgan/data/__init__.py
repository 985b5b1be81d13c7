"""Data sources: where samples come from, and what is known of their truth."""

from __future__ import annotations

import os
from pathlib import Path

from iidgan.core import Source
from iidgan.data.array import READERS, ArrayFile, array
from iidgan.data.idx import FashionMnist, Mnist
from iidgan.data.mixture import Grid, Ring
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.stacked import StackedFashion, StackedMnist
from iidgan.errors import InputError, unknown

__all__ = [
    "SOURCES",
    "ArrayFile",
    "FashionMnist",
    "Grid",
    "Mnist",
    "Mnist5k",
    "Ring",
    "StackedFashion",
    "StackedMnist",
    "array",
    "source_from",
]

SOURCES: dict[str, type[Source]] = {
    "ring": Ring,
    "grid": Grid,
    "mnist": Mnist,
    "mnist-5k": Mnist5k,
    "fashion-mnist": FashionMnist,
    "stacked-mnist": StackedMnist,
    "stacked-fashion": StackedFashion,
    "array": ArrayFile,
}


def source_from(text: str) -> Source:
    """Creates the source of a registered name, with its defaults, or of a .npy or .csv file.

    Raises:
        InputError: `text` is neither, or there is no such file.
    """
    suffixes = ", ".join(READERS)
    if Path(text).suffix.lower() in READERS:
        return array(text)
    if text == "array":
        raise InputError(f"source: {text!r} needs a file; give its path instead ({suffixes})")
    if text in SOURCES:
        return SOURCES[text]()
    if Path(text).suffix or os.path.basename(text) != text or os.path.exists(text):
        raise InputError(f"source: {text!r} is no source; a path has to end in one of {suffixes}")
    raise unknown("source", text, SOURCES)
