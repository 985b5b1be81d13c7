"""The page of the presets has the values of the code."""

from pathlib import Path

from tools.update_presets import PAGE, list_image_presets, render_presets
from tools.update_results import split_page

ROOT = Path(__file__).parents[2]


def test_page_has_current_presets():
    """`python -m tools.update_presets` writes it."""
    _, presets, _ = split_page((ROOT / PAGE).read_text(encoding="utf-8"))
    assert presets.strip() == render_presets().strip()


def test_presets_are_rendered_with_their_sources():
    text = render_presets()
    for preset in list_image_presets():
        assert f"### {preset.name}" in text
        assert all(origin in text for origin in preset.origins.values())
        assert preset.reference is None or preset.reference.url in text
