"""`iidgan train`: every field of source, method, terms, backbone and optimiser is a typed flag."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any

import tyro

from iidgan.cli.parse import parse
from iidgan.cli.progress import Monitor, heard
from iidgan.cli.summary import summary
from iidgan.config.defaults import recommended
from iidgan.config.registry import find, name_of
from iidgan.config.run import Run
from iidgan.core import Backbone, Method, Regularised, Source, Term
from iidgan.data import source_from
from iidgan.engine.compile.executors import Executor
from iidgan.engine.loop import Stop
from iidgan.engine.optim import Optimiser
from iidgan.engine.step import Precision
from iidgan.errors import InputError
from iidgan.train import train
from iidgan.training.plan import Auto
from iidgan.training.session import Result

HELP = """\
usage: iidgan train SOURCE [--method NAME] [--term NAME ...] [--arch NAME] [OPTIONS]

SOURCE is a name (iidgan list sources), a set that iidgan prepare made, or a .npy or .csv file of
shape (N, d). Methods, terms and archs are names (iidgan list) or `module:Name` of your own. What
follows are the options for this choice. --lr, --root, --latent and --width are short for
--optimiser.lr, --source.root, --arch.latent and --arch.width. The same command again goes on with
an unfinished run.
"""

SHORT = {
    "--lr": "--optimiser.lr",
    "--root": "--source.root",
    "--latent": "--arch.latent",
    "--width": "--arch.width",
}


@dataclass(kw_only=True)
class Options:
    """Options of the training itself."""

    seeds: int = 1
    """How many seeds train side by side: 0, 1, ..."""
    steps: int = 24_000
    """Steps of the run."""
    batch: int = 100
    """Samples per batch and seed."""
    ema: float = 0.0
    """Decay per step of an average of the weights that samples are drawn with; 0: none."""
    precision: Precision = "float32"
    """What networks compute in while they train; bfloat16 is for images on devices with units
    for it."""
    out: str | None = None
    """Folder of the run; by default runs/SOURCE-METHOD-ID."""
    checkpoint_every: int = 2000
    """Steps between checkpoints, each with a measurement."""
    keep: int = 3
    """Checkpoints that are kept."""
    device: str = "auto"
    """cpu, cuda, ...; auto takes an accelerator if there is one."""
    executor: Executor | Auto = "auto"
    """How steps are carried out; auto compiles where that pays within the run, and on a CUDA
    device records and replays them (graphed). A run that goes on keeps what it began with."""
    workers: int | Auto = "auto"
    """Processes among which the seeds are dealt; auto is one a core where that pays. A run that
    goes on keeps their number."""


@dataclass(frozen=True)
class Choice:
    """What the flags choose by name, before the options of the chosen can be read."""

    source: Source
    method: Method
    terms: tuple[Term, ...]
    arch: str | None
    optimiser: str | None
    rest: list[str]
    label: str


def train_command(arguments: list[str]) -> int:
    if not arguments:
        print(HELP, end="", file=sys.stderr)
        return 2
    helping = bool({"-h", "--help"} & set(arguments))
    if helping:
        print(HELP)
        arguments = arguments if not arguments[0].startswith("-") else ["ring", *arguments]
    choice = _choose(arguments)
    run, options = _configure(choice)
    out = options.out or f"runs/{choice.label}-{run.id}"
    stop = Stop()
    with stop.listening(heard=heard), Monitor([run.steps], [out]) as monitor:
        result = train(
            run,
            out=out,
            seeds=options.seeds,
            checkpoint_every=options.checkpoint_every,
            keep=options.keep,
            device=options.device,
            executor=options.executor,
            workers=options.workers,
            listener=partial(monitor.tell, 0),
            stop=stop,
        )
    return _tell(result, stop)


def _tell(result: Result, stop: Stop) -> int:
    if result.ending == "stopped" and stop.signal is not None:
        print(
            f"stopped and saved at step {result.step}; the same command again goes on: "
            f"iidgan {shlex.join(sys.argv[1:])}"
        )
        return 128 + stop.signal
    summary(result.rows, title=f"{result.path}, step {result.step}")
    if result.ending == "diverged":
        print(f"every seed diverged, the last at step {max(result.diverged)}", file=sys.stderr)
        return 3
    print(f"{result.path} is done. Next: iidgan figure {result.path}")
    return 0


def _choose(arguments: Sequence[str]) -> Choice:
    """Reads the names that decide which options there are, and leaves the other flags."""
    named: dict[str, list[str]] = {name: [] for name in ("method", "term", "arch", "optimiser")}
    source, rest = "", list[str]()
    words = iter(arguments)
    for word in words:
        flag, equals, value = word.partition("=")
        if flag.startswith("--") and flag[2:] in named:
            value = value if equals else next(words, "")
            if not value or value.startswith("--"):
                raise InputError(f"{flag}: needs a name; iidgan list shows them")
            named[flag[2:]].append(value)
        elif not source and not rest and not word.startswith("-"):
            source = word
        else:
            rest.append(SHORT.get(flag, flag) + equals + value)
    if not source:
        raise InputError("source: missing; the first word names it: iidgan list sources")
    for name in ("method", "arch", "optimiser"):
        if len(named[name]) > 1:
            raise InputError(f"--{name}: given {len(named[name])} times; give it once")
    method = (named["method"] or ["iid-gan"])[0]
    return Choice(
        source=source_from(source, _root(rest)),
        method=_made("methods", method, Method),
        terms=tuple(_made("terms", name, Term) for name in named["term"]),
        arch=next(iter(named["arch"]), None),
        optimiser=next(iter(named["optimiser"]), None),
        rest=rest,
        label=f"{source.rsplit('/', 1)[-1].rsplit('.', 1)[0]}-{method.rsplit(':', 1)[-1]}",
    )


def _root(rest: Sequence[str]) -> str | None:
    """Finds the folder of prepared sets among the flags: what flags there are depends on it."""
    pairs = [*zip(rest, [*rest[1:], None]), *(word.split("=", 1) for word in rest if "=" in word)]
    return next((value for flag, value in pairs if flag == SHORT["--root"]), None)


def _made(kind: str, name: str, wanted: type) -> Any:  # noqa: ANN401
    factory = find(kind, name)
    try:
        made = factory() if callable(factory) else None
    except Exception as error:  # whatever a user's code may raise
        raise InputError(f"{kind.removesuffix('s')}: {name!r} fails ({error})") from error
    if not isinstance(made, wanted):
        raise InputError(f"{kind.removesuffix('s')}: {name!r} makes no {wanted.__name__}")
    return made


def _configure(choice: Choice) -> tuple[Run, Options]:
    """Reads all other flags, with defaults that fit the choice."""
    base, terms = choice.method.flat
    terms += choice.terms
    _check_names(terms)
    method = Regularised(method=base, terms=terms) if terms else base
    run = recommended(choice.source, method)
    base, terms = run.method.flat
    if choice.arch is not None:
        run = replace(run, arch=_made("archs", choice.arch, Backbone))
    if choice.optimiser is not None:
        run = replace(run, optimiser=_made("optimisers", choice.optimiser, Optimiser))
    parts = {"source": run.source, "method": base, **{_term_name(t): t for t in terms}}
    parts |= {"arch": run.arch, "optimiser": run.optimiser}
    flags = _flags(parts, run)
    read = parse(type(flags), "iidgan train SOURCE", choice.rest, default=flags)
    values = {name: getattr(read, name.replace("-", "_")) for name in parts}
    changed = tuple(values[_term_name(term)] for term in terms)
    base = values["method"]
    return (
        Run(
            source=values["source"],
            method=Regularised(method=base, terms=changed) if changed else base,
            arch=values["arch"],
            optimiser=values["optimiser"],
            steps=read.steps,
            batch=read.batch,
            ema=read.ema,
            precision=read.precision,
        ),
        read,
    )


def _check_names(terms: tuple[Term, ...]) -> None:
    """Sees that each term has flags of its own."""
    taken = {"source", "method", "arch", "optimiser"}
    taken |= {f.name for f in dataclasses.fields(Options)}
    for name in map(_term_name, terms):
        if name in taken:
            raise InputError(f"term: {name!r} is there already; set its options with --{name}.…")
        taken.add(name)


def _term_name(term: Term) -> str:
    return name_of(type(term)).rpartition(":")[2].lower()


def _flags(parts: dict[str, Any], run: Run) -> Options:
    """Makes the dataclass whose fields are the flags of this choice."""
    fields: list[Any] = [
        (name.replace("-", "_"), Annotated[type(part), tyro.conf.arg(name=name)], field())
        for name, part in parts.items()
    ]
    made = dataclasses.make_dataclass("Flags", fields, bases=(Options,), kw_only=True)
    values = {name.replace("-", "_"): part for name, part in parts.items()}
    flags: Options = made(**values, steps=run.steps, batch=run.batch, ema=run.ema)
    return flags
