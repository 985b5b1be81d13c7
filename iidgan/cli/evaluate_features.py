"""`iidgan evaluate` of features: runs, and images or points of any other generator."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

from torch import nn

from iidgan.cli.console import create_console
from iidgan.cli.feature_table import print_json, print_table
from iidgan.cli.options import SIZE
from iidgan.cli.progress import count_progress, create_progress
from iidgan.cli.signals import interrupt_on_signals
from iidgan.config.plugins import Plugin
from iidgan.data.prepare.resize import TargetSize
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.evaluation.feature_metrics import (
    DEFAULT_METRICS,
    check_suited,
    find_feature_metric,
)
from iidgan.features import FrozenExtractor
from iidgan.features.extraction import ProgressCallback
from iidgan.records import MetricRecord, append_records, read_records
from iidgan.sample_sets import (
    FeatureSet,
    create_extractor_for,
    open_reference,
    open_run_reference,
    open_samples,
)
from iidgan.sample_sets.feature_set import POINTS
from iidgan.sample_sets.measurement import (
    Comparison,
    Measurement,
    Subject,
    iterate_run_subjects,
    list_healthy_seeds,
)
from iidgan.sample_sets.opening import DEFAULT_NUM_SAMPLES, is_run_path
from iidgan.training.export import load_point
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import resolve_device
from iidgan.utils.files import check_writable_file
from iidgan.utils.provenance import collect_provenance


@dataclass(frozen=True, kw_only=True)
class FeatureOptions:
    """What `iidgan evaluate` compares features of, and with."""

    reference: str | None = None
    """Real data: a prepared set or a source by name, a folder, an archive or an array, or a file
    of iidgan reference; by default the data of the run."""
    metrics: str | None = None
    """Metrics of features, by names with commas between (iidgan list feature-metrics); by default
    fd,kd,prdc."""
    features: str | None = None
    """Extractor: efficientnet-lite0 (the default), inception, dinov2, random, pixels,
    NAME-classifier, or package.module:Net of your own. Points need none."""
    size: Annotated[TargetSize | None, SIZE] = None
    """Side in pixels, or HEIGHTxWIDTH, to which images are cropped and resized first; by default
    none is."""
    seed: int | None = None
    """Seed of the training of a run; by default all that did not diverge."""
    out: str | None = None
    """File of metric records (.jsonl) to append to."""

    @property
    def wants_features(self) -> bool:
        """Whether an option of features is set."""
        values = (self.reference, self.metrics, self.features, self.size, self.seed, self.out)
        return any(value is not None for value in values)

    @property
    def metric_names(self) -> list[str]:
        """Names of the metrics, each once.

        Raises:
            InputError: A name is unknown, or there is none.
        """
        names = list(DEFAULT_METRICS) if self.metrics is None else self.metrics.split(",")
        stripped_names = list(dict.fromkeys(name.strip() for name in names))
        for name in stripped_names:
            find_feature_metric(name)
        return stripped_names


@interrupt_on_signals()
def evaluate_features(
    path: str,
    options: FeatureOptions,
    *,
    num: int | None,
    root: str | None,
    plugins: Sequence[Plugin],
    device: str,
    as_json: bool,
) -> int:
    """Measure features of samples, print and store the records, and return the exit code.

    Arguments:
        path: A run, or samples of any generator.
        options: What is compared, and how.
        num: Number of samples of each side; None for the default.
        root: Folder of the data that the reference names.
        plugins: Classes of the run that are not part of the package.
        device: Device of the extractor.
        as_json: Whether JSON is printed instead of a table.

    Raises:
        InputError: The options, or the files that they name, are invalid, or the file of records
            has some of another protocol.
    """
    metric_names, num = options.metric_names, DEFAULT_NUM_SAMPLES if num is None else num
    out_path = None if options.out is None else _check_out(Path(options.out))
    point = load_point(path, plugins=plugins) if is_run_path(Path(path)) else None
    subjects = _iterate_subjects(path, options, num, plugins, point)
    first_subject = next(subjects)
    torch_device = resolve_device(device)
    extractor = create_extractor_for(first_subject.samples, options.features, torch_device)
    check_suited(metric_names, *_describe_features(extractor))
    if options.reference is None and point is None:
        raise InputError(
            "reference: samples need real data to compare with, such as --reference fashion-mnist"
        )
    with show_progress("reference") as on_progress:
        reference = _open_reference(path, options, extractor, num, root, plugins, on_progress)
    comparison = Comparison(reference, extractor, metric_names, num)
    provenance = collect_provenance(torch_device)
    measurements: list[Measurement] = []
    for subject in chain([first_subject], subjects):
        with show_progress(subject.samples.name) as on_progress:
            measurements.append(comparison.measure(subject, provenance, on_progress))
    records = [record for measurement in measurements for record in measurement.records]
    if out_path is not None:
        check_same_protocols(out_path, records)
        append_records(out_path, records)
    run_dir = RunDir(Path(path))
    if run_dir.run_file.exists():
        append_records(run_dir.evaluations_file, records)
    notes = [note for measurement in measurements for note in measurement.notes]
    for note in dict.fromkeys([*reference.notes, *notes]):
        print(f"iidgan: {note}", file=sys.stderr)
    if as_json:
        print_json(records, with_seeds=point is not None)
    else:
        title = f"{path} against {reference.name}"
        print_table(title, measurements[0].shared_protocol, records)
    return 0


def _check_out(path: Path) -> Path:
    """Check what would otherwise be found out after minutes."""
    if path.suffix != ".jsonl":
        raise InputError(f"out: must end in .jsonl, got {str(path)!r}")
    check_writable_file(path, field="out")
    return path


def _iterate_subjects(
    path: str,
    options: FeatureOptions,
    num: int,
    plugins: Sequence[Plugin],
    point: EvaluationPoint | None,
) -> Iterator[Subject]:
    """Open samples: of all seeds of a run that did not diverge, or of the one that is named.

    Those of a run one after the other, since each keeps samples in memory.
    """
    if point is None:
        yield Subject(open_samples(path, size=options.size, seed=options.seed, num=num))
        return
    seeds = list_healthy_seeds(point) if options.seed is None else [options.seed]
    yield from iterate_run_subjects(path, point, seeds, num, size=options.size, plugins=plugins)


def _describe_features(extractor: FrozenExtractor | None) -> tuple[str, nn.Linear | None]:
    return (POINTS, None) if extractor is None else (extractor.protocol.extractor, extractor.head)


def _open_reference(
    path: str,
    options: FeatureOptions,
    extractor: FrozenExtractor | None,
    num: int,
    root: str | None,
    plugins: Sequence[Plugin],
    on_progress: ProgressCallback,
) -> FeatureSet:
    if options.reference is not None:
        return open_reference(
            options.reference,
            extractor,
            num,
            size=options.size,
            root=root,
            on_progress=on_progress,
        )
    if root is not None:
        raise InputError("root: is of the data of --reference, got none; name them")
    return open_run_reference(
        path, extractor, num, size=options.size, plugins=plugins, on_progress=on_progress
    )


@contextmanager
def show_progress(name: str) -> Iterator[ProgressCallback]:
    """Show the progress of an extraction on standard error, and yield its callback.

    Arguments:
        name: Label shown in front.
    """
    with create_progress(create_console(stderr=True)) as progress:
        yield count_progress(progress, name, "images")


def check_same_protocols(path: Path, records: Iterable[MetricRecord]) -> None:
    """Check that a file has no records of the same metrics that were measured in another way.

    Arguments:
        path: The file, which need not exist.
        records: Records that will be appended.

    Raises:
        InputError: It has; the message names the field that differs.
    """
    present_records = {record.metric: record for record in read_records(path)}
    for record in records:
        if record.metric in present_records:
            present, new = present_records[record.metric].protocol, record.protocol
            for name in {**new, **present}:
                if present.get(name) != new.get(name):
                    raise InputError(
                        f"{path}: not comparable: its {record.metric} has {name} "
                        f"{present.get(name)!r}, got {new.get(name)!r}; measure both in the same "
                        "way, or append to another file"
                    )
