"""Write what the papers' tables and figures of images need into docs/reproduce.md.

Only the text between the markers `<!-- table: begin -->` and `<!-- table: end -->` is replaced; it
follows from the declared tables and figures and from the stored results. Run from the root of the
repository.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.data import Prepared
from iidgan.data.prepare import DATASETS
from iidgan.records import MetricRecord, read_all_records
from iidgan.report.formats import format_mean_std, render_table
from iidgan.sample_sets.feature_set import DEFAULT_FEATURES
from iidgan.studies.columns import SCORES, ScoreColumn
from iidgan.studies.papers import ALIASES, RECIPES
from iidgan.studies.papers.images.figures import IMAGE_FIGURES
from iidgan.studies.requirements import describe_acquisition
from iidgan.studies.table_spec import RowGroup, TableSpec
from iidgan.studies.tabulate import tabulate
from tools.update_results import BEGIN, END, split_page

PAGE_FILE = Path("docs/reproduce.md")
NUM_IMAGES = {
    "mnist": 60_000,
    "cifar10": 50_000,
    "cifar100": 50_000,
    "stl10": 100_000,
    "celeba": 202_599,
    "lsun-church": 126_227,
    "afhq-cat": 5_153,
}
"""Published numbers of training images."""


def render_page_part(records: list[MetricRecord]) -> str:
    """Return the generated part of the page as Markdown.

    Arguments:
        records: All stored metric records.
    """
    sections = [render_section(name, spec, records) for name, spec in RECIPES.items()]
    return "\n\n".join([_render_overview(), _render_figures(), *sections]) + "\n"


def _render_overview() -> str:
    lines = ["| command | table | data |", "| --- | --- | --- |"]
    for alias, name in ALIASES.items():
        page = f"results/{name}.md"
        lines.append(f"| `iidgan table {alias}` | another name of [{name}]({page}) | |")
    for name, spec in RECIPES.items():
        datasets = ", ".join(spec.dataset_names)
        lines.append(f"| `iidgan table {name}` | [{spec.title}](#{name}) | {datasets} |")
    return "\n".join(lines)


def _render_figures() -> str:
    lines = ["| command | figure | data |", "| --- | --- | --- |"]
    for name, figure in IMAGE_FIGURES.items():
        needed = ", ".join(
            f"`{data}`" for data in _name_data(r.source for r in figure.runs.values())
        )
        lines.append(f"| `iidgan figure {name}` | {figure.title} | {needed} |")
    return "\n".join(lines)


def _name_data(sources: Iterable[Source]) -> list[str]:
    """Name each data set that has to be prepared for sources."""
    names = (
        source.name if isinstance(source, Prepared) else source.classifier_source
        for source in sources
    )
    return list(dict.fromkeys(names))


def render_section(name: str, spec: TableSpec, records: list[MetricRecord]) -> str:
    """Return the section of a table.

    Arguments:
        name: Name of the table.
        spec: The table.
        records: All stored metric records.
    """
    (group,) = spec.row_groups
    has_choice = any(
        isinstance(column, ScoreColumn) and SCORES[column.score].has_choice
        for column in spec.columns.values()
    )
    features = " --features inception" if has_choice else ""
    command = f"```sh\niidgan table {name} --quick\niidgan table {name}{features}\n```"
    return "\n\n".join(
        [
            f"## {name}\n\n{spec.title}.",
            command,
            "\n".join(["It needs:", "", *_list_needs(spec, group)]),
            "It trains and measures:\n\n"
            + "\n".join(f"* {note}" for note in (_describe_runs(spec, group), *spec.all_notes)),
            *([_render_published(spec, group)] if group.published else []),
            _render_ours(spec, records),
        ]
    )


def _list_needs(spec: TableSpec, group: RowGroup) -> Iterator[str]:
    """Yield a line for each data set, and for the classifier if there is one."""
    for dataset_name, source in group.datasets.items():
        yield f"* {dataset_name}: {_describe_source(source)}."
    if any(spec.required_metrics.values()):
        names = sorted({source.classifier_source for source in group.datasets.values()})
        yield from (f"* A classifier: `iidgan prepare {name}-classifier`." for name in names)


def _describe_source(source: Source) -> str:
    """Describe where images come from, how many there are, and how much they take."""
    if not isinstance(source, Prepared):
        name = source.classifier_source
        return f"triples of `{name}`; {describe_acquisition(name)}"
    info, size = DATASETS[source.name], source.expected_size
    assert size is not None, "recipes say what size they need"
    usual_name = source.name.removesuffix(f"-{size}")
    num_images, channels = NUM_IMAGES[usual_name], 1 if usual_name == "mnist" else 3
    megabytes = round(num_images * channels * size**2 / 1e6)
    extent = f"{num_images:,} images of {size} pixels, {megabytes:,} MB"
    way = describe_acquisition(source.name)
    return f"`{source.name}`, {info.title}; {extent}; {way}"


def _describe_runs(spec: TableSpec, group: RowGroup) -> str:
    run = next(row for row in group.rows.values() if isinstance(row, Run))
    length = f"{run.steps:,} steps of batch {run.batch}"
    return f"{len(spec.runs)} runs of {length}, {spec.num_seeds} seeds each."


def _render_published(spec: TableSpec, group: RowGroup) -> str:
    """Return the printed values; rows without any are not the paper's."""
    titles = list(spec.columns)
    lines = [
        f"| Published | {' | '.join(titles)} |",
        f"| --- |{' --- |' * len(titles)}",
    ]
    for row_name in group.rows:
        texts = [_format_published(spec, group, row_name, title) for title in titles]
        if any(texts):
            lines.append(f"| {row_name} | {' | '.join(texts)} |")
    return "\n".join(lines)


def _format_published(spec: TableSpec, group: RowGroup, row_name: str, title: str) -> str:
    printed = group.published.get((row_name, title))
    if printed is None:
        return ""
    return format_mean_std(*printed, spec.columns[title].decimals)


def _render_ours(spec: TableSpec, records: list[MetricRecord]) -> str:
    """Return the profiles that have results, or what is needed for any."""
    profiles = [spec.with_quick_profile(), spec.with_standard_profile(), spec]
    measured = [
        profile for profile in profiles if any(record.run in profile.runs for record in records)
    ]
    if measured:
        tables = (
            tabulate(profile.with_features(DEFAULT_FEATURES), records) for profile in measured
        )
        return "\n".join(render_table(table, "md") for table in tables).rstrip("\n")
    (group,) = spec.row_groups
    names = _name_data(group.datasets.values())
    return f"Ours: not run: needs {', '.join(f'`{name}`' for name in names)}."


def update_page(path: Path = PAGE_FILE) -> None:
    """Replace the generated part of the page and keep its prose.

    Arguments:
        path: The page.
    """
    before, _, after = split_page(path.read_text(encoding="utf-8"))
    part = render_page_part(read_all_records("results"))
    path.write_text(f"{before}{BEGIN}\n\n{part}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    update_page()
