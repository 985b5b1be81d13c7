"""Tables of comma-separated numbers, whose first line and first column may be no numbers.

The first line is compared with the rows below it: names can be numbers, too.
"""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from reprlib import repr as shorten_repr

import numpy as np
from numpy.typing import NDArray

from iidgan.errors import InputError
from iidgan.utils.files import open_regular_file

MIN_INDEX_ROWS = 3
"""Rows from which on 0, 1, 2, ... in the first of several unnamed columns is a row index."""
INDEX_NAMES = ("index", "id", "row")
"""Names, in lower case, of columns that are a row index if they count the rows."""


@dataclass(frozen=True)
class CsvTable:
    """Numbers of a .csv file.

    Arguments:
        values: Array of float64 with shape (N, d).
        columns: Names of the columns; empty if the file has none.
        notes: Lines for the user on how the file was read.
        words: Different words of a column that may have some; `values` has their indices.
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def read_csv(path: str, word_column: str | None = None) -> CsvTable:
    r"""Read a table of numbers, separated by commas, with decimal points.

    A first line of words has the names of the columns; so has one that numbers the columns from
    0, as pandas does, over rows of fractions. A first column without a name that numbers the
    rows is left out.

    Arguments:
        path: The file, in UTF-8.
        word_column: Name of a column that may have words instead of numbers.

    Raises:
        InputError: The file is not such a table, or its first line or first column could be read
            in two ways.

    Examples:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "points.csv")
        ...     _ = path.write_text(",x,y\n0,0.5,1.5\n1,2.5,0.25\n")
        ...     table = read_csv(str(path))
        >>> table.columns, table.values.tolist()
        (('x', 'y'), [[0.5, 1.5], [2.5, 0.25]])
        >>> table.notes
        ('the first column is left out: it is a row index',)
    """
    lines = _read_lines(path)
    first_location, first_cells = next(lines, (path, []))
    names = _clean_names(first_cells)
    has_names = _are_words(names)
    if has_names and word_column is not None and word_column not in names:
        if not word_column.isdigit():
            raise missing_column_error(path, word_column, names)
        word_column = None
    word_index = names.index(word_column) if has_names and word_column is not None else None
    rows = _RowReader(len(names), word_index)
    if names and not has_names:
        rows.append(first_location, first_cells)
    for location, cells in lines:
        rows.append(location, cells)
    values = rows.to_values()
    if not has_names and _are_column_numbers(first_location, names, rows):
        has_names, values = True, values[1:]
    if not has_names:
        rows.check_decimal_points(first_location)
    table = _leave_out_index(first_location, names if has_names else (), values, rows)
    return replace(table, words=tuple(rows.word_indices))


def missing_column_error(path: str, column: str, names: Sequence[str]) -> InputError:
    """Return the error of a column of classes that a table does not have.

    Arguments:
        path: The file.
        column: Name of the column.
        names: Names of the columns that it has.
    """
    return InputError(
        f"source.label-column: {path} has no column {column!r}; it has {', '.join(names)}"
    )


def _read_lines(path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the location and the cells of each line that is not blank."""
    try:
        with (
            open_regular_file(path) as binary_file,
            io.TextIOWrapper(binary_file, encoding="utf-8-sig", newline="") as file,
        ):
            csv_reader = csv.reader(file)
            for cells in csv_reader:
                if len(cells) > 1 or "".join(cells).strip():
                    yield f"{path}: line {csv_reader.line_num}", cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a text file of comma-separated numbers: {error}") from error


def _clean_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Names without the sign of a comment in front, as NumPy writes it, and without line ends."""
    return tuple(" ".join(cell.split()).removeprefix("#").strip() for cell in cells)


class _RowReader:
    """Rows of numbers as they are read, and how they are written.

    Arguments:
        num_columns: Number of columns.
        word_index: Index of the column that may have words.
    """

    def __init__(self, num_columns: int, word_index: int | None = None) -> None:
        self.num_columns = num_columns
        self.word_index = word_index
        self.word_indices: dict[str, int] = {}
        self.num_rows = 0
        self.integer_counts = [0] * num_columns  # rows with a whole number, for each column
        self._numbers = array("d")
        self._has_decimal_parts = False

    def append(self, location: str, cells: Sequence[str]) -> None:
        """Append a row.

        Raises:
            InputError: A cell is not a finite number, or the row has another length.
        """
        cells = self._index_word(location, cells)
        self._numbers.extend(_parse_row(location, cells))
        if len(cells) != self.num_columns:
            raise InputError(
                f"{location}: expected {self.num_columns} columns as in the first line, "
                f"got {len(cells)}; {FORMAT_HINT}"
            )
        self.num_rows += 1
        for i, cell in enumerate(cells):
            if _is_integer(cell):
                self.integer_counts[i] += 1
                self._has_decimal_parts |= _is_decimal_part(cell, is_fraction=i % 2 == 1)

    def _index_word(self, location: str, cells: Sequence[str]) -> Sequence[str]:
        """Replace the word by its index."""
        column = self.word_index
        if column is None or column >= len(cells):
            return cells
        word = cells[column].strip()
        if not word:
            raise InputError(f"{location}, column {column + 1}: the label is missing")
        index = self.word_indices.setdefault(word, len(self.word_indices))
        return [*cells[:column], str(index), *cells[column + 1 :]]

    def to_values(self) -> NDArray[np.float64]:
        """Return all numbers, with shape (N, d)."""
        return np.array(self._numbers).reshape(self.num_rows, self.num_columns)

    @property
    def has_only_integers(self) -> bool:
        return all(count == self.num_rows for count in self.integer_counts)

    def check_decimal_points(self, location: str) -> None:
        """Check that pairs of columns are not decimals with a comma.

        Raises:
            InputError: Columns of whole numbers have some that are written like parts of decimals.
        """
        has_pairs = self.num_columns % 2 == 0 and self.has_only_integers
        if has_pairs and self._has_decimal_parts:
            raise InputError(
                f"{location}: the columns look like decimals with a comma, such as -0,25 or 1,05; "
                f"{FORMAT_HINT}, and whole numbers without leading zeros"
            )


FORMAT_HINT = "separate columns by commas, and write decimals with a point"
_WORD_HINT = (
    "only `iidgan train` reads words, as classes: --source.label-column names their column"
)


def _parse_float(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _parse_row(location: str, cells: Sequence[str]) -> list[float]:
    numbers = []
    for i, cell in enumerate(cells, 1):
        number = _parse_float(cell)
        if number is None or not math.isfinite(number):
            raise InputError(
                f"{location}, column {i}: {shorten_repr(cell)} is not a finite number; "
                f"{_WORD_HINT if cell.strip().isalpha() else FORMAT_HINT}"
            )
        numbers.append(number)
    return numbers


def _is_integer(cell: str) -> bool:
    return cell.strip().removeprefix("-").isdigit()


def _is_decimal_part(cell: str, *, is_fraction: bool) -> bool:
    """Whether a whole number is written as before (-0) or after (05) the sign of a decimal."""
    digits = cell.strip()
    return len(digits) > 1 and digits[0] == "0" if is_fraction else digits == "-0"


def _are_words(names: Sequence[str]) -> bool:
    """Whether a first line has names: words, or an unnamed index before the columns' numbers."""
    numbers = [_parse_float(name) for name in names]
    has_unnamed_index = len(names) > 1 and not names[0] and all(map(_is_integer, names[1:]))
    return any(names) and (has_unnamed_index or all(number is None for number in numbers))


def _are_column_numbers(location: str, names: Sequence[str], rows: _RowReader) -> bool:
    """Whether a first line of numbers has the names of columns: 0, 1, ... over fractions.

    Raises:
        InputError: It could be a sample as well.
    """
    are_distinct_integers = all(map(_is_integer, names)) and len(set(names)) == len(names)
    num_others = rows.num_rows - 1
    if _are_float_labels(names, rows):
        raise _ambiguous_names(location, names)
    if num_others < 1 or not are_distinct_integers:
        return False
    counts_from_zero = list(names) == [str(i) for i in range(len(names))]
    over_fractions = all(count == 1 for count in rows.integer_counts)  # only in the first line
    if counts_from_zero and over_fractions:
        return True
    is_suspect = counts_from_zero or (over_fractions and num_others > 1)
    if len(names) > 1 and is_suspect:
        raise _ambiguous_names(location, names)
    return False


def _are_float_labels(names: Sequence[str], rows: _RowReader) -> bool:
    """Whether a first line is 0.0, 1.0, ... over rows without a whole number."""
    if len(names) < 2 or list(names) != [f"{i}.0" for i in range(len(names))]:
        return False
    other_values = rows.to_values()[1:]
    return bool(len(other_values) and (other_values % 1 != 0).all())


def _ambiguous_names(location: str, names: Sequence[str]) -> InputError:
    return InputError(
        f"{location}: {shorten_repr(', '.join(names))} may be the columns' names or a sample; "
        "write names that begin with a letter into the first line"
    )


def _leave_out_index(
    location: str, names: Sequence[str], values: NDArray[np.float64], rows: _RowReader
) -> CsvTable:
    """Leave out a first column that is a row index."""
    notes = () if names else _note_whole_pairs(rows)
    if _has_index(location, names, values, rows):
        notes += ("the first column is left out: it is a row index",)
        return CsvTable(values[:, 1:], tuple(names[1:]), notes)
    if names and len(values) >= MIN_INDEX_ROWS and _counts_rows(values, rows):
        notes += (f"column {names[0]!r} counts the rows; remove it if it is a row index",)
    return CsvTable(values, tuple(names), notes)


def _has_index(
    location: str, names: Sequence[str], values: NDArray[np.float64], rows: _RowReader
) -> bool:
    """Whether the first of several columns is a row index.

    Raises:
        InputError: It has no name beside columns with names, and is no index.
    """
    if rows.num_columns < 2 or not len(values):
        return False
    if names and _is_nameless(names[0]):
        if not _are_distinct_integers(values[:, 0]):
            raise InputError(
                f"{location}, column 1: has no name, but is no row index; name it or remove it"
            )
        return True
    is_index_name = names[0].lower() in INDEX_NAMES if names else len(values) >= MIN_INDEX_ROWS
    return is_index_name and _counts_rows(values, rows)


def _is_nameless(name: str) -> bool:
    """Whether a column has no name; pandas calls it `Unnamed: 0` when it reads such a file."""
    return not name or name.lower().startswith("unnamed:")


def _counts_rows(values: NDArray[np.float64], rows: _RowReader) -> bool:
    """Whether the first column is 0, 1, 2, ... or 1, 2, 3, ..., written as whole numbers."""
    first_column = values[:, 0]
    is_counting = first_column[0] in (0, 1) and bool((np.diff(first_column) == 1).all())
    return is_counting and rows.integer_counts[0] == rows.num_rows


def _note_whole_pairs(rows: _RowReader) -> tuple[str, ...]:
    if rows.num_columns != 2 or not rows.has_only_integers:
        return ()
    return ("two columns of whole numbers; if they are decimals, write them with a point",)


def _are_distinct_integers(values: NDArray[np.float64]) -> bool:
    return bool((values == np.round(values)).all()) and len(np.unique(values)) == len(values)
