"""Copies of the pages that the site is built from, and its navigation."""

import tomllib
from pathlib import Path

import pytest

pytest.importorskip("latex2mathml", reason="needs requirements-docs.txt")

from tools.build_site import copy_docs, write_config
from tools.site_pages import REGISTRIES, list_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _at_repository_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def list_nav_pages(entries):
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else list_nav_pages(value)


def test_files_outside_docs_are_copied_with_their_links(tmp_path):
    root, copy = tmp_path / "repository", tmp_path / "copy"
    (root / "docs/guides").mkdir(parents=True)
    (root / "examples").mkdir()
    (root / "examples/ring.py").write_text("1\n")
    (root / "NOTES.md").write_text("[guide](docs/guides/a.md#b), [b](b.md)\n")
    (root / "docs/guides/a.md").write_text(
        "[notes](../../NOTES.md), [script](../../examples/ring.py), [c](../c.md), "
        "[host](https://example.org/a.md), [lost](../../lost.md)\n"
    )
    copy_docs(root, copy)
    assert (copy / "guides/a.md").read_text() == (
        "[notes](../files/NOTES.md), [script](../files/examples/ring.py), [c](../c.md), "
        "[host](https://example.org/a.md), [lost](../../lost.md)\n"
    )
    assert (copy / "files/NOTES.md").read_text() == "[guide](../guides/a.md#b), [b](b.md)\n"
    assert (copy / "files/examples/ring.py").read_text() == "1\n"


def test_navigation_has_every_page_of_docs_and_every_component(tmp_path):
    config = tomllib.loads(write_config(tmp_path).read_text(encoding="utf-8"))
    pages = list(list_nav_pages(config["project"]["nav"]))
    assert len(set(pages)) == len(pages)
    docs = {str(path.relative_to("docs")) for path in Path("docs").rglob("*.md")}
    assert docs <= set(pages)
    for kind in REGISTRIES:
        assert {f"{kind}/{file_name}" for file_name in list_pages(kind).values()} <= set(pages)
