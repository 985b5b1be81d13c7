"""The HTML page of a diagnosis: scores, regions in pictures, and suspicious samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iidgan.diagnosis.regions import Region
from iidgan.diagnosis.suspects import Suspect
from iidgan.diagnosis.verdict import NO_COLLAPSE, is_of_class, rank_classes
from iidgan.figures.run import make_curve_figures
from iidgan.html import Plot, encode_images, encode_plot, render_template
from iidgan.report import plot_points
from iidgan.sample_sets.feature_set import FeatureSet
from iidgan.utils.files import write_text

if TYPE_CHECKING:
    from iidgan.diagnosis.diagnosis import Diagnosis

MAX_REGIONS_SHOWN = 10
PICTURES_PER_SIDE = 8
MAX_CLASSES_SHOWN = 20
"""Classes whose coverage is shown, the least covered first."""


def write_page(path: Path, diagnosis: Diagnosis) -> None:
    """Write a diagnosis as an HTML page that contains all its pictures, atomically.

    Arguments:
        path: The file; an existing one is replaced.
        diagnosis: The diagnosis.

    Raises:
        InputError: The file cannot be written.
    """
    write_text(path, render_page(diagnosis))


def render_page(diagnosis: Diagnosis) -> str:
    """Render a diagnosis as HTML.

    Arguments:
        diagnosis: The diagnosis.
    """
    return render_template(
        "page.html",
        ["iidgan.diagnosis"],
        diagnosis=describe_diagnosis(diagnosis),
        plots=list(_plots(diagnosis)),
    )


def describe_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return what the template `diagnosis.html` shows: texts, numbers and pictures of samples.

    Arguments:
        diagnosis: The diagnosis.
    """
    headline, *lines = diagnosis.verdict
    starved, crowded = _choose_regions(diagnosis)
    has_pictures = len(diagnosis.fake.shape) == 3
    pictures = _encode_pictures(diagnosis, [*starved, *crowded]) if has_pictures else None
    return {
        "name": diagnosis.fake.name,
        "reference": diagnosis.real.name,
        "headline": headline,
        "tone": "good" if headline.startswith(NO_COLLAPSE) else "bad",
        "findings": [line.split(": ", 1) for line in lines],
        "notes": diagnosis.notes,
        "scores": list(_score_rows(diagnosis)),
        "groups": [
            _describe_group("Starved regions", _STARVED_TEXT, starved, pictures),
            _describe_group("Crowded regions", _CROWDED_TEXT, crowded, pictures),
        ],
        "suspects": list(_suspect_groups(diagnosis, pictures)) if pictures else [],
        "protocol": list(_protocol_rows(diagnosis)),
    }


def _score_rows(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    scores = [score for score in diagnosis.scores if not is_of_class(score)]
    for score in [*scores, *rank_classes(diagnosis.scores)[:MAX_CLASSES_SHOWN]]:
        is_share = 0 <= score.value <= 1 and score.metric in _SHARES
        yield {
            "name": score.metric,
            "value": _format(score.value),
            "low": _format(score.low),
            "high": _format(score.high),
            "expected": _format(diagnosis.reference_scores.get(score.metric, math.nan)),
            "percent": round(100 * score.value, 1) if is_share else None,
        }


_SHARES = (
    *("precision", "recall", "coverage", "clipped_density", "clipped_coverage"),
    *("irs", "irs_retrieved", "authenticity", "near_copies"),
)


def _format(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


@dataclass(frozen=True)
class _Pictures:
    """Pictures of real and generated samples, as `data:` URIs by the positions of the samples."""

    real: Mapping[int, str]
    fake: Mapping[int, str]


def _encode_pictures(diagnosis: Diagnosis, regions: Sequence[Region]) -> _Pictures:
    """Read all samples that the page shows at once: each reading may go through a whole file."""
    suspects = (*diagnosis.suspects.copies, *diagnosis.suspects.off_data)
    real = [i for region in regions for i in region.real_positions[:PICTURES_PER_SIDE]]
    fake = [i for region in regions for i in region.fake_positions[:PICTURES_PER_SIDE]]
    real += [i for suspect in suspects for i in suspect.real_positions]
    fake += [suspect.position for suspect in suspects]
    return _Pictures(_encode_samples(diagnosis.real, real), _encode_samples(diagnosis.fake, fake))


def _encode_samples(samples: FeatureSet, positions: Sequence[int]) -> dict[int, str]:
    unique = sorted(set(positions))
    return dict(zip(unique, encode_images(samples.take(unique)))) if unique else {}


def _choose_regions(diagnosis: Diagnosis) -> tuple[list[Region], list[Region]]:
    """Choose the most starved and the most crowded regions."""
    starved = [region for region in diagnosis.regions if region.z < 0]
    crowded = [region for region in reversed(diagnosis.regions) if region.z > 0]
    return starved[:MAX_REGIONS_SHOWN], crowded[:MAX_REGIONS_SHOWN]


_STARVED_TEXT = (
    "Regions of the data (cells of k-means) with fewer generated than real samples, the most "
    "significant difference first."
)
_CROWDED_TEXT = "Regions of the data with more generated than real samples."


def _describe_group(
    title: str, text: str, regions: Sequence[Region], pictures: _Pictures | None
) -> dict[str, Any]:
    described = [_describe_region(region, pictures) for region in regions]
    return {"title": title, "text": text, "regions": described}


def _describe_region(region: Region, pictures: _Pictures | None) -> dict[str, Any]:
    positions = {"real": region.real_positions, "generated": region.fake_positions}
    uris: dict[str, Mapping[int, str]] = (
        {"real": pictures.real, "generated": pictures.fake} if pictures else {}
    )
    share_text = (
        f"{100 * region.real_share:.2f} % of the real, {100 * region.fake_share:.2f} % of the "
        f"generated samples{'' if region.is_significant else ' (not significant)'}"
    )
    return {
        "title": region.label or f"{100 * region.real_share:.1f} % of the data",
        "text": share_text,
        "sides": [
            {
                "name": f"{side}: {len(positions[side]):,}",
                "pictures": [uris[side][i] for i in positions[side][:PICTURES_PER_SIDE]]
                if uris
                else [],
            }
            for side in positions
        ],
    }


_COPIES_TEXT = (
    "The generated samples (outlined) whose nearest real sample is much nearer than the second "
    "nearest, beside the nearest real ones. A ratio of 0 is an exact copy; near copies have less "
    "than 1/3."
)
_OFF_DATA_TEXT = (
    "The generated samples (outlined) that are farthest from all real ones, beside the nearest "
    "real ones."
)


def _suspect_groups(diagnosis: Diagnosis, pictures: _Pictures) -> Iterator[dict[str, Any]]:
    for title, text, suspects in (
        ("Most like a copy", _COPIES_TEXT, diagnosis.suspects.copies),
        ("Farthest from the data", _OFF_DATA_TEXT, diagnosis.suspects.off_data),
    ):
        described = [_describe_suspect(diagnosis, suspect, pictures) for suspect in suspects]
        yield {"title": title, "text": text, "suspects": described}


def _describe_suspect(
    diagnosis: Diagnosis, suspect: Suspect, pictures: _Pictures
) -> dict[str, Any]:
    uris = [pictures.fake[suspect.position]]
    uris += [pictures.real[position] for position in suspect.real_positions]
    name = diagnosis.fake.describe(suspect.position)
    text = f"{name}: distance {suspect.distance:.3g}, ratio {suspect.ratio:.2f}"
    return {"pictures": uris, "text": text}


def _plots(diagnosis: Diagnosis) -> Iterator[Plot]:
    if diagnosis.fake.shape == (2,):
        generated, real = (
            side.features.values.numpy().astype(float) for side in (diagnosis.fake, diagnosis.real)
        )
        yield encode_plot("Samples", "", plot_points(generated, real))
    if diagnosis.run_dir is not None:
        for file_name, figure in make_curve_figures(diagnosis.run_dir):
            yield encode_plot(f"{Path(file_name).stem.capitalize()} over training", "", figure)


def _protocol_rows(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    protocol = diagnosis.real.features.protocol.to_dict()
    rows = [(name.replace("_", " "), str(value)) for name, value in protocol.items()]
    for name, side in (("real", diagnosis.real), ("generated", diagnosis.fake)):
        rows.append((name, f"{side.name}: {len(side):,} of {side.num_available:,} samples"))
    return rows
