"""Write the presets, and where each of their values comes from, to docs/images.md.

Run from the root of the repository: `python -m tools.update_presets`.
"""

from pathlib import Path

from iidgan.cli.info import describe_weights
from iidgan.config.preset import Preset
from iidgan.config.presets import PRESETS
from tools.update_results import BEGIN, END, split_page

PAGE = Path("docs/images.md")


def render_presets() -> str:
    """Return a section for each preset of images: its values, and where they come from."""
    return "\n".join(map(_render_preset, list_image_presets()))


def list_image_presets() -> list[Preset]:
    """Return the presets of images."""
    return [preset for preset in PRESETS.values() if preset.has_images]


def _render_preset(preset: Preset) -> str:
    reference, origins = preset.reference, preset.origins
    publication = f" of [{reference.title}]({reference.url})" if reference else ""
    size = f", {preset.side} pixels" if preset.side else ""
    values = {
        "terms": f"`{describe_weights(preset)}`",
        "arch": f"`{preset.arch}`",
        "latent": preset.arch.latent,
        "optimiser": f"`{preset.optimiser}`",
        "batch": preset.batch,
        "steps": f"{preset.steps:,}",
        "ema": f"{preset.ema:g}"
        + (f"; ramp `--ema-rampup {preset.ema_rampup:g}`" if preset.ema_rampup else ""),
    }
    rows = [f"| {name} | {value} | {origins[name]} |" for name, value in values.items()]
    return "\n".join(
        [
            f"### {preset.name}",
            "",
            f"{preset.title}{publication}. Method: `{preset.method_name}`. "
            f"Data: {', '.join(preset.data) or 'any images'}{size}.",
            "",
            "| field | value | from |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def update_page() -> None:
    """Replace the presets on the page and keep its prose."""
    before, _, after = split_page(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n\n{render_presets()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    update_page()
