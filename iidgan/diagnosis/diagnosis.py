"""What was found about a generator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iidgan.diagnosis.page import write_page
from iidgan.diagnosis.regions import Region
from iidgan.diagnosis.suspects import Suspects
from iidgan.diagnosis.verdict import write_verdict
from iidgan.evaluation.feature_metrics import Score
from iidgan.records import as_json_number
from iidgan.sample_sets.feature_set import FeatureSet
from iidgan.training.run_dir import RunDir


@dataclass(frozen=True)
class Diagnosis:
    """Scores of a generator, with the regions and the samples that they come from.

    Arguments:
        real: Features of real samples.
        fake: Features of as many generated samples.
        scores: The scores.
        reference_scores: What some scores are for real samples alone, by name: between two halves
            of `real`.
        regions: Regions of the data, the most starved first.
        suspects: Generated samples that are most like copies, or farthest from the data.
        notes: Lines for the user on how the sets were read.
        run_dir: Directory of the run that the samples are of; None for other samples.

    Examples:
        >>> import torch
        >>> from iidgan import diagnose
        >>> generator = torch.Generator().manual_seed(0)
        >>> points, others = torch.rand(2, 1000, 2, generator=generator)
        >>> half = others[others[:, 0] < 0.5]  # the right half is missing
        >>> diagnosis = diagnose(half, points)
        >>> print(diagnosis.verdict[0])
        MUCH IS MISSING: the samples show 52 % of the variety of the data (45 to 58 %).
    """

    real: FeatureSet
    fake: FeatureSet
    scores: tuple[Score, ...]
    reference_scores: Mapping[str, float]
    regions: tuple[Region, ...]
    suspects: Suspects
    notes: tuple[str, ...] = ()
    run_dir: RunDir | None = None

    def __str__(self) -> str:
        return "\n".join(self.verdict)

    @property
    def verdict(self) -> Sequence[str]:
        """About ten lines: what is missing, repeated, copied, and off the data."""
        return write_verdict(self)

    @property
    def share(self) -> float:
        """Share of the variety of the data that the samples show, in [0, 1].

        It is the clipped coverage, as of `iidgan.metrics.clipped_density_and_coverage`, which for
        generators whose fault is known is close to the share of samples that are good and
        different, and falls with every missing class.
        """
        return self.score("clipped_coverage").value

    def score(self, name: str) -> Score:
        """Return the score of a name.

        Arguments:
            name: Its name, such as `coverage`.

        Raises:
            KeyError: There is no such score.
        """
        for score in self.scores:
            if score.metric == name:
                return score
        raise KeyError(name)

    def to_json(self) -> str:
        """Return the scores as JSON: `{"records": [{"metric": ..., "value": ..., ...}, ...]}`."""
        return json.dumps({"records": [encode_score(score) for score in self.scores]})

    def save_page(self, path: str | Path) -> None:
        """Write an HTML page with the scores, pictures of regions, and suspicious samples.

        It contains all its pictures, and asks for nothing else.

        Arguments:
            path: The file; an existing one is replaced.

        Raises:
            InputError: The file cannot be written.
        """
        write_page(Path(path), self)


def encode_score(score: Score) -> dict[str, Any]:
    """Return a score as values of JSON; numbers that are not finite become null.

    Arguments:
        score: The score.
    """
    numbers = {"value": score.value, "low": score.low, "high": score.high}
    encoded = {name: as_json_number(number) for name, number in numbers.items()}
    return {"metric": score.metric, **encoded, "protocol": dict(score.protocol)}
