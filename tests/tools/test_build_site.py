"""Copies of the pages that the site is built from, and its navigation."""

import tomllib
from pathlib import Path

import pytest

pytest.importorskip("latex2mathml", reason="needs requirements-docs.txt")

from tools.build_site import copy_docs, run_zensical, write_config
from tools.site_pages import REGISTRIES, list_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _at_repository_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def list_nav_pages(entries):
    values = [value for entry in entries for value in entry.values()]
    nested = [
        page for value in values if isinstance(value, list) for page in list_nav_pages(value)
    ]
    return [*nested, *(value for value in values if isinstance(value, str))]


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
    pages = list_nav_pages(config["project"]["nav"])
    assert len(set(pages)) == len(pages)
    assert {str(path.relative_to("docs")) for path in Path("docs").rglob("*.md")} <= set(pages)
    for kind in REGISTRIES:
        assert {f"{kind}/{file_name}" for file_name in list_pages(kind).values()} <= set(pages)


def test_page_that_no_entry_names_is_a_guide(tmp_path, monkeypatch):
    (tmp_path / "tools").mkdir()
    (tmp_path / "docs/guides").mkdir(parents=True)
    nav = """nav = [{ "A" = "index.md" }, { "B" = "guides/*" }, { "C" = "methods/*" },
             { "D" = "terms/*" }]"""
    (tmp_path / "tools/zensical.toml").write_text(f"[project]\n{nav}\n")
    titles = {"index": "I", "faq": 'Some `code` "here"', "guides/z": "Z", "same": "Z"}
    for name, title in titles.items():
        (tmp_path / f"docs/{name}.md").write_text(f"# {title}\n\nText.\n")
    monkeypatch.chdir(tmp_path)
    config = tomllib.loads(write_config(tmp_path).read_text(encoding="utf-8"))
    assert config["project"]["nav"][1] == {
        "B": [{"Z": "guides/z.md"}, {'Some code "here"': "faq.md"}, {"Z": "same.md"}]
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "exit_code"),
    [("[1](#a)", 0), ("[1](lost.md)", 1), ("[1](#lost)", 1), ("[1][iidgan.lost]", 1)],
)
def test_links_and_references_that_lead_nowhere_fail_the_build(tmp_path, text, exit_code):
    pytest.importorskip("zensical", reason="needs requirements-docs.txt")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text(f"# A\n\n{text}\n")
    config_path = tmp_path / "zensical.toml"
    config_path.write_text('[project]\nsite_name = "A"\n[project.plugins.mkdocstrings]\n')
    assert run_zensical(config_path) == exit_code
