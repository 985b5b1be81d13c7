"""Data sources: where samples come from, and what is known of their truth."""

from __future__ import annotations

import os
from pathlib import Path

from iidgan.core import Source
from iidgan.data.array import READERS, ArrayFile, array
from iidgan.data.gaussian_mixture import Grid, Ring
from iidgan.data.idx import FashionMnist, Mnist
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.prepared import Prepared, is_prepared, names, prepared
from iidgan.data.stacked import StackedFashion, StackedMnist
from iidgan.errors import InputError, unknown

__all__ = [
    "READERS",
    "SOURCES",
    "ArrayFile",
    "FashionMnist",
    "Grid",
    "Mnist",
    "Mnist5k",
    "Prepared",
    "Ring",
    "StackedFashion",
    "StackedMnist",
    "array",
    "prepared",
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
    "prepared": Prepared,
}
NEEDY = {
    "array": f"a file; give its path instead ({', '.join(READERS)})",
    "prepared": "a set; give its name instead (iidgan prepare)",
}
"""What the sources need that have no defaults."""


def source_from(text: str, root: str | None = None) -> Source:
    """Creates the source of a name, with its defaults, or of a .npy or .csv file.

    A set that `iidgan prepare` made comes before the files that it may have been made from.

    Arguments:
        text: Name or path.
        root: Folder of prepared sets; by default $IIDGAN_DATA, or `data` in the user's cache.

    Raises:
        InputError: `text` is neither, or there is no such file, or the set is not prepared yet.
    """
    from iidgan.data.prepare.catalog import SETS  # takes its time, and few sources need it

    suffixes = ", ".join(READERS)
    if Path(text).suffix.lower() in READERS:
        return array(text)
    if text in NEEDY:
        raise InputError(f"source: {text!r} needs {NEEDY[text]}")
    if (text in SETS or text not in SOURCES) and is_prepared(text, root):
        return prepared(text, root)
    if text in SOURCES:
        return SOURCES[text]()
    if text in SETS:
        raise InputError(f"source: {text!r} is not prepared yet; try iidgan prepare {text}")
    if Path(text).suffix or os.path.basename(text) != text or os.path.exists(text):
        raise InputError(
            f"source: {text!r} is no source; a path has to end in one of {suffixes}; images "
            f"become one by iidgan prepare NAME --from PATH"
        )
    raise unknown("source", text, ({*SOURCES, *SETS} - {*NEEDY}) | {*names(root)})
