"""Tables for the terminal: columns that do not fit side by side follow below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from iidgan.report.formats import NumberFormat, format_cell, format_mean_std
from iidgan.report.table import Cell, Table

_STYLES = {"done": "", "missing": "dim", "failed": "red", "diverged": "red", "undefined": "yellow"}
_SEPARATOR_WIDTH = 3  # characters between two columns


@dataclass(frozen=True)
class _Column:
    """A column of texts.

    Arguments:
        name: Its name.
        texts: One text per row.
        min_width: Width at which no word, and no mean with its deviation, is broken.
    """

    name: str
    texts: tuple[Text, ...]
    min_width: int

    @property
    def full_width(self) -> int:
        return max(len(self.name), *map(len, self.texts))


def to_rich(
    table: Table, width: int = 80, format_numbers: NumberFormat = format_mean_std
) -> Group:
    """Lay out a table in `width` characters: missing cells are dim, failures are red.

    Columns that do not fit side by side without breaking a number follow below.

    Arguments:
        table: The table.
        width: Characters of a line.
        format_numbers: Formats the mean and the standard deviation of a cell.

    Returns:
        What `rich.console.Console.print` prints.
    """
    parts: list[Text | RichTable] = [Text(table.title, style="bold")]
    for block, rows in table.blocks.items():
        parts += [Text(block, style="italic")] if block else []
        parts += _layout_tables(rows, width, format_numbers)
    return Group(*parts, *(Text(note) for note in table.notes))


def _layout_tables(
    rows: Sequence[Sequence[Cell]], width: int, format_numbers: NumberFormat
) -> Iterator[RichTable]:
    row_names = tuple(Text(cells[0].row) for cells in rows)
    name_column = _Column("", row_names, max(map(_longest_word, row_names)))
    free_width = width - 1 - (name_column.min_width + _SEPARATOR_WIDTH)
    all_columns = [_make_column(cells, format_numbers) for cells in zip(*rows)]
    for columns in _group_columns(all_columns, free_width):
        rich_table = RichTable()
        for column, column_width in _distribute_width([name_column, *columns], width - 1):
            rich_table.add_column(Text(column.name), width=column_width)
        for texts in zip(*(column.texts for column in (name_column, *columns))):
            rich_table.add_row(*texts)
        yield rich_table


def _make_column(cells: Sequence[Cell], format_numbers: NumberFormat) -> _Column:
    name = cells[0].column
    texts = tuple(Text(format_cell(cell, format_numbers), _STYLES[cell.status]) for cell in cells)
    numbers = [
        format_numbers(cell.mean, cell.std, cell.decimals)
        for cell in cells
        if cell.mean is not None
    ]
    word_widths = map(_longest_word, (Text(name), *texts))
    return _Column(name, texts, max(*word_widths, *map(len, numbers)))


def _longest_word(text: Text) -> int:
    return max(map(len, text.plain.split()), default=0)


def _group_columns(columns: Sequence[_Column], free_width: int) -> Iterator[list[_Column]]:
    """Divide the columns, in order, into groups that fit; each has at least one column."""
    column_group: list[_Column] = []
    for column in columns:
        needed_width = sum(item.min_width + _SEPARATOR_WIDTH for item in (*column_group, column))
        if column_group and needed_width > free_width:
            yield column_group
            column_group = []
        column_group.append(column)
    yield column_group


def _distribute_width(
    columns: Sequence[_Column], free_width: int
) -> Iterator[tuple[_Column, int]]:
    """Yield each column with its width; the first ones get what is left, up to their texts."""
    free_width -= sum(column.min_width + _SEPARATOR_WIDTH for column in columns)
    for column in columns:
        extra_width = max(min(column.full_width - column.min_width, free_width), 0)
        free_width -= extra_width
        yield column, column.min_width + extra_width
