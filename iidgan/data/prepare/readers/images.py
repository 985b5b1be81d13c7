"""Sets of image files: a folder, a ZIP or a TAR archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import PurePosixPath

from iidgan.data.prepare.archives import Tree, UnreadableError, opened
from iidgan.data.prepare.decode import SUFFIXES
from iidgan.data.prepare.labels import Labelling, labelling
from iidgan.data.prepare.reader import Item, Reader, Reading, Skip, Wanted
from iidgan.errors import InputError


@contextmanager
def image_files(wanted: Wanted) -> Iterator[Reading]:
    """Opens image files, with labels from their folders or from a CSV file.

    Raises:
        InputError: There are none, or their labels are not clear.
    """
    path = wanted.place()
    with opened(path) as tree:
        names = _images(tree, str(path))
        good = [name for name in names if tree.inside(name)]
        label = labelling(tree, good, wanted.labels) if good else None
        note = "; ".join(filter(None, (label.note if label else "", _strangers(tree))))
        yield _reading(tree, names, label, f"image files of {path.name}", note)


def within(*folders: str) -> Reader:
    """Makes a reader of the image files in the first of these folders that there is."""

    @contextmanager
    def read(wanted: Wanted) -> Iterator[Reading]:
        path = wanted.place()
        with opened(path) as tree:
            names = _images(tree, str(path))
            inside = (
                [name for name in names if f"/{folder}/" in f"/{name}"] for folder in folders
            )
            names = next((found for found in inside if found), names)
            yield _reading(tree, names, None, f"image files of {path.name}", _strangers(tree))

    return read


def _images(tree: Tree, place: str) -> list[str]:
    names = tree.names()
    images = [name for name in names if _is_image(PurePosixPath(name))]
    if not images:
        packed = any(name.endswith(".mdb") for name in names)
        hint = "unpack it first" if packed else f"known: {', '.join(sorted(SUFFIXES))}"
        raise InputError(f"{place}: {len(names)} files, none of them an image; {hint}")
    return images


def _is_image(path: PurePosixPath) -> bool:
    return path.suffix.lower() in SUFFIXES and not _is_hidden(path)


def _is_hidden(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") and not part.startswith("..") for part in path.parts)
    return hidden or "__MACOSX" in path.parts


def _strangers(tree: Tree) -> str:
    """Says how many files are of no known kind; texts are what accompanies images."""
    kinds = Counter(
        path.suffix.lower() or "without a suffix"
        for path in map(PurePosixPath, tree.names())
        if not _is_hidden(path) and path.suffix.lower() not in (*SUFFIXES, *_TEXTS)
    )
    if not kinds:
        return ""
    some = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(5))
    return f"{kinds.total():,} files of other kinds are no images to be read ({some})"


_TEXTS = (".csv", ".json", ".md", ".npy", ".txt")


def _reading(
    tree: Tree, names: Sequence[str], label: Labelling | None, source: str, note: str
) -> Reading:
    listed = set(names)
    hidden = [Skip(name, _HIDDEN) for name in tree.hidden() if name in listed]
    return Reading(
        source=source,
        total=len(hidden) + len(names),
        labelled=label is not None,
        note=note,
        items=chain(hidden, (_item(tree, name, label) for name in names)),
    )


_HIDDEN = "has the name of a later one in the archive"


def _item(tree: Tree, name: str, label: Labelling | None) -> Item | Skip:
    try:
        return Item(name, tree.read(name), None if label is None else label.of(name))
    except UnreadableError as error:
        return Skip(name, error.reason, error.detail)
