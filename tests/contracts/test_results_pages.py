"""Pages in docs/results: their tables are those of the stored results."""

from functools import cache
from pathlib import Path

import pytest

from iidgan.studies import train_missing
from iidgan.studies.papers import RECIPES, TABLES
from tools.update_results import list_pages, render_table, split_page

ROOT = Path(__file__).parents[2]
PAGES_DIR = ROOT / "docs" / "results"


@pytest.fixture(autouse=True)
def _at_repository_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module", autouse=True)
def _records_read_once():
    """The records of all tables take a second to read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_missing, "read_all_records", cache(train_missing.read_all_records))
        yield


def parse_cells(markdown):
    """Returns the cells of all Markdown tables by group, row and column."""
    cells, titles, group = {}, None, ""
    for line in markdown.splitlines():
        if not line.startswith("|"):
            titles, group = None, line or group
            continue
        row_name, *values = [part.strip() for part in line.strip("|").split("|")]
        if titles is None:
            titles = values
        elif set(row_name) != {"-"}:
            cells |= {(group, row_name, title): v for title, v in zip(titles, values, strict=True)}
    return cells


def test_results_pages_of_all_tables():
    assert set(list_pages()) == {*TABLES, "sweep"} - RECIPES.keys()
    index = (PAGES_DIR / "README.md").read_text()
    for name in list_pages():
        assert (PAGES_DIR / f"{name}.md").exists()
        assert f"({name}.md)" in index


@pytest.mark.slow
@pytest.mark.parametrize("name", list_pages())
def test_results_pages_match_stored_results(name):
    _, page_table, discussion = split_page((PAGES_DIR / f"{name}.md").read_text())
    table = render_table(name)
    page_cells = parse_cells(page_table)
    assert len(page_cells) > 10
    assert page_cells == parse_cells(table)
    assert page_table == table  # titles and notes; `make results` updates them
    assert len(discussion.split()) > 20
