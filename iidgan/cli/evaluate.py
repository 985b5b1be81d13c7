"""`iidgan evaluate`: measure a trained run, or anybody's images."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.components import (
    check_flag_prefixes,
    create_metrics,
    get_parsed_components,
    make_flags_type,
    split_component_names,
)
from iidgan.cli.evaluate_features import FeatureOptions, evaluate_features
from iidgan.cli.options import PluginOptions, check_positive
from iidgan.cli.parse import parse_options
from iidgan.cli.summary import NO_METRICS, print_summary
from iidgan.core import Metric, Source, list_path_fields
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import load_evaluator
from iidgan.evaluation.evaluate import evaluate_samples as measure
from iidgan.evaluation.sampling import draw_samples
from iidgan.records import MetricRecord, append_records, encode_record
from iidgan.sample_sets.opening import is_run_path
from iidgan.training.export import load_networks
from iidgan.training.extra_metrics import resolve_metrics
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import resolve_device
from iidgan.utils.files import remove_partials
from iidgan.utils.provenance import collect_provenance


@dataclass(frozen=True, kw_only=True)
class SourceLocation:
    """Where the data of a run are now; by default where they were in training."""

    path: str | None = None
    """File of the data, which has moved."""
    root: str | None = None
    """Folder of the data, which has moved."""

    def apply(self, source: Source) -> Source:
        """Return the source that reads its data here.

        Arguments:
            source: Source of the run.

        Raises:
            InputError: The source has no such field.
        """
        changes = {name: value for name, value in asdict(self).items() if value is not None}
        path_fields = list_path_fields(source)
        for name in changes:
            if name not in path_fields:
                choices = ", ".join(f"--source.{field}" for field in path_fields) or "none"
                raise InputError(
                    f"source.{name}: the data of this run have no such path; options: {choices}"
                )
        return replace(source, **changes)  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(FeatureOptions, PluginOptions):
    """Measure a trained run, or anybody's images against real ones.

    `iidgan evaluate RUN` computes the metrics of the run's source, and appends the metric
    records to its evaluations.jsonl. --metric NAME adds a metric, or shows the options of one;
    NAME can be package.module:Name for a class of your own. It may be repeated.

    With --reference, --metrics or --features, features are measured, also of images that another
    program made: `iidgan evaluate IMAGES --reference DATA --metrics fd,kd,prdc`. IMAGES is a
    folder or an archive of images, or an array of images or points. All seeds of a run that did
    not diverge are measured, by default against its own data.
    """

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN|IMAGES")]
    """Run directory, or samples of any generator."""
    num: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Generated samples per seed; by default as many as in the papers for the source. Of features:
    samples of each side, by default 5,000."""
    source: SourceLocation = field(default_factory=SourceLocation)
    """Where the data are now."""
    json: bool = False
    """Print the records as JSON instead of a table: a line each, or of features one object."""
    device: str = "auto"
    """cpu, cuda, ...; auto uses an accelerator if there is one."""


def evaluate_command(arguments: list[str]) -> int:
    """Run `iidgan evaluate` and return its exit code.

    Arguments:
        arguments: Words of the command line after `evaluate`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    names, flags = split_component_names(arguments, ["metric"])
    metrics = create_metrics(names["metric"], flags)
    check_flag_prefixes(list(metrics), [option.name for option in fields(EvaluateOptions)])
    flags_type = make_flags_type(EvaluateOptions, metrics)
    options = parse_options(flags_type, "iidgan evaluate", flags)
    if options.num is not None:
        check_positive("num", options.num)
    if options.wants_features:
        return _evaluate_features(options, names["metric"])
    if not is_run_path(options.run):
        raise InputError(
            f"reference: {options.run} is not a run; name the real data, such as "
            "--reference fashion-mnist"
        )
    return _evaluate_run(options, metrics)


def _evaluate_features(options: EvaluateOptions, metric_names: Sequence[str]) -> int:
    if metric_names:
        raise InputError(
            f"metric: {metric_names[0]} is for runs alone; leave out --reference, --metrics and "
            "--features, or choose --metrics among those of iidgan list feature-metrics"
        )
    if options.source.path is not None:
        raise InputError("source.path: name the data with --reference instead")
    return evaluate_features(
        options.run,
        options,
        num=options.num,
        root=options.source.root,
        plugins=options.plugin,
        device=options.device,
        as_json=options.json,
    )


def _evaluate_run(options: EvaluateOptions, metrics: Mapping[str, Metric]) -> int:
    device = resolve_device(options.device)
    trained_networks = load_networks(options.run, device, plugins=options.plugin)
    source = trained_networks.point.run.source
    run_dir = RunDir(Path(options.run))
    has_run_file = run_dir.run_file.exists()
    if has_run_file:  # its path of the data is newer, if they have moved
        source = RunDir(run_dir.path, options.plugin).read_run()[0].source
    source = options.source.apply(source)
    source_data = source.load()
    if has_run_file:
        run_dir.check_data(source_data)
        remove_partials(run_dir.path)
    image_evaluator = load_evaluator(source, source_data, device)
    if image_evaluator.warning:
        print(f"iidgan: {image_evaluator.warning}", file=sys.stderr)
    samples = draw_samples(
        trained_networks.nets, source_data, trained_networks.point, image_evaluator, options.num
    )
    all_metrics = resolve_metrics(list(get_parsed_components(options, metrics).values()))
    records = measure(samples, trained_networks.point, collect_provenance(device), all_metrics)
    if not records:
        print(f"iidgan: {NO_METRICS}", file=sys.stderr)
    if has_run_file:
        append_records(run_dir.evaluations_file, records)
    if options.json:
        _print_json(records)
    else:
        print_summary(records, title=f"{options.run}, step {max(trained_networks.point.steps)}")
    return 0


def _print_json(records: Sequence[MetricRecord]) -> None:
    for record in records:
        print(json.dumps(encode_record(record)))
