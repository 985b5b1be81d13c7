"""The HTML page of a diagnosis."""

import re

import pytest
import torch
from PIL import Image

from iidgan import InputError, diagnose
from iidgan.core import Dataset
from iidgan.diagnosis.page import render_page
from tests.helpers.extractors import make_images
from tests.helpers.html import assert_standalone, parse_page


@pytest.fixture(scope="module")
def images():
    return torch.from_numpy(make_images(60, 3, 16, 16))


@pytest.fixture(scope="module")
def page(images):
    return render_page(diagnose(images.flip(0)[:40], images, features="pixels"))


def test_page_is_well_formed_and_asks_for_nothing(page):
    assert parse_page(page).addresses
    assert_standalone(page)


def test_page_of_points_shows_them():
    points = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    page = render_page(diagnose(points[:50], points))
    (address,) = parse_page(page).addresses
    assert address.startswith("data:image/png;base64,")


def test_page_of_points_in_more_dimensions_has_no_picture():
    points = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    assert parse_page(render_page(diagnose(points[:50], points))).addresses == []


def test_only_good_news_has_its_colour():
    points, others = torch.rand(2, 400, 2, generator=torch.Generator().manual_seed(0))
    assert '"headline good"' in render_page(diagnose(others, points))
    assert '"headline bad"' in render_page(diagnose(points, points))  # copies


def test_names_of_files_are_escaped(tmp_path):
    path = tmp_path / "<b>x&y.csv"
    rows = torch.randn(40, 2, generator=torch.Generator().manual_seed(0)).tolist()
    path.write_text("\n".join(f"{a},{b}" for a, b in rows))
    page = render_page(diagnose(path, path))
    assert "<b>x" not in page
    assert "&lt;b&gt;x&amp;y.csv" in page


def test_suspicious_samples_are_named_by_their_files(tmp_path):
    images = make_images(20, 1, 8, 8)
    for i, image in enumerate(images):
        Image.fromarray(image[0]).save(tmp_path / f"cat-{i}.png")
    page = render_page(diagnose(tmp_path, images[:15], features="pixels"))
    assert "cat-3.png: distance 0, ratio 0.00" in page


def test_large_images_make_a_page_of_less_than_five_megabytes(tmp_path):
    images = torch.from_numpy(make_images(60, 3, 256, 256))  # noise compresses worst
    diagnose(images[:40], images, features="pixels").save_page(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 5_000_000


def test_page_is_written_whole_or_not_at_all(images, tmp_path):
    (tmp_path / "page.html").mkdir()
    diagnosis = diagnose(images[:20], images, features="pixels")
    with pytest.raises(InputError, match="Is a directory"):
        diagnosis.save_page(tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_page_shows_least_covered_of_many_classes():
    labels = torch.arange(600) % 25
    centres = 100 * labels[:, None].float()
    points = centres + torch.randn(600, 2, generator=torch.Generator().manual_seed(0))
    samples = points[labels != 17] + 0.001
    page = render_page(diagnose(samples, Dataset(points, y=labels)))
    rows = re.findall(r"<tr><td>class_coverage_(\d+)</td>", page)
    assert len(rows) == 20
    assert rows[0] == "17"
