"""Pages of the site that are generated: one for each registered method and each term.

Each has its docstring, its publication, and its rows of the published tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from iidgan import methods, terms
from iidgan.cli.components import get_summary
from iidgan.config.registry import get_reference
from iidgan.config.run import Run
from iidgan.core import Method, Reference, Regularised, Term
from iidgan.methods import METHODS
from iidgan.records import MetricRecord, read_all_records
from iidgan.report.formats import render_table
from iidgan.studies.papers import TABLES
from iidgan.studies.table_spec import RowGroup, TableSpec
from iidgan.studies.tabulate import tabulate
from iidgan.terms import TERMS
from iidgan.terms.image_augmentation import ImageAugmentation

REGISTRIES: Mapping[str, Mapping[str, Any]] = {"methods": METHODS, "terms": TERMS}
"""Registries whose entries have a page, by the folder of these pages."""
_PACKAGES = {"methods": methods, "terms": terms}
_OPTIONS = {"methods": "--method {}", "terms": "--method gan --term {}"}
_INDEX_MARK = "<!-- pages -->"
"""Place of the table of pages in `docs/methods/index.md` and `docs/terms/index.md`."""


def list_pages(kind: str) -> dict[str, str]:
    """Return the file names of the generated pages of a registry, by registered name."""
    return {name: f"{name.replace('+', '-plus')}.md" for name in REGISTRIES[kind]}


def write_pages(docs_dir: Path, results_dir: Path) -> None:
    """Write all generated pages, and list them in the index of their folder.

    Arguments:
        docs_dir: Copy of `docs` that the site is built from.
        results_dir: Folder of the metric records.
    """
    result_rows = ResultRows.read(results_dir)
    for kind in REGISTRIES:
        for name, file_name in list_pages(kind).items():
            page = render_page(kind, name, result_rows)
            (docs_dir / kind / file_name).write_text(page, encoding="utf-8")
        index_path = docs_dir / kind / "index.md"
        index_page = index_path.read_text(encoding="utf-8")
        if index_page.count(_INDEX_MARK) != 1:
            raise SystemExit(f"{index_path}: expected one line {_INDEX_MARK}")
        index_path.write_text(
            index_page.replace(_INDEX_MARK, render_index(kind)), encoding="utf-8"
        )


def render_index(kind: str) -> str:
    """Return the table that links to the pages of a registry."""
    lines = ["| name | summary | publication |", "| --- | --- | --- |"]
    for name, file_name in list_pages(kind).items():
        component = REGISTRIES[kind][name]
        reference = get_reference(component)
        summary = get_summary(component).replace("|", r"\|")
        publication = f"[{reference.year}]({reference.url})" if reference else ""
        lines.append(f"| [`{name}`]({file_name}) | {summary} | {publication} |")
    return "\n".join(lines)


def render_page(kind: str, name: str, result_rows: ResultRows) -> str:
    """Return the page of a component.

    Arguments:
        kind: Folder of the page, a key of `REGISTRIES`.
        name: Registered name of the component.
        result_rows: Rows of the published tables.
    """
    component = REGISTRIES[kind][name]
    command = f"iidgan train {_choose_source(component)} {_OPTIONS[kind].format(name)}"
    parts = [
        f"# {name}",
        f"`{command}`, or in Python `iidgan.{component.__name__}()`",
        _render_docstring(kind, name),
    ]
    if reference := get_reference(component):
        parts.append(_render_reference(name, reference))
    parts.append(result_rows.render(kind, name))
    return "\n\n".join(parts) + "\n"


def _choose_source(component: Any) -> str:  # noqa: ANN401 - a class or a function
    """Return the name of a source that a component can be trained on."""
    is_for_images = isinstance(component, type) and issubclass(component, ImageAugmentation)
    return "fashion-mnist" if is_for_images else "ring"


def _render_docstring(kind: str, name: str) -> str:
    """Return the directive that shows the module of a component, at its first name only."""
    component = REGISTRIES[kind][name]
    pages = list_pages(kind)
    names_in_module = [
        other for other, factory in REGISTRIES[kind].items() if _same_module(factory, component)
    ]
    if name != names_in_module[0]:
        first_name = names_in_module[0]
        return (
            f"More about it is on the page of [`{first_name}`]({pages[first_name]}).\n\n"
            f"::: {component.__module__}.{component.__name__}"
        )
    other_pages = {REGISTRIES[kind][other].__name__ for other in names_in_module[1:]}
    members = [
        public_name
        for public_name in _PACKAGES[kind].__all__
        if _same_module(getattr(_PACKAGES[kind], public_name), component)
        and public_name not in other_pages
    ]
    options = ["show_root_heading: false", "show_root_toc_entry: false", f"members: {members}"]
    return "\n".join(
        [f"::: {component.__module__}", "    options:", *(f"      {line}" for line in options)]
    )


def _same_module(one: object, other: object) -> bool:
    return getattr(one, "__module__", None) == getattr(other, "__module__", "")


def _render_reference(name: str, reference: Reference) -> str:
    note = f"\n\n{reference.note.rstrip('.')}." if reference.note else ""
    return (
        "## Publication\n\n"
        f"{reference.authors}: [{reference.title}]({reference.url}), {reference.year}.{note}\n\n"
        f"`iidgan cite {name}` prints it as a BibTeX entry."
    )


def uses_method(run: Run, name: str) -> bool:
    """Whether a run trains a registered method, with any options of its own and of its terms.

    A run belongs to the names that create exactly its method; otherwise to the first name whose
    method has the same classes.
    """
    exact_names = [other for other in METHODS if _create(other) == run.method]
    if exact_names:
        return name in exact_names
    classes = _describe_classes(run.method)
    return name in [other for other in METHODS if _describe_classes(_create(other)) == classes][:1]


@cache
def _create(name: str) -> Method:
    return METHODS[name]()


def _describe_classes(method: Method) -> tuple[object, ...]:
    if isinstance(method, Regularised):
        return (method.method, *map(type, method.terms))
    return (type(method),)


def uses_term(run: Run, name: str) -> bool:
    """Whether the method of a run contains a term of a registered class, or of a function."""
    return any(_is_term(term, name) for term in _list_terms(run.method))


def _is_term(term: Term, name: str) -> bool:
    factory = TERMS[name]
    return isinstance(term, factory) if isinstance(factory, type) else term == factory()


def _list_terms(method: Method) -> tuple[Term, ...]:
    if isinstance(method, Regularised):
        return (*_list_terms(method.method), *method.terms)
    return ()


_USES = {"methods": uses_method, "terms": uses_term}


@dataclass(frozen=True, kw_only=True)
class ResultRows:
    """Rows of published tables, by a component that their runs use.

    Arguments:
        specs: The tables, by the name of their page in `docs/results`.
        records: Metric records of their runs.
    """

    specs: Mapping[str, TableSpec]
    records: list[MetricRecord]

    @classmethod
    def read(cls, results_dir: Path) -> ResultRows:
        """Read the records of a folder; the tables are those of points and of stacked images."""
        records = read_all_records(results_dir)
        specs = {name: TABLES[name](records) for name in ("synthetic", "stacked")}
        specs["stacked"] = specs["stacked"].with_quick_profile()
        return cls(specs=specs, records=records)

    def render(self, kind: str, name: str) -> str:
        """Return the rows of a component as Markdown, with a heading."""
        tables = []
        for page_name, spec in self.specs.items():
            row_groups = [_select_rows(group, kind, name) for group in spec.row_groups]
            selected = replace(spec, row_groups=tuple(group for group in row_groups if group.rows))
            if selected.row_groups:
                table = render_table(tabulate(selected, self.records), "md").strip()
                tables.append(f"{table}\n\nFrom [the whole table](../results/{page_name}.md).")
        return "\n\n".join(["## Results", *(tables or ["No published table has a row of it."])])


def _select_rows(group: RowGroup, kind: str, name: str) -> RowGroup:
    rows = {
        row_name: run
        for row_name, run in group.rows.items()
        if isinstance(run, Run) and _USES[kind](run, name)
    }
    return replace(group, rows=rows)
