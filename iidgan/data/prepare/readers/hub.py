"""Data sets of the Hub, and Parquet files of the same schema: through the package `datasets`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iidgan.data.prepare.decode import SUFFIXES
from iidgan.data.prepare.reader import Item, Reading, Skip, Wanted, printable
from iidgan.errors import InputError

_IMAGES = ("image", "img", "picture", "jpg", "png", "webp")
_KINDS = ("int", "uint", "string", "large_string", "bool")
_LABELS = ("label", "fine_label", "labels", "class", "category", "target")


def is_parquet(path: Path) -> bool:
    """Tells whether a path is a Parquet file, or a folder of them without image files."""
    if path.is_dir():
        levels = ("*", "*/*", "*/*/*")
        packed = any(next(path.glob(f"{level}.parquet"), None) for level in levels)
        inside = (found.suffix.lower() for level in levels for found in path.glob(level))
        return packed and not any(suffix in SUFFIXES for suffix in inside)
    return path.suffix == ".parquet"


@contextmanager
def hub_data(wanted: Wanted) -> Iterator[Reading]:
    """Opens a data set: by its id, downloaded into the cache of `datasets`, or in local files.

    Raises:
        InputError: The package is not installed, or the data set is not there, or has no column
            of images.
    """
    data = _load(wanted)
    columns: Mapping[str, Any] = data.features or {}
    images = _columns(columns, _IMAGES, _is_image)
    if not images:
        raise InputError(f"from: no column of images among {', '.join(columns) or 'none'}")
    labels = [] if wanted.labels == "none" else _columns(columns, _LABELS, _is_label)
    image, label = images[0], labels[0] if labels else None
    kept = [name for name in (image, label) if name is not None]
    rows = data.select_columns(kept)
    if type(columns[image]).__name__ == "Image":
        rows = rows.cast_column(image, type(columns[image])(decode=False))
    yield Reading(
        source=f"{wanted.hub or wanted.place().name}, {_split(wanted)}",
        total=len(data) if hasattr(data, "__len__") else None,
        labelled=label is not None,
        classes=tuple(getattr(columns[label], "names", None) or ()) if label else (),
        items=_items(rows, image, label),
        note="; ".join(_choice(found) for found in (images, labels) if len(found) > 1),
    )


def _split(wanted: Wanted) -> str:
    return wanted.split or "train"


def _load(wanted: Wanted) -> Any:  # noqa: ANN401 - a data set, whole or streamed
    try:
        import datasets
    except ImportError:
        raise InputError(
            "from: Parquet and the Hub need more packages: pip install 'iidgan[hub]'"
        ) from None
    split, config = _split(wanted), wanted.config
    try:
        if wanted.hub is not None:
            return datasets.load_dataset(wanted.hub, config, split=split)
        path = wanted.place()
        if path.is_dir():
            return datasets.load_dataset(str(path), config, split=split, streaming=True)
        files = {split: str(path)}
        return datasets.load_dataset("parquet", data_files=files, split=split, streaming=True)
    except Exception as error:  # the network, the Hub, the files: each has errors of its own
        where = wanted.hub or wanted.path
        if several := _SEVERAL.search(str(error)):
            raise InputError(f"config: {where} has several; choose one of {several[1]}") from error
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"from: {where}, split {split!r}, cannot be loaded ({reason})") from error


_SEVERAL = re.compile(r"Config name is missing.*?\[(.*?)\]", re.DOTALL)


def _columns(columns: Mapping[str, Any], names: tuple[str, ...], fits: Any) -> list[str]:  # noqa: ANN401
    """Finds columns by their type, those with one of these names first."""
    found = [name for name, kind in columns.items() if fits(name, kind)]
    known = [name for name in names if name in found]
    return known + [name for name in found if name not in known]


def _choice(found: Sequence[str]) -> str:
    others = ", ".join(map(printable, found[1:4])) + (", ..." if len(found) > 4 else "")
    return f"the column {printable(found[0])} is taken, not {others}"


def _is_image(name: str, kind: Any) -> bool:  # noqa: ANN401
    """Tells the type of images, also as files without the Hub's own schema have it."""
    if type(kind).__name__ == "Image":
        return True
    if isinstance(kind, Mapping):
        return "bytes" in kind
    return name in _IMAGES and "binary" in str(getattr(kind, "dtype", ""))


def _is_label(name: str, kind: Any) -> bool:  # noqa: ANN401
    if type(kind).__name__ == "ClassLabel":
        return True
    type_name = str(getattr(kind, "dtype", ""))
    return name in _LABELS and type_name.startswith(_KINDS)


def _items(rows: Any, image: str, label: str | None) -> Iterator[Item | Skip]:  # noqa: ANN401
    done = 0
    try:
        for row in rows:
            yield _item(done, row, image, label)
            done += 1
    except Exception as error:  # of a column that is damaged
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"from: damaged after row {done}: {reason}") from error


def _item(index: int, row: Mapping[str, Any], image: str, label: str | None) -> Item | Skip:
    name, found = f"row {index}", row[image]
    content = found.get("bytes") if isinstance(found, Mapping) else found
    if isinstance(found, Mapping) and content is None and found.get("path"):
        return Skip(name, "is a path without an image", str(found["path"]))
    if not isinstance(content, bytes):
        return Skip(name, "has no image")
    given = None if label is None else row[label]
    if isinstance(given, bool):
        given = int(given)
    if isinstance(given, int) and given < 0:  # how the Hub says that there is none
        given = None
    return Item(name, content, given)
