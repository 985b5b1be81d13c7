"""A published table as a section of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from iidgan.records import MetricRecord
from iidgan.report.formats import format_cell, format_mean_std
from iidgan.report.stats import t_interval
from iidgan.report.table import Cell
from iidgan.report_page.section import Command
from iidgan.studies.table_spec import TableSpec
from iidgan.studies.tabulate import tabulate
from iidgan.training.description import list_components, render_bibtex

ENVIRONMENT = ("iidgan", "python", "torch", "device")
"""What is said of the machines that measured."""
MAX_ENVIRONMENTS = 6


@dataclass(frozen=True, kw_only=True)
class TableSection:
    """A table: what it compares, its cells with intervals over seeds, citation.

    Arguments:
        name: Name of the table.
        spec: The table.
        records: Metric records of its runs; those of others are ignored.
        commands: Commands that train and explain it.
    """

    kind: ClassVar[Literal["run", "table"]] = "table"

    name: str
    spec: TableSpec
    records: Sequence[MetricRecord]
    commands: Sequence[Command] = ()

    @property
    def title(self) -> str:
        return f"Table {self.name}: {self.spec.title}"

    def describe(self) -> dict[str, Any]:
        """Return what the template shows.

        Raises:
            InputError: Records of one column were measured with different protocols.
        """
        table = tabulate(self.spec, list(self.records))
        runs = [run for _, run in self.spec.runs.values()]
        own_records = [record for record in self.records if record.run in self.spec.runs]
        return {
            "facts": [
                ("runs", f"{len(runs)}, with {self.spec.num_seeds} seeds each"),
                ("data", ", ".join(self.spec.dataset_names)),
                ("steps", ", ".join(f"{n:,}" for n in sorted({run.steps for run in runs}))),
            ],
            "environment": _list_environments(own_records),
            "blocks": [_describe_block(title, rows) for title, rows in table.blocks.items()],
            "notes": table.notes,
            "commands": self.commands,
            "bibtex": render_bibtex(
                component for run in runs for component in (*list_components(run), run.source)
            ),
        }


def _describe_block(title: str, rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
    return {
        "title": title,
        "columns": [cell.column for cell in rows[0]],
        "rows": [{"name": cells[0].row, "cells": [*map(_describe_cell, cells)]} for cells in rows],
    }


def _describe_cell(cell: Cell) -> dict[str, str]:
    return {
        "status": cell.status,
        "text": format_cell(cell, format_mean_std),
        "interval": _format_interval(cell),
    }


def _format_interval(cell: Cell) -> str:
    """Return Student's interval of the mean, unless the text of the cell has it."""
    if len(cell.values) < 2 or cell.interval is not None:
        return ""
    low, high = (f"{limit:z.{cell.decimals}f}" for limit in t_interval(cell.values))
    return f"{low} to {high}"


def _list_environments(records: Iterable[MetricRecord]) -> list[tuple[str, str]]:
    """List the values that the records have of each fact, the most frequent ones first."""
    counts: dict[str, dict[str, int]] = {name: {} for name in ENVIRONMENT}
    for record in records:
        for name in ENVIRONMENT:
            if text := record.provenance.get(name):
                counts[name][text] = counts[name].get(text, 0) + 1
    return [
        (name, _join_values(sorted(values, key=lambda text: -values[text])))
        for name, values in counts.items()
        if values
    ]


def _join_values(values: Sequence[str]) -> str:
    more = f"; and {len(values) - MAX_ENVIRONMENTS} others"
    return "; ".join(values[:MAX_ENVIRONMENTS]) + more * (len(values) > MAX_ENVIRONMENTS)
