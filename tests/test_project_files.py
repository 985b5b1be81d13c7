"""Files at the root of the repository agree with the package."""

import re
from pathlib import Path

import iidgan
from iidgan.core.references import IID_GAN

ROOT = Path(__file__).parents[1]
PAGES = (*ROOT.glob("*.md"), ROOT / "examples" / "README.md", ROOT / "findings" / "README.md")


def test_citation_has_version_and_paper():
    text = (ROOT / "CITATION.cff").read_text()
    assert f"version: {iidgan.__version__}\n" in text
    assert IID_GAN.title in text
    assert IID_GAN.url in text


def test_findings_are_listed():
    text = (ROOT / "findings" / "README.md").read_text()
    scripts = {path.name for path in (ROOT / "findings").glob("*.sh")}
    assert set(re.findall(r"\]\((.*?\.sh)\)", text)) == scripts


def test_linked_files_exist():
    for page in PAGES:
        links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == [], page
