"""Metrics of features of sets of samples, as records: of runs, and of any other generator."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from iidgan.config.plugins import Plugin
from iidgan.core.metric import MetricProtocol
from iidgan.data.prepare.resize import TargetSize
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.evaluation.feature_metrics import (
    FeaturePair,
    Score,
    compute_scores,
    find_feature_metric,
)
from iidgan.features import FrozenExtractor
from iidgan.features.extraction import ProgressCallback
from iidgan.records import MetricRecord
from iidgan.sample_sets.feature_set import FeatureSet, extract_features, pair_features
from iidgan.sample_sets.opening import open_samples
from iidgan.sample_sets.sample_set import SampleSet


@dataclass(frozen=True)
class Subject:
    """Samples to measure, and what their records say of them.

    Arguments:
        samples: The samples.
        run: Id of the run; empty for samples of another program.
        seed: Seed of the run.
        step: Step of the run.
        diverged: Step at which the seed diverged, or -1.
    """

    samples: SampleSet
    run: str = ""
    seed: int = 0
    step: int = 0
    diverged: int = -1


@dataclass(frozen=True)
class Measurement:
    """What was measured of some samples.

    Arguments:
        records: One record for each value.
        shared_protocol: What the protocols of all values share.
        notes: Lines for the user: how the samples were read, and what limits the values.
    """

    records: list[MetricRecord]
    shared_protocol: MetricProtocol
    notes: list[str]


@dataclass(frozen=True)
class Comparison:
    """What generated samples are compared with, and how.

    Arguments:
        reference: Features of real samples.
        extractor: Extractor of images; None for points.
        metric_names: Names of the metrics.
        num: Number of generated samples.
    """

    reference: FeatureSet
    extractor: FrozenExtractor | None
    metric_names: Sequence[str]
    num: int

    def measure(
        self,
        subject: Subject,
        provenance: Mapping[str, str],
        on_progress: ProgressCallback = lambda done, total: None,
    ) -> Measurement:
        """Measure samples.

        Arguments:
            subject: The samples.
            provenance: Versions and hardware of the measurement.
            on_progress: Receives the number of images done and of all images, after each batch.

        Raises:
            InputError: A sample cannot be read, or a metric cannot be computed.
        """
        samples = extract_features(
            subject.samples, self.extractor, self.num, on_progress=on_progress
        )
        pair = pair_features(self.reference, samples, self.extractor)
        scores = compute_scores(self.metric_names, pair)
        return Measurement(
            records=[_make_record(score, subject, pair, provenance) for score in scores],
            shared_protocol=pair.protocol(),
            notes=[*samples.notes, *_list_limits(pair, self.metric_names)],
        )


def iterate_run_subjects(
    path: str | Path,
    point: EvaluationPoint,
    seeds: Sequence[int],
    num: int,
    *,
    size: TargetSize | None = None,
    plugins: Sequence[Plugin] = (),
) -> Iterator[Subject]:
    """Open samples of seeds of a run, one after the other, since each keeps samples in memory.

    Arguments:
        path: The run directory, or its `generator` folder.
        point: The run, its seeds and their steps.
        seeds: Seeds to open.
        num: Number of samples that are generated of each.
        size: Side, or (height, width), to which images are cropped and resized.
        plugins: Classes of the run that are not part of the package.

    Raises:
        InputError: A seed was not trained.
    """
    for seed in seeds:
        samples = open_samples(str(path), size=size, seed=seed, num=num, plugins=plugins)
        i = [*point.seeds].index(seed)
        yield Subject(samples, point.run.id, seed, point.steps[i], point.diverged[i])


def list_healthy_seeds(point: EvaluationPoint) -> list[int]:
    """List the seeds of a run that did not diverge.

    Arguments:
        point: The run, and where its seeds are.

    Raises:
        InputError: All did.
    """
    seeds = [seed for seed, step in zip(point.seeds, point.diverged) if step < 0]
    if not seeds:
        raise InputError("seed: every seed of this run diverged")
    return seeds


def _list_limits(pair: FeaturePair, metric_names: Iterable[str]) -> list[str]:
    """List what limits the values of metrics."""
    notes = [note for name in metric_names for note in find_feature_metric(name).notes(pair)]
    num_real, num_fake = len(pair.real), len(pair.fake)
    if num_real != num_fake:
        notes.append(
            f"{num_real:,} real and {num_fake:,} generated samples: values are comparable with "
            f"those of the same numbers alone; --num {min(num_real, num_fake)} takes equal ones"
        )
    return notes


def _make_record(
    score: Score, subject: Subject, pair: FeaturePair, provenance: Mapping[str, str]
) -> MetricRecord:
    """Make the record of a score; samples without a run are named by their digest."""
    has_interval = not math.isnan(score.low)
    return MetricRecord(
        run=subject.run or pair.fake.images_sha256[:12],
        seed=subject.seed,
        step=subject.step,
        metric=score.metric,
        value=score.value,
        diverged=subject.diverged,
        protocol=score.protocol,
        provenance={**provenance, "samples": subject.samples.name},
        low=score.low if has_interval else None,
        high=score.high if has_interval else None,
    )
