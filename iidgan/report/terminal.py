"""A table for the terminal: side by side what fits, below each other what does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from iidgan.report.formats import plain, sentence
from iidgan.report.table import Cell, Table

_STYLES = {"done": "", "missing": "dim", "failed": "red", "diverged": "red", "undefined": "yellow"}
_EDGES = 3  # characters between two columns


@dataclass(frozen=True)
class _Column:
    name: str
    texts: tuple[Text, ...]
    need: int
    """Characters without which a word would be broken, or a mean and its deviation."""

    @property
    def want(self) -> int:
        return max(len(self.name), *map(len, self.texts))


def to_rich(table: Table, width: int = 80) -> Group:
    """Lays `table` out in `width` characters: missing cells dim, failures in red.

    Columns that do not fit beside each other without breaking a number follow below.
    """
    parts: list[Text | RichTable] = [Text(table.title, style="bold")]
    for block, lines in table.blocks.items():
        parts += [Text(block, style="italic")] if block else []
        parts += _tables(lines, width)
    return Group(*parts, *(Text(note) for note in table.notes))


def _tables(lines: Sequence[Sequence[Cell]], width: int) -> Iterator[RichTable]:
    rows = tuple(Text(line[0].row) for line in lines)
    first = _Column("", rows, max(map(_longest, rows)))
    free = width - 1 - (first.need + _EDGES)
    for columns in _groups([_column(cells) for cells in zip(*lines)], free):
        made = RichTable()
        for column, size in _sized([first, *columns], width - 1):
            made.add_column(Text(column.name), width=size)
        for texts in zip(*(column.texts for column in (first, *columns))):
            made.add_row(*texts)
        yield made


def _column(cells: Sequence[Cell]) -> _Column:
    name, texts = cells[0].column, [Text(sentence(c, plain), _STYLES[c.status]) for c in cells]
    means = [plain(c.mean, c.std, c.decimals) for c in cells if c.mean is not None]
    return _Column(name, tuple(texts), max(*map(_longest, (Text(name), *texts)), *map(len, means)))


def _longest(text: Text) -> int:
    return max(map(len, text.plain.split()), default=0)


def _groups(columns: Sequence[_Column], free: int) -> Iterator[list[_Column]]:
    """Deals the columns, in order, to parts that fit; every part has at least one."""
    group: list[_Column] = []
    for column in columns:
        if group and sum(each.need + _EDGES for each in (*group, column)) > free:
            yield group
            group = []
        group.append(column)
    yield group


def _sized(columns: Sequence[_Column], free: int) -> Iterator[tuple[_Column, int]]:
    """Gives each what it needs, and, from the first on, of what is left what it wants."""
    free -= sum(column.need + _EDGES for column in columns)
    for column in columns:
        more = max(min(column.want - column.need, free), 0)
        free -= more
        yield column, column.need + more
