"""The command, or the Python script, that trains a run again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any

from iidgan.cli.components import get_flag_prefix
from iidgan.cli.train import TrainChoice, configure_run, create_default_run, parse_choice
from iidgan.config.defaults import choose_preset
from iidgan.config.plugins import get_type_name, list_types
from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.core import Method, Source, Term
from iidgan.data import NEEDS_ARGUMENT, SOURCES, resolve_source
from iidgan.errors import InputError
from iidgan.methods import METHODS
from iidgan.sharing.repository import remove_folders

RUN_FIELDS = ("steps", "batch", "ema", "precision")
"""Fields of a run whose flags have their names and show their values as they are."""


def format_train_command(run: Run, seeds: Sequence[int]) -> str | None:
    """Format the shortest `iidgan train` command of a run, without the folders of its files.

    The command is parsed, and returned only if it is that of the run: it has the same id.

    Arguments:
        run: The run.
        seeds: Its seeds.

    Returns:
        The command; None if no command trains this run, or its prepared data set is not here.

    Examples:
        >>> import iidgan
        >>> run = iidgan.recommended(iidgan.Ring(modes=16), "gan", ["r1"])
        >>> format_train_command(run, seeds=[0, 1])
        'iidgan train ring --method gan --term r1 --source.modes 16 --seeds 2'
    """
    if list(seeds) != list(range(len(seeds))):
        return None
    try:
        candidates = list(_iterate_commands(run))
    except (InputError, _NoFlagError):
        return None
    for words in sorted(candidates, key=len):
        if _parse_id(words) == run.id:
            words += ["--seeds", str(len(seeds))] if len(seeds) > 1 else []
            return shlex.join(["iidgan", "train", *map(_remove_folder, words)])
    return None


def format_train_script(run: Run, seeds: Sequence[int]) -> str:
    """Format a Python script that trains a run, whatever it consists of.

    Arguments:
        run: The run.
        seeds: Its seeds.
    """
    types = (cls for cls in list_types(run) if cls is not Run)
    plugins = [name for name in map(get_type_name, types) if ":" in name]
    plugin_argument = f", plugins={plugins!r}" if plugins else ""
    config = json.dumps(remove_folders(run).to_dict())
    return (
        "import json\n\nimport iidgan\n\n"
        f"config = json.loads({config!r})\n"
        f"run = iidgan.Run.from_dict(config{plugin_argument})\n"
        'if __name__ == "__main__":\n'
        f'    iidgan.train(run, seeds={list(seeds)}, out="runs/{run.id}")'
    )


class _NoFlagError(Exception):
    """A value that no flag can have, such as a method within a method."""


def _iterate_commands(run: Run) -> Iterator[list[str]]:
    """Yield the words of commands that should be those of the run, with all presets."""
    source_words, default_source = _choose_source(run.source)
    source_flags = list(_list_flags("source", run.source, default_source))
    default_preset = choose_preset(None, run.source)
    presets = [preset for preset in PRESETS.values() if preset.has_images == run.source.has_images]
    for preset, names in product(presets, _iterate_names(run)):
        names_by_kind = {"preset": [], **names, "metric": []}
        if preset is not default_preset:
            names_by_kind["preset"] = [preset.name]
        try:
            choice = TrainChoice(run.source, preset, names_by_kind, flags=[], label="")
            default_run = create_default_run(choice)
            if _list_types(default_run) != _list_types(run):
                continue
            run_flags = list(_list_run_flags(run, default_run))
        except (InputError, _NoFlagError):  # such as a term that is already part of the method
            continue
        name_words = (
            (f"--{kind}", name) for kind, given in names_by_kind.items() for name in given
        )
        yield [*source_words, *chain(*name_words), *source_flags, *run_flags]


def _choose_source(source: Source) -> tuple[list[str], Source | None]:
    """Choose the words that name a source, and return them with what they stand for.

    The second is None for a class of the user's, which has the defaults of its fields.
    """
    type_name = get_type_name(type(source))
    if type_name not in SOURCES:
        return [type_name], None
    if type_name not in NEEDS_ARGUMENT:
        return [type_name], resolve_source(type_name)
    name, root = getattr(source, "path", ""), getattr(source, "root", None)
    words = [name or source.name] + (["--root", root] if root else [])  # type: ignore[attr-defined]
    return words, resolve_source(words[0], root)


def _iterate_names(run: Run) -> Iterator[dict[str, list[str]]]:
    """Yield names by kind that a run may have; a backbone or optimiser may be the preset's."""
    base, terms = run.method.base_and_terms
    arch_name, optimiser_name = (get_type_name(type(part)) for part in (run.arch, run.optimiser))
    type_name = get_type_name(type(base))
    for method_name in [*METHODS, *[type_name] * (":" in type_name)]:
        own_terms = _get_own_terms(method_name, base)
        if own_terms is None:
            continue
        added_terms = [get_type_name(type(term)) for term in terms[len(own_terms) :]]
        names = {"method": [method_name], "term": added_terms}
        for arch, optimiser in product(([], [arch_name]), ([], [optimiser_name])):
            yield {**names, "arch": arch, "optimiser": optimiser}


def _get_own_terms(method_name: str, base: Method) -> tuple[Term, ...] | None:
    """Return the terms that a name stands for; None if it is of another method than `base`."""
    if ":" in method_name:
        return ()
    own_base, own_terms = METHODS[method_name]().base_and_terms
    return own_terms if type(own_base) is type(base) else None


def _list_types(run: Run) -> list[type]:
    base, terms = run.method.base_and_terms
    return [type(part) for part in (base, *terms, run.arch, run.optimiser)]


def _list_run_flags(run: Run, default_run: Run) -> Iterator[str]:
    """Yield the flags in which a run differs from one with components of the same types."""
    base, terms = run.method.base_and_terms
    default_base, default_terms = default_run.method.base_and_terms
    yield from _list_flags("method", base, default_base)
    for term, default_term in zip(terms, default_terms):
        yield from _list_flags(get_flag_prefix(type(term)), term, default_term)
    yield from _list_flags("arch", run.arch, default_run.arch)
    yield from _list_flags("optimiser", run.optimiser, default_run.optimiser)
    for name in RUN_FIELDS:
        if getattr(run, name) != getattr(default_run, name):
            yield from (f"--{name}", str(getattr(run, name)))
    if run.ema_rampup != (default_run.ema_rampup if run.ema == default_run.ema else 0.0):
        yield from ("--ema-rampup", str(run.ema_rampup))
    if run.lr_factors:
        yield from ("--lr-factors", *(f"{name}={factor}" for name, factor in run.lr_factors))
    if run.start is not None:
        yield from ("--from", run.start.path, "--from-seed", str(run.start.seed))
        yield from ("--freeze-d", str(run.start.freeze_d))


def _list_flags(prefix: str, part: object, default: object) -> Iterator[str]:
    """Yield the flags of the fields in which a component differs from its default."""
    if not is_dataclass(part):
        return
    for field in fields(part):
        value = getattr(part, field.name)
        if value != getattr(default, field.name, field.default):
            yield from _format_flag(f"{prefix}.", field.name.replace("_", "-"), value)


def _format_flag(prefix: str, name: str, value: Any) -> list[str]:  # noqa: ANN401 - of any field
    if isinstance(value, bool):
        return [f"--{prefix}{name if value else f'no-{name}'}"]
    values = value if isinstance(value, tuple) else (value,)
    if any(map(is_dataclass, values)):
        raise _NoFlagError(name)
    return [f"--{prefix}{name}", *map(str, values)]


def _parse_id(words: Sequence[str]) -> str | None:
    """Return the id of the run that a command trains; None if it cannot train."""
    try:
        run, _, _ = configure_run(parse_choice(words))
    except InputError:
        return None
    return run.id


def _remove_folder(word: str) -> str:
    """Return the name of a file with an absolute path, which tells of the machine."""
    return Path(word).name if Path(word).is_absolute() else word
