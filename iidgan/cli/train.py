"""`iidgan train`: every field of source, method, terms, backbone and optimiser is a typed flag."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import torch
import tyro

from iidgan.cli.components import (
    REPEATABLE_KINDS,
    check_flag_prefixes,
    create_from_flags,
    create_metrics,
    find_flag_value,
    get_flag_prefix,
    get_parsed_components,
    make_flags_type,
    split_component_names,
)
from iidgan.cli.options import (
    LrFactors,
    TimeOptions,
    get_field_values,
    monitor_training,
    stopped_exit_code,
)
from iidgan.cli.parse import parse_options
from iidgan.cli.signals import interrupt_on_signals
from iidgan.cli.summary import NO_METRICS, print_summary
from iidgan.config.defaults import choose_preset
from iidgan.config.preset import Preset
from iidgan.config.run import Run
from iidgan.config.start import Start
from iidgan.core import Backbone, Method, Metric, Regularised, Source, Term
from iidgan.data import FILE_SUFFIXES, resolve_source
from iidgan.engine.compile import Executor
from iidgan.engine.loop import LogRecord, StopRequest
from iidgan.engine.optim import Optimiser
from iidgan.engine.step import Precision
from iidgan.errors import InputError
from iidgan.sharing.hub import find_networks
from iidgan.tracking import RunTracking
from iidgan.train import train
from iidgan.training.fine_tuning import read_start
from iidgan.training.plan import Auto
from iidgan.training.precision import choose_precision, read_precision
from iidgan.training.run_dir import RunDir
from iidgan.training.run_session import Result
from iidgan.training.session import ProgressCallback
from iidgan.utils.device import has_bfloat16_units, resolve_device
from iidgan.utils.processes import is_follower, num_launched_processes

ComponentT = TypeVar("ComponentT")

HELP = """\
usage: iidgan train SOURCE [--preset NAME] [--method NAME] [--term NAME ...] [--arch NAME]
                    [--optimiser NAME] [--metric NAME ...] [OPTIONS]

SOURCE is a name (iidgan list sources), a data set made by iidgan prepare, a .npy, .npz or .csv
file of shape (N, d), or a .json or .npz file of a Gaussian mixture. The other names are listed by
iidgan list; each can be package.module:Name for your own class, and so can SOURCE.
--preset names a setting, such as that of a table of a paper (iidgan list presets), by default
points or images; it determines the defaults of all other options, with the method (iid-gan, unless
it is a setting of another one) and the backbone --arch, the family of networks. --metric adds a
metric to those that are always measured. --from starts from trained networks. Rerunning the
command resumes an unfinished run.

The options below are those of the given names. Short forms: --lr for --optimiser.lr, --root for
--source.root, --latent for --arch.latent, --width for --arch.width, --classes for
--method.classes; --optimizer is accepted for --optimiser.
"""

BFLOAT16_WARNING = (
    "iidgan: warning: precision: bfloat16 is for images; its eight bits do not resolve points, "
    "such as the modes of 2D-Ring, as float32 does"
)
EMULATED_WARNING = (
    "iidgan: warning: precision: this processor has no units for bfloat16, and emulates it, which "
    "takes several times as long as float32; for a new run, --precision auto chooses the faster"
)
COLLAPSED_EXIT_CODE = 4
CHOICE_KINDS = ("preset", "method", "term", "arch", "optimiser", "metric")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Fields of the run."""

    steps: int = 24_000
    """Number of training steps."""
    batch: int = 100
    """Samples per batch and seed."""
    ema: float = 0.0
    """Decay per step of the average of the weights that samples are drawn with; 0: no average."""
    ema_rampup: float | None = None
    """Half-life of that average, at most, as a share of the steps so far; 0: no such limit. By
    default that of the preset, or 0 with another ema than its own."""
    precision: Precision | Auto = "float32"
    """Precision of the networks in training; auto: bfloat16 for convolutional networks on devices
    that have units for it, else float32; a resumed run keeps its precision."""
    lr_factors: LrFactors = ()
    """Factors of the learning rate by player, such as D=4 G=1."""


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """How to train; numbers do not depend on it, except for rounding."""

    seeds: int = 1
    """Number of seeds, trained side by side: 0, 1, ..."""
    checkpoint_every: int = 2000
    """Steps between checkpoints; the metrics are measured at each."""
    keep: int = 3
    """Number of newest checkpoints of each seed to keep."""
    keep_networks: bool = False
    """Keep G and F of every checkpoint, in past/, so that `iidgan explore` goes through them."""
    device: str = "auto"
    """cpu, cuda, ...; auto uses an accelerator if there is one."""
    executor: Executor | Auto = "auto"
    """How steps are executed; unless given, a resumed run keeps its executor."""
    workers: int | Auto = "auto"
    """Number of processes to split the seeds across; unless given, a resumed run keeps it."""
    diagnose_every: int | Auto = "auto"
    """Steps between measurements of the coverage of the data; 0: none; auto: as often as costs at
    most 2 % of the training, and not where the modes of the data are known."""
    stop_when_collapsed: bool = False
    """End the training once the coverage of every seed has fallen for good."""


@dataclass(frozen=True, kw_only=True)
class StartOptions:
    """Trained networks to start from."""

    start: Annotated[str | None, tyro.conf.arg(name="from", metavar="RUN|USER/NAME")] = None
    """Start from the networks of a run directory, or of a repository of the Hugging Face Hub."""
    from_seed: int | None = None
    """Seed whose networks are taken; by default the first that did not diverge."""
    freeze_d: int = 0
    """Number of layers of D, from its input, that keep their weights; needs --from RUN."""

    def read(self) -> Start | None:
        """Read the networks.

        Raises:
            InputError: There are none, or an option needs --from.
        """
        if self.start is not None:
            path = find_networks(self.start)
            return read_start(path, self.from_seed, freeze_d=self.freeze_d)
        for name, value in (("from-seed", self.from_seed), ("freeze-d", self.freeze_d)):
            if value:
                raise InputError(f"{name}: needs trained networks, --from RUN")
        return None


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunOptions, StartOptions, SessionOptions, TimeOptions):
    """Options of the training."""

    out: str | None = None
    """Run directory; by default runs/SOURCE-METHOD-ID."""
    track: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME")
    ] = ()
    """Log losses, metrics and samples to tensorboard or wandb (extras of these names), or to a
    tracker of your own, package.module:Name; may be repeated."""


@dataclass(frozen=True)
class TrainChoice:
    """Components chosen by name, which determine the other flags.

    Arguments:
        source: The source, whose options are those of its name.
        preset: The preset, which has the default values of everything else.
        names: Names that the command gives, by kind.
        flags: All other arguments.
        label: Name of the run directory, without the id.
    """

    source: Source
    preset: Preset
    names: Mapping[str, Sequence[str]]
    flags: list[str]
    label: str


def train_command(arguments: list[str]) -> int:
    """Run `iidgan train` and return its exit code.

    Arguments:
        arguments: Words of the command line after `train`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    if not arguments:
        print(HELP, end="", file=sys.stderr)
        return 2
    if {"-h", "--help"} & set(arguments):
        print(HELP)
        arguments = arguments if not arguments[0].startswith("-") else ["ring", *arguments]
    choice = parse_choice(arguments)
    run, metrics, options = configure_run(choice)
    out = options.out or _default_out(run, choice)
    if run.precision == "bfloat16":
        _warn_of_bfloat16(run, resolve_device(options.device))
    stop = options.create_stop_request()
    train_options = get_field_values(options, SessionOptions)
    if is_follower():
        with interrupt_on_signals(), stop.handle_signals():
            train(run, out=out, metrics=metrics, stop=stop, **train_options)
        return 0
    with (
        monitor_training([run.steps], [out], stop) as monitor,
        RunTracking(
            run, out, options.track, _announce_preset(choice, partial(monitor.show, 0))
        ) as tracking,
    ):
        result = train(
            run,
            out=out,
            metrics=metrics,
            on_progress=tracking,
            stop=stop,
            **train_options,
        )
    return _report_result(result, stop)


def _announce_preset(choice: TrainChoice, show: ProgressCallback) -> ProgressCallback:
    """Return a callback that first names the preset, if it is for images and was not named.

    It does so with the first progress, since an error, such as missing data, is a single line.
    """
    is_named = bool(choice.names["preset"])
    line = (
        f"preset {choice.preset.name}, the default; --preset NAME chooses another (iidgan list "
        "presets)"
    )
    lines = [line] if choice.preset.has_images and not is_named else []

    def show_progress(message: str, record: LogRecord | None) -> None:
        while lines:
            show(lines.pop(), None)
        show(message, record)

    return show_progress


def _warn_of_bfloat16(run: Run, device: torch.device) -> None:
    if not run.source.has_images:
        print(BFLOAT16_WARNING, file=sys.stderr)
    if device.type == "cpu" and not has_bfloat16_units(device):
        print(EMULATED_WARNING, file=sys.stderr)


def _default_out(run: Run, choice: TrainChoice) -> str:
    return f"runs/{choice.label}-{run.id}"


def _report_result(result: Result, stop: StopRequest) -> int:
    """Print the result and return the exit code."""
    if result.outcome == "stopped":
        command = f"iidgan {shlex.join(sys.argv[1:])}"
        is_begun = max(result.steps) > 0
        saved = f"and saved at {result.describe_steps()}" if is_begun else "before the first step"
        if num_launched_processes() > 1:  # torchrun restarts a process that fails
            print(f"stopped {saved}; to resume, run the same torchrun command again")
            return 0
        print(f"stopped {saved}; to resume, run again: {command}")
        return stopped_exit_code(stop)
    records = result.records
    print_summary(records, title=f"{result.path}, step {result.step}")
    if result.outcome == "diverged":
        last_step = max(result.diverged)
        print(f"every seed diverged, the last one at step {last_step}", file=sys.stderr)
        return 3
    if result.outcome == "collapsed":
        print(
            f"every seed collapsed, at {result.describe_steps()} at the latest; the networks with "
            f"the best coverage are in {RunDir(result.path).best_dir}; to train on, run again "
            "without --stop-when-collapsed",
            file=sys.stderr,
        )
        return COLLAPSED_EXIT_CODE
    if not records:
        print(f"{result.path}: {NO_METRICS}", file=sys.stderr)
    print(f"{result.path} is done. Next: iidgan figure {shlex.quote(str(result.path))}")
    return 0


def parse_choice(arguments: Sequence[str]) -> TrainChoice:
    """Read the names of components, which determine what other flags there are."""
    names, other_arguments = split_component_names(arguments, CHOICE_KINDS)
    if not other_arguments or other_arguments[0].startswith("-"):
        raise InputError("source: missing; give its name first (iidgan list sources)")
    for kind in CHOICE_KINDS:
        if len(names[kind]) > 1 and kind not in REPEATABLE_KINDS:
            raise InputError(f"--{kind}: must be given once, got {len(names[kind])} names")
    source_name, *flags = other_arguments
    source = _create_source(source_name, flags)
    preset = choose_preset(next(iter(names["preset"]), None), source)
    method_name = next(iter(names["method"]), preset.method_name)
    return TrainChoice(
        source=source,
        preset=preset,
        names=names,
        flags=flags,
        label=f"{_shorten_source(source_name)}-{method_name.rpartition(':')[2]}",
    )


def _is_plugin(name: str) -> bool:
    return ":" in name and Path(name).suffix.lower() not in FILE_SUFFIXES


def _create_source(name: str, flags: Sequence[str]) -> Source:
    if _is_plugin(name):
        return create_from_flags("sources", name, Source, flags)  # type: ignore[type-abstract]
    return resolve_source(name, find_flag_value(flags, "--source.root"))


def _shorten_source(name: str) -> str:
    """Return a name for folders: that of a file without its suffix, or of a class."""
    if _is_plugin(name):
        return name.rpartition(":")[2]
    return name.rpartition("/")[2].rsplit(".", 1)[0]


def create_default_run(choice: TrainChoice) -> Run:
    """Create the run with the preset's values of everything that flags do not set."""
    term_names = choice.names["term"]
    for name in term_names:
        if term_names.count(name) > 1:
            raise InputError(f"term: {name!r} is given twice; give it once")
    run = choice.preset.create_run(
        choice.source,
        next(
            (
                _create_if_plugin("methods", name, Method, choice.flags)
                for name in choice.names["method"]
            ),
            None,
        ),
        [_create_if_plugin("terms", name, Term, choice.flags) for name in term_names],
    )
    _check_terms(run.method.base_and_terms[1])
    for name in choice.names["arch"]:
        arch = create_from_flags("archs", name, Backbone, choice.flags)  # type: ignore[type-abstract]
        run = replace(run, arch=arch)
    for name in choice.names["optimiser"]:
        optimiser = create_from_flags("optimisers", name, Optimiser, choice.flags)  # type: ignore[type-abstract]
        run = replace(run, optimiser=optimiser)
    return run


def _create_if_plugin(
    kind: str, name: str, component_type: type[ComponentT], flags: Sequence[str]
) -> ComponentT | str:
    """Return a registered name, for which a preset may have values, or create the plug-in."""
    return create_from_flags(kind, name, component_type, flags) if ":" in name else name


def _check_terms(terms: tuple[Term, ...]) -> None:
    prefixes = [get_flag_prefix(type(term)) for term in terms]
    for index, prefix in enumerate(prefixes):
        if prefix in prefixes[:index]:
            raise InputError(
                f"term: {prefix!r} is already part of the method (iid-gan unless you name one); "
                f"its options are --{prefix}.…, and --method gan and cgan have no terms"
            )


def configure_run(choice: TrainChoice) -> tuple[Run, list[Metric], TrainOptions]:
    """Parse all other flags, with the preset's values as defaults.

    Returns:
        The run, the additional metrics, and the options.
    """
    default_run = create_default_run(choice)
    base, terms = default_run.method.base_and_terms
    fixed_parts: dict[str, Any] = {
        "source": default_run.source,
        "method": base,
        "arch": default_run.arch,
        "optimiser": default_run.optimiser,
    }
    term_parts = {get_flag_prefix(type(term)): term for term in terms}
    metrics = create_metrics(choice.names["metric"], choice.flags)
    option_names = [field.name for field in dataclasses.fields(TrainOptions)]
    check_flag_prefixes([*fixed_parts, *term_parts, *metrics], option_names)
    flags_type = make_flags_type(TrainOptions, {**fixed_parts, **term_parts, **metrics})
    default_options = flags_type(
        steps=default_run.steps,
        batch=default_run.batch,
        ema=default_run.ema,
        lr_factors=default_run.lr_factors,
    )
    options = parse_options(
        flags_type, "iidgan train SOURCE", choice.flags, default=default_options
    )
    parsed_parts = get_parsed_components(options, fixed_parts)
    parsed_terms = tuple(get_parsed_components(options, term_parts).values())
    base = parsed_parts["method"]
    is_auto = options.precision == "auto"
    if options.ema_rampup is None:
        is_own_ema = options.ema == default_run.ema
        options = replace(options, ema_rampup=default_run.ema_rampup if is_own_ema else 0.0)
    run = Run(
        source=parsed_parts["source"],
        method=Regularised(method=base, terms=parsed_terms) if parsed_terms else base,
        arch=parsed_parts["arch"],
        optimiser=parsed_parts["optimiser"],
        start=options.read(),
        **get_field_values(options, RunOptions) | ({"precision": "float32"} if is_auto else {}),
    )
    choice.preset.check_source(run.source)
    if is_auto:
        run = _resolve_precision(run, choice, options)
    return run, list(get_parsed_components(options, metrics).values()), options


def _resolve_precision(run: Run, choice: TrainChoice, options: TrainOptions) -> Run:
    """Choose the precision, or keep that of the run in the run directory."""
    chosen = choose_precision(run.arch, options.device)
    others = [name for name in get_args(Precision) if name != chosen]
    for candidate in (replace(run, precision=name) for name in (chosen, *others)):
        path = options.out or _default_out(candidate, choice)
        if (stored := read_precision(Path(path))) is not None:
            if stored != chosen:
                print(
                    f"iidgan: precision: {stored}, as {path} was started with; on this device "
                    f"auto chooses {chosen}",
                    file=sys.stderr,
                )
            return replace(run, precision=stored)
    return replace(run, precision=chosen)
