"""Labels of images from a CSV file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from iidgan.data.prepare.labels.image_labels import ImageLabels, common_folder
from iidgan.errors import InputError, unknown_name_error

_FILE_HEADERS = ("file", "filename", "file_name", "image", "path", "name", "image_id", "id")
_LABEL_HEADERS = ("label", "class", "category", "target", "y")
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def labels_from_csv(
    location: str, content: bytes, image_names: Sequence[str], label_column: str | None
) -> ImageLabels:
    r"""Read the labels of a CSV file.

    Arguments:
        location: Name of the file.
        content: Its content.
        image_names: Names of the images.
        label_column: Name of the column of labels; None: one with a common name, or the second of
            two columns.

    Raises:
        InputError: It is not a CSV file, has no such columns, labels none of the images, or gives
            an image two labels.

    Examples:
        >>> content = b"file,label\n1.png,cat\n2.png,dog\n"
        >>> labels = labels_from_csv("labels.csv", content, ["1.png", "2.png"], None)
        >>> labels.label_of("2.png")
        'dog'
    """
    rows = _parse_rows(location, content)
    names_by_key = _index_names(image_names)
    columns = _find_columns(location, rows[0][1], names_by_key, label_column)
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
    location: str,
    first_row: Sequence[str],
    names_by_key: Mapping[str, str],
    requested_column: str | None,
) -> _Columns:
    """Find the columns of files and labels by the header, or use the two of a headless table.

    If there are more than two columns, the header has to name both. A first line that names an
    image is not a header, even if its label is a common header.
    """
    cells = [cell.strip() for cell in first_row]
    header = [cell.lower() for cell in cells]
    if requested_column is not None:
        return _find_requested_column(cells, header, requested_column)
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
            f"of images {_FILE_HEADERS[0]!r} and one column of labels {_LABEL_HEADERS[0]!r}, or "
            "name the column of labels with --label-column"
        )
    return _Columns(file_column, label_column, has_header=True)


def _find_requested_column(
    cells: Sequence[str], header: Sequence[str], label_column: str
) -> _Columns:
    """Find the named column of labels; files are in a column of a common name, or the first."""
    if label_column not in cells:
        raise unknown_name_error("label-column", label_column, cells)
    label_index = cells.index(label_column)
    file_index = _find_header(header, _FILE_HEADERS)
    if file_index is None or file_index == label_index:
        file_index = int(label_index == 0)
    return _Columns(file_index, label_index, has_header=True)


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
    top_folder = common_folder(image_names)
    names_by_key |= {name.removeprefix(top_folder): name for name in image_names}
    return names_by_key | {name: name for name in image_names}
