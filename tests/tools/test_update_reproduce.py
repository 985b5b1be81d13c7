"""The page on how to reproduce the papers' tables of images."""

from pathlib import Path

import pytest

from iidgan.records import read_all_records
from iidgan.studies.papers import ALIASES, RECIPES
from iidgan.studies.papers.images.figures import IMAGE_FIGURES
from tests.helpers.tables import make_record
from tools.update_reproduce import PAGE_FILE, render_page_part, render_section, update_page
from tools.update_results import BEGIN, END, split_page

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _at_repository_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_page_is_current():
    """`make results` updates it."""
    _, part, _ = split_page(PAGE_FILE.read_text(encoding="utf-8"))
    assert part.strip() == render_page_part(read_all_records("results")).strip()


def test_page_has_all_recipes():
    part = render_page_part([])
    for name in (*RECIPES, *ALIASES):
        assert f"`iidgan table {name}`" in part


def test_page_has_image_figures_with_data():
    part = render_page_part([])
    for name in IMAGE_FIGURES:
        assert f"`iidgan figure {name}`" in part
    assert "(IID-GAN, IJCAI 2023, Fig. 10) | `celeba`, `lsun-church` |" in part


def test_section_without_results():
    section = render_section("ijcai-table-4", RECIPES["ijcai-table-4"], [])
    for text in (
        "iidgan table ijcai-table-4 --features inception",
        "100,000 images of 48 pixels, 691 MB",
        "cifar-10-python.tar.gz",
        "| IID-GAN | 2.95 ± 0.22 | 7.35 ± 0.03 | 25.71 ± 0.28 | 3.11 ± 0.25 |",
        "Ours: not run: needs `cifar10`, `stl10`.",
    ):
        assert text in section
    assert "| GAN |" not in section


def test_section_of_classified_images():
    section = render_section("ivgan-table-2", RECIPES["ivgan-table-2"], [])
    assert "`iidgan prepare mnist-classifier`" in section
    assert "--features" not in section


def test_section_with_results():
    spec = RECIPES["ijcai-table-5"]
    quick_run = spec.with_quick_profile().row_groups[0].get_run("IID-GAN", "LSUN")
    record = make_record(
        quick_run, 0, 0.0123, metric="js_divergence", protocol={"extractor": "pixels"}
    )
    section = render_section("ijcai-table-5", spec, [record])
    assert "1.230 (1 of 2 missing) (paper 4.21 ± 0.651)" in section
    assert "quick profile of 200 steps; features of efficientnet-lite0" in section
    assert "not run" not in section


def test_update_page_keeps_prose(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    update_page(page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
