"""Render the tables in docs/results again from the stored results, without training.

Only the text between the markers `<!-- table: begin -->` and `<!-- table: end -->` of each page is
replaced; the prose around it is edited by hand. Run from the root of the repository.
"""

import io
from contextlib import redirect_stdout
from pathlib import Path

from iidgan.cli import main
from iidgan.studies.papers import RECIPES, TABLES

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
PAGES_DIR = Path("docs/results")
PROFILES = {
    "hard": "standard",
    "stacked": "standard",
    "lazy-images": "quick",
    "images": "standard",
    "few-images": "standard",
    "bfloat16": "standard",
    "conditional": "standard",
    "disentanglement": "standard",
}
"""Profiles that pages show, by the name of the table; the other pages show full tables."""


def list_pages() -> list[str]:
    """Return the names of all tables that have a page: recipes share docs/reproduce.md."""
    return [*(name for name in TABLES if name not in RECIPES), "sweep"]


def render_table(name: str) -> str:
    """Return a table as Markdown."""
    command = ["sweep"] if name == "sweep" else ["table", name]
    command += [f"--{PROFILES[name]}"] if name in PROFILES else []
    output = io.StringIO()
    with redirect_stdout(output):
        exit_code = main([*command, "--no-train", "--format", "md"])
    if exit_code:
        raise SystemExit(exit_code)
    return output.getvalue()


def split_page(text: str) -> tuple[str, str, str]:
    """Split a page into the text before, between and after the markers."""
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or not rest.count(END):
        raise SystemExit(f"expected one {BEGIN} followed by one {END}")
    return before, table.strip("\n") + "\n", after


def update_page(name: str) -> None:
    """Replace the table of a page and keep its prose."""
    path = PAGES_DIR / f"{name}.md"
    before, _, after = split_page(path.read_text(encoding="utf-8"))
    page = f"{before}{BEGIN}\n\n{render_table(name)}\n{END}{after}"
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    for page_name in list_pages():
        update_page(page_name)
