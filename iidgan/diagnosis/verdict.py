"""The verdict on a generator in about ten lines of plain English."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from iidgan.diagnosis.regions import Region
from iidgan.sample_sets.feature_set import POINTS

if TYPE_CHECKING:
    from iidgan.diagnosis.diagnosis import Diagnosis
    from iidgan.evaluation.feature_metrics import Score

COMPLETE, MOSTLY_COMPLETE, HALF_COMPLETE = 0.9, 0.7, 0.4
"""Shares of the variety of the data from which the headline is another one."""
OFF_DATA, FEW_OFF_DATA = 0.5, 0.8
"""Shares of the precision of real samples below which most, or many, samples are off the data."""
MANY_COPIES = 0.05
"""Share of near copies, beyond that among real samples, from which the headline names them."""
NO_COLLAPSE = "NO SIGN OF COLLAPSE"
"""How the headline begins if nothing is wrong."""
MAX_NAMES = 4


def write_verdict(diagnosis: Diagnosis) -> list[str]:
    """Write the lines of the verdict, the headline first.

    Arguments:
        diagnosis: The diagnosis.
    """
    return [
        write_headline(diagnosis),
        _describe_coverage(diagnosis),
        *_describe_repetition(diagnosis),
        _describe_quality(diagnosis),
        _describe_copies(diagnosis),
        *_describe_regions(diagnosis),
        *_describe_classes(diagnosis),
        _describe_distance(diagnosis),
        _describe_samples(diagnosis),
    ]


def write_headline(diagnosis: Diagnosis) -> str:
    """Say in one line whether the generator has collapsed.

    Arguments:
        diagnosis: The diagnosis.
    """
    share, precision = diagnosis.score("clipped_coverage"), diagnosis.score("precision").value
    expected_precision = diagnosis.reference_scores["precision"]
    copies = diagnosis.score("near_copies")
    has_copies = copies.low > _expect_copies(diagnosis) + MANY_COPIES
    if math.isnan(share.low):
        state = "TOO FEW SAMPLES TO TELL"
    elif share.value >= COMPLETE:
        state = "COPIES OF THE DATA" if has_copies else NO_COLLAPSE
    elif precision < OFF_DATA * expected_precision:
        state = "OFF THE DATA"
    elif share.value >= MOSTLY_COMPLETE:
        state = "NOT CERTAIN" if share.high >= COMPLETE else "SOME IS MISSING"
    elif share.value >= HALF_COMPLETE:
        state = "MUCH IS MISSING"
    else:
        state = "COLLAPSED"
    text = f"{state}: the samples show {_percent(share.value)} of the variety of the data"
    text += "" if math.isnan(share.low) else f" ({_interval(share)})"
    if precision < FEW_OFF_DATA * expected_precision:
        text += f"; {_percent(1 - precision)} are off the data"
    if has_copies:
        text += f"; {_percent(copies.value)} are near copies of real ones"
    return f"{text}."


def _expect_copies(diagnosis: Diagnosis) -> float:
    """Return an upper bound of the share of near copies among other real samples."""
    expected, num_half = diagnosis.reference_scores["near_copies"], len(diagnosis.real) // 2
    return expected + 2 * math.sqrt(expected * (1 - expected) / num_half)


def _describe_coverage(diagnosis: Diagnosis) -> str:
    score, expected = diagnosis.score("coverage"), diagnosis.reference_scores["coverage"]
    return (
        f"coverage: {_percent(score.value)} of the real samples have a generated one nearby "
        f"({_interval(score)}); other real samples reach {_percent(expected)}"
    )


def _describe_repetition(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.real.features.protocol.extractor == POINTS:
        return  # the number of different directions is at most that of the coordinates
    score, expected = diagnosis.score("vendi"), diagnosis.score("vendi_real")
    yield (
        f"repetition: as various as {score.value:.3g} different samples (Vendi score); the real "
        f"ones as {expected.value:.3g}"
    )


def _describe_quality(diagnosis: Diagnosis) -> str:
    score, expected = diagnosis.score("precision"), diagnosis.reference_scores["precision"]
    return (
        f"quality: {_percent(1 - score.value)} of the samples are off the data "
        f"({_interval(score, complement=True)}); {_percent(1 - expected)} of other real ones"
    )


def _describe_copies(diagnosis: Diagnosis) -> str:
    score, expected = diagnosis.score("near_copies"), diagnosis.reference_scores["near_copies"]
    num_fake, num_real = len(diagnosis.fake), len(diagnosis.real)
    partial = (
        f"; there are {diagnosis.real.num_available:,} real ones, so that there may be more copies"
        if diagnosis.real.num_available > num_real
        else ""
    )
    return (
        f"copies: {round(score.value * num_fake):,} of {num_fake:,} samples are near copies of "
        f"one of {num_real:,} real ones ({_interval(score)}); {_percent(expected)} of other real "
        f"ones{partial}"
    )


def _describe_regions(diagnosis: Diagnosis) -> Iterator[str]:
    significant = [region for region in diagnosis.regions if region.is_significant]
    starved = [region for region in significant if region.z < 0]
    crowded = [region for region in reversed(significant) if region.z > 0]
    for word, regions in (("starved", starved), ("crowded", crowded)):
        line = f"{word}: {len(regions)} of {len(diagnosis.regions)} regions of the data"
        yield line + (f"; {_describe_region(regions[0])}" if regions else "")


def _describe_region(region: Region) -> str:
    name = f" ({region.label})" if region.label else ""
    return (
        f"the first{name} has {_percent(region.real_share)} of the real and "
        f"{_percent(region.fake_share)} of the generated samples"
    )


def _describe_classes(diagnosis: Diagnosis) -> Iterator[str]:
    least = [score for score in rank_classes(diagnosis.scores) if score.value < COMPLETE]
    if least:
        yield "classes: least covered are " + ", ".join(
            f"{score.metric.removeprefix(_CLASS_PREFIX)} ({_percent(score.value)})"
            for score in least[:MAX_NAMES]
        )


_CLASS_PREFIX = "class_coverage_"


def is_of_class(score: Score) -> bool:
    """Return whether a score is the coverage of one class.

    Arguments:
        score: The score.
    """
    return score.metric.startswith(_CLASS_PREFIX)


def rank_classes(scores: Iterable[Score]) -> list[Score]:
    """Return the scores of single classes, the least covered first.

    Arguments:
        scores: All scores.
    """
    return sorted(filter(is_of_class, scores), key=lambda score: (score.value, score.metric))


def _describe_distance(diagnosis: Diagnosis) -> str:
    score = next(score for score in diagnosis.scores if score.metric.startswith(("fd_", "fid")))
    interval = "" if math.isnan(score.low) else f" ({score.low:.4g} to {score.high:.4g})"
    return f"distance: {score.metric} is {score.value:.4g}{interval}"


def _describe_samples(diagnosis: Diagnosis) -> str:
    protocol = diagnosis.real.features.protocol
    return (
        f"compared: {len(diagnosis.fake):,} of {diagnosis.fake.num_available:,} generated and "
        f"{len(diagnosis.real):,} of {diagnosis.real.num_available:,} real samples, by "
        f"{protocol.extractor} ({protocol.num_features:,} numbers)"
    )


def _percent(share: float) -> str:
    return f"{_number(share)} %"


def _number(share: float) -> str:
    """Write a share in percent with two digits, but never 0 or 100 of what is not."""
    percent = 100 * share
    if 0 < percent < 0.1:
        return "under 0.1"
    if 99.9 < percent < 100:
        return "over 99.9"
    has_decimal = (percent < 10 or percent > 99) and percent != round(percent)
    return f"{percent:.1f}" if has_decimal else f"{percent:.0f}"


def _interval(score: Score, *, complement: bool = False) -> str:
    low, high = (1 - score.high, 1 - score.low) if complement else (score.low, score.high)
    return f"{_number(low)} to {_number(high)} %"
