"""`iidgan evaluate`, `sample` and `invert`: use a trained run."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated
from zipfile import BadZipFile

import numpy as np
import torch
import tyro

from iidgan.cli.components import (
    check_flag_prefixes,
    create_metrics,
    get_parsed_components,
    make_flags_type,
    split_component_names,
)
from iidgan.cli.options import PluginOptions
from iidgan.cli.parse import parse_options
from iidgan.cli.summary import print_summary
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import load_evaluator
from iidgan.evaluation.evaluate import evaluate_samples as measure
from iidgan.evaluation.sampling import draw_samples
from iidgan.figures.run import plot_samples
from iidgan.records import MetricRecord, append_records
from iidgan.report import save_figure
from iidgan.training.extra_metrics import resolve_metrics
from iidgan.training.model import load as load_model
from iidgan.training.model import load_networks
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import resolve_device
from iidgan.utils.files import open_regular_file, remove_partials, write_file
from iidgan.utils.provenance import collect_provenance

RunArgument = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(PluginOptions):
    """Measure a trained run, and append the metric records to its evaluations.jsonl.

    --metric NAME adds a metric to those that are always measured, or shows the options of one of
    these; NAME can be package.module:Name for a class of your own. It may be repeated.
    """

    run: RunArgument
    """Run directory."""
    num: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Generated samples per seed; by default as many as in the papers for the source."""
    json: bool = False
    """Print the records as JSON lines instead of a table."""
    device: str = "auto"
    """cpu, cuda, ...; auto uses an accelerator if there is one."""


def evaluate_command(arguments: list[str]) -> int:
    names, flags = split_component_names(arguments, ["metric"])
    metrics = create_metrics(names["metric"])
    check_flag_prefixes(list(metrics), [field.name for field in fields(EvaluateOptions)])
    flags_type = make_flags_type(EvaluateOptions, metrics)
    options = parse_options(flags_type, "iidgan evaluate", flags)
    if options.num is not None:
        _check_positive("num", options.num)
    device = resolve_device(options.device)
    trained_networks = load_networks(options.run, device, plugins=options.plugin)
    source_data = trained_networks.point.run.source.load()
    run_dir = RunDir(Path(options.run))
    has_run_file = run_dir.run_file.exists()
    if has_run_file:
        run_dir.check_data(source_data)
        remove_partials(run_dir.path)
    image_evaluator = load_evaluator(trained_networks.point.run.source, source_data, device)
    if image_evaluator.warning:
        print(f"iidgan: {image_evaluator.warning}", file=sys.stderr)
    samples = draw_samples(
        trained_networks.nets, source_data, trained_networks.point, image_evaluator, options.num
    )
    all_metrics = resolve_metrics(list(get_parsed_components(options, metrics).values()))
    records = measure(samples, trained_networks.point, collect_provenance(device), all_metrics)
    if not records:
        print("iidgan: no metric applies to these samples", file=sys.stderr)
    if has_run_file:
        append_records(run_dir.evaluations_file, records)
    if options.json:
        _print_json(records)
    else:
        print_summary(records, title=f"{options.run}, step {trained_networks.point.step}")
    return 0


def _check_positive(field: str, number: int) -> None:
    if number < 1:
        raise InputError(f"{field}: must be >= 1, got {number}")


def _print_json(records: Sequence[MetricRecord]) -> None:
    for record in records:
        value = record.value if np.isfinite(record.value) else None
        print(json.dumps({**asdict(record), "value": value}))


@dataclass(frozen=True)
class SampleOptions(PluginOptions):
    """Draw samples of one seed."""

    run: RunArgument
    """Run directory."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 1000
    """Number of samples."""
    out: str = "samples.npz"
    """.npz: arrays x (n, *shape) and z (n, M); .png: a grid of images, or points in the plane."""
    seed: int | None = None
    """Seed of the training; by default the first that did not diverge."""
    stream: int = 1
    """Number of the random stream; another one gives other samples."""


def sample_command(arguments: list[str]) -> int:
    options = parse_options(SampleOptions, "iidgan sample", arguments)
    _check_positive("num", options.num)
    out_path = _check_suffix(options.out, (".npz", ".png"))
    model = load_model(options.run, options.seed, plugins=options.plugin)
    z = model.sample_prior(options.num, stream=options.stream)
    x = model.generate(z)
    if out_path.suffix == ".png":
        save_figure(plot_samples(x.numpy()), out_path)
    else:
        _save_arrays(out_path, x=x, z=z)
    print(f"{out_path}: {options.num} samples of seed {model.point.seeds[0]}")
    return 0


@dataclass(frozen=True)
class InvertOptions(PluginOptions):
    """Map samples to their latent codes."""

    run: RunArgument
    """Run directory."""
    input: Annotated[str, tyro.conf.arg(aliases=["-i"])]
    """.npz with an array x, or .npy: samples (n, *shape); images uint8 or in [-1, 1]."""
    out: str = "codes.npz"
    """.npz: arrays z (n, M) and x_cycled = G(z) (n, *shape)."""
    seed: int | None = None
    """Seed of the training; by default the first that did not diverge."""


def invert_command(arguments: list[str]) -> int:
    options = parse_options(InvertOptions, "iidgan invert", arguments)
    out_path = _check_suffix(options.out, (".npz",))
    model = load_model(options.run, options.seed, plugins=options.plugin)
    z = model.invert(_read_samples(Path(options.input)))
    _save_arrays(out_path, z=z, x_cycled=model.generate(z))
    print(f"{out_path}: {len(z)} codes of seed {model.point.seeds[0]}")
    return 0


def _check_suffix(file_name: str, allowed_suffixes: tuple[str, ...]) -> Path:
    path = Path(file_name)
    if path.suffix not in allowed_suffixes:
        raise InputError(f"out: must end in {' or '.join(allowed_suffixes)}, got {file_name!r}")
    return path


def _save_arrays(path: Path, **tensors: torch.Tensor) -> None:
    named_arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_file(
        path, lambda partial: np.savez_compressed(partial, allow_pickle=False, **named_arrays)
    )


def _read_samples(path: Path) -> torch.Tensor:
    """Read samples of a .npy file, or the array x of a .npz file.

    Raises:
        InputError: The file is missing or invalid, or its array is not finite.
    """
    try:
        with open_regular_file(path) as file:  # closed even if numpy fails half-way
            loaded_file = np.load(file, allow_pickle=False)
            sample_array = (
                loaded_file["x"] if isinstance(loaded_file, np.lib.npyio.NpzFile) else loaded_file
            )
    except FileNotFoundError:
        raise InputError(f"input: {path} does not exist") from None
    except KeyError:
        raise InputError(f"input: {path} contains no array named x") from None
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        # numpy's advice to allow pickles would be wrong here
        read_error = "" if "allow_pickle" in str(error) else f" ({error})"
        raise InputError(
            f"input: {path} is not a .npz or .npy file{read_error}; expected an array (n, *shape)"
        ) from None
    if sample_array.dtype.kind not in "fiu":
        raise InputError(f"input: {path} must contain numbers, got {sample_array.dtype}")
    if not np.isfinite(sample_array).all():
        raise InputError(f"input: {path} contains values that are not finite")
    return torch.from_numpy(np.ascontiguousarray(sample_array))
