"""Labels of image files: from the folders that they lie in, or from a CSV file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

from iidgan.data.prepare.archives import Tree, UnreadableError
from iidgan.errors import InputError


@dataclass(frozen=True)
class Labelling:
    """Labels of images.

    Arguments:
        of: Gives the label of an image by its name; None if it has none.
        note: What a user should know of where they are from.
    """

    of: Callable[[str], str | None]
    note: str = ""


AUTO = "labels.csv"
_FILES = ("file", "filename", "file_name", "image", "path", "name", "image_id", "id")
_LABELS = ("label", "class", "category", "target", "y")
_SPLITS = frozenset({"train", "test", "val", "valid", "validation"})
_MOST = 1 << 28
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def labelling(tree: Tree, names: Sequence[str], how: str | None) -> Labelling | None:
    """Finds out what gives labels to the images `names` of a tree; None if nothing does.

    Arguments:
        tree: Where they lie.
        names: The images.
        how: `none`, `folders`, or the path of a CSV file. By default the tree's labels.csv is
            taken, or else the folders, if there are several and each image lies in one.

    Raises:
        InputError: Some images lie in folders and some beside them, or the folders are parts of
            the set and nobody said that they are labels, or the CSV file is not one.
    """
    top = _common(names)
    if how == "none":
        return None
    if how is not None and how != "folders":
        return _from_csv(how, _content(how), names)
    if how is None and f"{top}{AUTO}" in tree.names():
        return _from_csv(AUTO, _inside(tree, f"{top}{AUTO}"), names)
    beside = [name for name in names if "/" not in name.removeprefix(top)]
    if len(beside) == len(names) and how is None:
        return None
    if beside:
        raise InputError(
            f"labels: {len(beside)} of {len(names)} images lie in no folder that could label "
            f"them, such as {beside[0]}; move them, or use --labels none, or a CSV file"
        )
    folders = {name.removeprefix(top).partition("/")[0] for name in names}
    if how is None and all(folder.lower() in _SPLITS for folder in folders):
        some = sorted(folders, key=lambda folder: (folder.lower() != "train", folder))
        raise InputError(
            f"labels: the folders {', '.join(some)} are parts of a set, no labels; name one of "
            f"them with --from, such as {tree.outside(top + some[0])}, or use --labels folders, "
            "or none"
        )
    return Labelling(lambda name: name.removeprefix(top).partition("/")[0])


def _common(names: Sequence[str]) -> str:
    """Gives the folders, with a last `/`, that all names begin with."""
    folders = [PurePosixPath(name).parts[:-1] for name in (min(names), max(names))]
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(*folders))
    return "".join(f"{part}/" for part, _ in shared)


def _content(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(
            f"labels: {path!r} is not none, folders, or a CSV file that can be read "
            f"({getattr(error, 'strerror', None) or error})"
        ) from error


def _inside(tree: Tree, name: str) -> bytes:
    try:
        return tree.read(name, _MOST)
    except UnreadableError as error:
        raise InputError(f"labels: {name}: {error}") from error


def _from_csv(place: str, content: bytes, names: Sequence[str]) -> Labelling:
    rows = _rows(place, content)
    known = _keys(names)
    file, label, body = _columns(place, rows, known)
    found: dict[str, str] = {}
    strange: list[str] = []
    for line, row in body:
        if len(row) <= max(file, label):
            raise InputError(f"labels: {place}, line {line}: has no label: {','.join(row)!r}")
        key, value = _key(row[file]), row[label].strip()
        if key not in known:
            strange.append(key)
        elif value and found.setdefault(known[key], value) != value:
            before = found[known[key]]
            raise InputError(
                f"labels: {place}, line {line}: {key!r} is {value!r} here, and {before!r} above"
            )
    if not found:
        raise InputError(
            f"labels: {place} names none of the {len(names)} images; it has "
            f"{next(iter(strange), 'no labels')!r}, they are like {names[0]!r}"
        )
    first = next(iter(strange), "")
    note = f"{place}: {len(strange):,} lines name no image, such as {first!r}"
    return Labelling(found.get, note if strange else "")


_Row = tuple[int, list[str]]


def _rows(place: str, content: bytes) -> list[_Row]:
    """Reads the lines that are not empty, with their numbers, whatever separates the cells."""
    try:
        text = content.decode("utf-16" if content[:2] in _UTF_16 else "utf-8-sig")
        lines = [line for line in text.splitlines() if line.strip()]
        mark = next((mark for mark in ",;\t" if all(mark in line for line in lines)), ",")
        reader = csv.reader(io.StringIO(text, newline=None), delimiter=mark)
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"labels: {place} is no CSV file: {error}") from error
    short = next((f", line {line}: {row[0]!r}" for line, row in rows if len(row) < 2), None)
    if not rows or short:
        raise InputError(
            f"labels: {place}{short or ''}: each line needs two columns, file and label, with "
            "',', ';' or a tab between"
        )
    return rows


def _columns(
    place: str, rows: list[_Row], known: Mapping[str, str]
) -> tuple[int, int, list[_Row]]:
    """Finds the columns of files and labels by the head, or takes the two without one.

    Of two columns the other one is what the head does not name; of more none is guessed. A first
    line that names an image is no head, even if its label is a word that heads have.
    """
    cells = [cell.strip() for cell in rows[0][1]]
    if len(cells) == 2 and _key(cells[0]) in known and cells[0].lower() not in _FILES:
        return 0, 1, rows
    head = [cell.lower() for cell in cells]
    file = next((head.index(name) for name in _FILES if name in head), None)
    label = next((head.index(name) for name in _LABELS if name in head), None)
    if len(cells) > 2 and (file is None or label is None or head.count(head[label]) > 1):
        raise InputError(
            f"labels: {place} has the columns {', '.join(map(repr, cells))}; which two are meant? "
            f"Call that of the images {_FILES[0]!r}, and one of labels {_LABELS[0]!r}"
        )
    if file is None and label is None:
        return 0, 1, rows
    file = file if file is not None else int(label == 0)
    label = label if label is not None else int(file == 0)
    return file, label, rows[1:]


def _key(cell: str) -> str:
    return cell.strip().removeprefix("./")


def _keys(names: Sequence[str]) -> Mapping[str, str]:
    """Lists what a CSV file may call an image: its path, or the end of it if no other has it."""
    short: Counter[str] = Counter()
    for name in names:
        path = PurePosixPath(name)
        short.update({path.name, path.stem})
    keys: dict[str, str] = {}
    for name in names:
        path = PurePosixPath(name)
        keys |= {key: name for key in (path.stem, path.name) if short[key] == 1}
    return (
        keys
        | {name.removeprefix(_common(names)): name for name in names}
        | {name: name for name in names}
    )
