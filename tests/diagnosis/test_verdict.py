"""The lines of the verdict."""

import pytest
import torch

from iidgan import diagnose
from iidgan.core import Dataset
from iidgan.diagnosis.verdict import _number
from tests.helpers.extractors import make_images

POINTS = torch.rand(400, 2, generator=torch.Generator().manual_seed(0))


def find_line(diagnosis, word):
    (line,) = [line for line in diagnosis.verdict if line.startswith(f"{word}: ")]
    return line


def test_verdict_has_about_ten_lines_with_a_word_each():
    lines = diagnose(POINTS[:200] + 0.001, POINTS).verdict
    assert 8 <= len(lines) <= 12
    assert all(": " in line for line in lines)


def test_intervals_and_expectations_stand_beside_the_values():
    line = find_line(diagnose(POINTS[:200] + 0.001, POINTS), "coverage")
    assert "%" in line
    assert " to " in line
    assert "other real samples reach" in line


def test_partial_search_for_copies_is_said():
    all_line = find_line(diagnose(POINTS, POINTS), "copies")
    assert all_line.startswith("copies: 400 of 400 samples are near copies of one of 400 real")
    assert "may be more" not in all_line
    partial_line = find_line(diagnose(POINTS[:100], POINTS), "copies")
    assert partial_line.endswith("there are 400 real ones, so that there may be more copies")


def test_least_covered_classes_are_named():
    dark, bright = (torch.from_numpy(make_images(40, 1, 8, 8)) // 2 + shift for shift in (0, 128))
    data = Dataset(
        torch.cat([dark, bright]).to(torch.uint8),
        torch.arange(2).repeat_interleave(40),
        labels=("dark", "bright"),
    )
    line = find_line(diagnose(data.x[:40], data, features="pixels"), "classes")
    assert line == "classes: least covered are bright (0 %)"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0"),
        (0.0001, "under 0.1"),
        (0.0567, "5.7"),
        (0.5, "50"),
        (0.9999, "over 99.9"),
        (1, "100"),
    ],
)
def test_shares_are_never_rounded_to_none_or_all(share, text):
    assert _number(share) == text
