"""Labels of image files, from their folders or from a CSV file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

from iidgan.data.prepare.archives import FileTree, UnreadableError
from iidgan.errors import InputError


@dataclass(frozen=True)
class ImageLabels:
    """Labels of images.

    Arguments:
        label_of: Returns the label of an image by its name; None if it has no label.
        note: What a user should know of their origin.
    """

    label_of: Callable[[str], str | None]
    note: str = ""


DEFAULT_TABLE = "labels.csv"
"""File beside the images that gives their labels, unless other labels are requested."""
_FILE_HEADERS = ("file", "filename", "file_name", "image", "path", "name", "image_id", "id")
_LABEL_HEADERS = ("label", "class", "category", "target", "y")
_SPLIT_NAMES = frozenset({"train", "test", "val", "valid", "validation"})
_MAX_TABLE_BYTES = 1 << 28
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def find_labels(
    tree: FileTree, image_names: Sequence[str], labels: str | None
) -> ImageLabels | None:
    """Find the labels of images in a file tree; None if they have none.

    Arguments:
        tree: Files that include the images.
        image_names: Names of the images.
        labels: `none`, `folders`, or the path of a CSV file. None: from the labels.csv of the
            tree, or from its folders, if there are several and each image is in one.

    Raises:
        InputError: Only some images are in folders, or the folders are splits of the data set
            and `labels` is not `folders`, or the CSV file is invalid.
    """
    if labels == "none":
        return None
    top_folder = _common_folder(image_names)
    default_table = f"{top_folder}{DEFAULT_TABLE}"
    if labels is None and default_table in tree.file_names():
        return _labels_from_csv(DEFAULT_TABLE, _read_member(tree, default_table), image_names)
    if labels is not None and labels != "folders":
        return _labels_from_csv(labels, _read_table(labels), image_names)
    return _labels_from_folders(tree, image_names, top_folder, is_requested=labels == "folders")


def _labels_from_folders(
    tree: FileTree, image_names: Sequence[str], top_folder: str, *, is_requested: bool
) -> ImageLabels | None:
    def first_folder(name: str) -> str:
        return name.removeprefix(top_folder).partition("/")[0]

    unlabelled = [name for name in image_names if "/" not in name.removeprefix(top_folder)]
    if len(unlabelled) == len(image_names) and not is_requested:
        return None
    if unlabelled:
        raise InputError(
            f"labels: {len(unlabelled)} of {len(image_names)} images are not in a folder that "
            f"could label them, for example {unlabelled[0]}; move them, or use --labels none, or "
            "a CSV file"
        )
    folders = {first_folder(name) for name in image_names}
    if not is_requested and all(folder.lower() in _SPLIT_NAMES for folder in folders):
        splits = sorted(folders, key=lambda folder: (folder.lower() != "train", folder))
        raise InputError(
            f"labels: the folders {', '.join(splits)} look like splits of a data set rather than "
            f"labels; choose one with --from, for example "
            f"{tree.describe_location(top_folder + splits[0])}, or use --labels folders, or none"
        )
    return ImageLabels(first_folder)


def _common_folder(names: Sequence[str]) -> str:
    """Folders that all names start with, including a final `/`."""
    folders = [PurePosixPath(name).parts[:-1] for name in (min(names), max(names))]
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(*folders))
    return "".join(f"{folder}/" for folder, _ in shared)


def _read_table(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(
            f"labels: expected none, folders, or a CSV file, got {path!r} "
            f"({getattr(error, 'strerror', None) or error})"
        ) from error


def _read_member(tree: FileTree, name: str) -> bytes:
    try:
        return tree.read_file(name, _MAX_TABLE_BYTES)
    except UnreadableError as error:
        raise InputError(f"labels: {name}: {error}") from error


def _labels_from_csv(location: str, content: bytes, image_names: Sequence[str]) -> ImageLabels:
    rows = _parse_rows(location, content)
    names_by_key = _index_names(image_names)
    columns = _find_columns(location, rows[0][1], names_by_key)
    labels, unknown_keys = _collect_labels(
        location, rows[1:] if columns.has_header else rows, columns, names_by_key
    )
    first_unknown = next(iter(unknown_keys), "")
    if not labels:
        raise InputError(
            f"labels: {location} labels none of the {len(image_names)} images; it contains "
            f"{first_unknown!r}, while images are named like {image_names[0]!r}"
        )
    note = f"{location}: {len(unknown_keys):,} lines name no image, such as {first_unknown!r}"
    return ImageLabels(labels.get, note if unknown_keys else "")


_Row = tuple[int, list[str]]  # line number and cells


def _parse_rows(location: str, content: bytes) -> list[_Row]:
    """Parse the lines that are not empty; cells are separated by commas, semicolons or tabs."""
    try:
        text = content.decode("utf-16" if content[:2] in _UTF_16_MARKS else "utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=None), delimiter=_find_delimiter(text))
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"labels: {location} is not a CSV file: {error}") from error
    short_row = next((f", line {line}: {row[0]!r}" for line, row in rows if len(row) < 2), None)
    if not rows or short_row:
        raise InputError(
            f"labels: {location}{short_row or ''}: each line needs two columns, file and label, "
            "separated by ',', ';' or a tab"
        )
    return rows


def _find_delimiter(text: str) -> str:
    """First delimiter that occurs in every line; a comma if none does."""
    lines = [line for line in text.splitlines() if line.strip()]
    common = (mark for mark in ",;\t" if all(mark in line for line in lines))
    return next(common, ",")


@dataclass(frozen=True)
class _Columns:
    """Indices of the columns of files and labels, and whether the first line is a header."""

    file: int
    label: int
    has_header: bool


def _find_columns(
    location: str, first_row: Sequence[str], names_by_key: Mapping[str, str]
) -> _Columns:
    """Find the columns of files and labels by the header, or use the two of a headless table.

    If there are more than two columns, the header has to name both. A first line that names an
    image is not a header, even if its label is a common header.
    """
    cells = [cell.strip() for cell in first_row]
    header = [cell.lower() for cell in cells]
    is_pair = len(cells) == 2
    if is_pair and _normalise_key(cells[0]) in names_by_key and header[0] not in _FILE_HEADERS:
        return _Columns(0, 1, has_header=False)
    file_column = _find_header(header, _FILE_HEADERS)
    label_column = _find_header(header, _LABEL_HEADERS)
    if is_pair:
        return _complete_pair(file_column, label_column)
    if file_column is None or label_column is None or header.count(header[label_column]) > 1:
        raise InputError(
            f"labels: {location} has the columns {', '.join(map(repr, cells))}; call one column "
            f"of images {_FILE_HEADERS[0]!r} and one column of labels {_LABEL_HEADERS[0]!r}"
        )
    return _Columns(file_column, label_column, has_header=True)


def _find_header(header: Sequence[str], known_headers: Sequence[str]) -> int | None:
    return next((header.index(name) for name in known_headers if name in header), None)


def _complete_pair(file_column: int | None, label_column: int | None) -> _Columns:
    """Of two columns, the one that the header does not name is the other one."""
    if file_column is None and label_column is None:
        return _Columns(0, 1, has_header=False)
    file_column = file_column if file_column is not None else int(label_column == 0)
    label_column = label_column if label_column is not None else int(file_column == 0)
    return _Columns(file_column, label_column, has_header=True)


def _collect_labels(
    location: str, rows: Iterable[_Row], columns: _Columns, names_by_key: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Collect the labels by image name, and the keys that name no image."""
    labels: dict[str, str] = {}
    unknown_keys: list[str] = []
    for line, row in rows:
        if len(row) <= max(columns.file, columns.label):
            raise InputError(f"labels: {location}, line {line}: missing label: {','.join(row)!r}")
        key, label = _normalise_key(row[columns.file]), row[columns.label].strip()
        if key not in names_by_key:
            unknown_keys.append(key)
        elif label and labels.setdefault(names_by_key[key], label) != label:
            raise InputError(
                f"labels: {location}, line {line}: {key!r} is labelled {label!r}, but "
                f"{labels[names_by_key[key]]!r} in an earlier line"
            )
    return labels, unknown_keys


def _normalise_key(cell: str) -> str:
    return cell.strip().removeprefix("./")


def _index_names(image_names: Sequence[str]) -> Mapping[str, str]:
    """Index image names by what a CSV file may call them: the path, or a unique end of it."""
    short_counts: Counter[str] = Counter()
    for name in image_names:
        path = PurePosixPath(name)
        short_counts.update({path.name, path.stem})
    names_by_key: dict[str, str] = {}
    for name in image_names:
        path = PurePosixPath(name)
        names_by_key |= {key: name for key in (path.stem, path.name) if short_counts[key] == 1}
    top_folder = _common_folder(image_names)
    names_by_key |= {name.removeprefix(top_folder): name for name in image_names}
    return names_by_key | {name: name for name in image_names}
