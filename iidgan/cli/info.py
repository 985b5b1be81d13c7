"""`iidgan list`, `cite` and `doctor`: what is available and installed."""

from __future__ import annotations

import inspect
import os
import platform
import shutil
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from rich.table import Table

from iidgan._version import __version__
from iidgan.cli.components import get_flag_prefix, get_summary
from iidgan.cli.console import create_console
from iidgan.cli.parse import parse_options
from iidgan.cli.table_list import list_tables
from iidgan.config.defaults import NAMED_PRESETS
from iidgan.config.plugins import import_by_name
from iidgan.config.preset import Preset
from iidgan.config.presets import PRESETS
from iidgan.config.registry import REGISTRIES, get_reference
from iidgan.core import Term
from iidgan.data.manifest import data_home
from iidgan.data.prepare import DATASETS
from iidgan.data.prepared_source import prepared_names
from iidgan.engine.compile import cache_dir
from iidgan.errors import InputError, unknown_name_error
from iidgan.evaluation.feature_metrics import FEATURE_METRICS
from iidgan.studies.papers import FIGURES, TABLES
from iidgan.utils.device import has_bfloat16_units
from iidgan.utils.extras import EXTRAS, list_missing_modules, pip_command
from iidgan.utils.processes import num_cores

Kind = Literal[
    "all",
    "methods",
    "terms",
    "sources",
    "sets",
    "presets",
    "archs",
    "optimisers",
    "metrics",
    "feature-metrics",
    "tables",
    "figures",
]


@dataclass(frozen=True)
class ListOptions:
    """List everything that has a name; archs are the backbones of --arch.

    Methods, terms, sources, backbones, optimisers and metrics of your own are package.module:Name.
    """

    kind: Annotated[Kind, tyro.conf.Positional] = "all"
    """What to list."""


def list_command(arguments: list[str]) -> int:
    """Run `iidgan list` and return its exit code.

    Arguments:
        arguments: Words of the command line after `list`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(ListOptions, "iidgan list", arguments)
    if options.kind == "tables":
        create_console(markup=False).print(list_tables())
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "name", "description"):
        table.add_column(heading, no_wrap=heading != "description")
    for kind, descriptions in _collect_descriptions().items():
        if options.kind in ("all", kind):
            for name, description in descriptions.items():
                table.add_row(kind.removesuffix("s"), name, description)
    create_console(markup=False).print(table)
    return 0


def _collect_descriptions() -> dict[str, dict[str, str]]:
    """Collect the description of each name, by kind."""
    descriptions_by_kind = {
        kind: {name: get_summary(component) for name, component in registry.items()}
        for kind, registry in REGISTRIES.items()
    }
    descriptions_by_kind["feature-metrics"] = {
        name: get_summary(type(metric)) for name, metric in FEATURE_METRICS.items()
    }
    descriptions_by_kind["sets"] = {
        name: f"{info.title}: iidgan prepare {name}" for name, info in DATASETS.items()
    }
    for name in prepared_names():
        descriptions_by_kind["sets"][name] = f"prepared: iidgan train {name}"
    descriptions_by_kind["presets"] = {
        name: _describe_preset(preset) for name, preset in NAMED_PRESETS.items()
    }
    descriptions_by_kind["tables"] = {name: create([]).title for name, create in TABLES.items()}
    descriptions_by_kind["figures"] = {name: figure.title for name, figure in FIGURES.items()}
    return descriptions_by_kind


def _describe_preset(preset: Preset) -> str:
    """Describe what a preset is for, its publication, and its weights as options of train."""
    reference = preset.reference
    publication = f" ({reference.title.partition(':')[0]}, {reference.year})" if reference else ""
    dataset_names = ", ".join(preset.data) or "any"
    return f"{preset.title}{publication}; for {dataset_names}; {describe_weights(preset)}"


def describe_weights(preset: Preset) -> str:
    """Describe the terms of the method that a preset was published for, as options of train.

    Arguments:
        preset: The preset.

    Examples:
        >>> describe_weights(PRESETS["ijcai-mnist"])
        '--cycle.weight 0.5 --cycle.norm l1 --gaussian.weight 0.1'
    """
    _, terms = preset.create_method(preset.method).base_and_terms
    return " ".join(option for term in terms for option in _list_options(term))


def _list_options(term: Term) -> list[str]:
    """List the weights of a term, and its other options that differ from their defaults."""
    values = {field.name: getattr(term, field.name) for field in fields(term)}
    return [
        f"--{get_flag_prefix(type(term))}.{field.name.replace('_', '-')} {values[field.name]}"
        for field in fields(term)
        if field.name in term.tunable_weights or values[field.name] != field.default
    ]


@dataclass(frozen=True)
class CiteOptions:
    """Print the publication of a method, term, source, data set or preset as BibTeX."""

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Name of a method, term, source, backbone, data set or preset."""


def cite_command(arguments: list[str]) -> int:
    """Run `iidgan cite` and return its exit code.

    Arguments:
        arguments: Words of the command line after `cite`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    name = parse_options(CiteOptions, "iidgan cite", arguments).name
    if ":" in name:
        print(_cite_plugin(name))
        return 0
    citable_entries: dict[str, object] = {**DATASETS, **PRESETS}
    for registry in REGISTRIES.values():
        citable_entries |= registry
    name = name if name in citable_entries else name.lower()  # as tables write it
    if name not in citable_entries:
        names = [name for name, entry in citable_entries.items() if get_reference(entry)]
        raise unknown_name_error("cite", name, names)
    reference = get_reference(citable_entries[name])
    if reference is None:
        raise InputError(f"cite: {name!r} has no publication")
    print(reference.to_bibtex(name))
    return 0


def _cite_plugin(name: str) -> str:
    """Return the publication of a class or function, or of the class that it inherits it from.

    Raises:
        InputError: It cannot be imported, or has no publication.
    """
    plugin = import_by_name("cite", name)
    reference = get_reference(plugin)
    if reference is None:
        raise InputError(f"cite: {name!r} has no publication; decorate it with iidgan.core.cites")
    class_order = inspect.getmro(plugin) if isinstance(plugin, type) else ()
    owner = next((cls for cls in class_order if "reference" in vars(cls)), plugin)
    if owner is plugin:
        return reference.to_bibtex(name.rpartition(":")[2])
    heading = f"% {name} cites nothing of its own; {owner.__name__}, which it extends, cites:"
    return f"{heading}\n{reference.to_bibtex(owner.__name__)}"


@dataclass(frozen=True)
class DoctorOptions:
    """Show versions, devices, free disk space, and which extras are installed.

    Training, diagnosis, figures, tables and reports need no extra.
    """


PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "safetensors",
    "tyro",
    "rich",
    "matplotlib",
    "pillow",
    "jinja2",
)


def doctor_command(arguments: list[str]) -> int:
    """Run `iidgan doctor` and return its exit code.

    Arguments:
        arguments: Words of the command line after `doctor`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    parse_options(DoctorOptions, "iidgan doctor", arguments)
    table = Table(box=None, pad_edge=False, show_header=False)
    for heading, text in _collect_facts():
        table.add_row(heading, text)
    create_console(markup=False).print(table)
    return 0


def _collect_facts() -> list[tuple[str, str]]:
    free_gib = shutil.disk_usage(os.getcwd()).free / 2**30
    compiler_path = shutil.which(os.environ.get("CXX", "g++"))
    return [
        ("iidgan", __version__),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *((package, metadata.version(package)) for package in PACKAGES),
        ("cpu", f"{num_cores()} cores, torch uses {torch.get_num_threads()} threads"),
        ("bfloat16 on cpu", "yes" if has_bfloat16_units(torch.device("cpu")) else "emulated"),
        ("cuda", _describe_cuda()),
        ("compiler", compiler_path or "none: the executor `compiled` runs eagerly"),
        ("compiled code", _describe_cache()),
        ("data", f"{data_home()}: {len(prepared_names())} prepared data sets"),
        ("free disk", f"{free_gib:.1f} GiB in the working directory"),
        *((f"extra {extra}", describe_extra(extra)) for extra in EXTRAS),
    ]


EXTRA_PURPOSES = {
    "explore": "iidgan explore without --out",
    "hub": "iidgan push, from_pretrained, and data of the Hub",
    "onnx": "iidgan export, and iidgan explore --runtime",
    "tensorboard": "iidgan train --track tensorboard",
    "wandb": "iidgan train --track wandb",
    "lmdb": "iidgan prepare of LMDB",
    "dinov2": "--features dinov2",
    "ray": "iidgan table, figure and sweep with --on ray",
}
"""What each extra is for."""


def describe_extra(extra: str) -> str:
    """Say what an extra is for, and which versions are installed, or how to install it.

    Arguments:
        extra: Name of the extra.
    """
    if missing_modules := list_missing_modules(EXTRAS[extra]):
        state = f"missing {', '.join(missing_modules)}: {pip_command(extra)}"
    else:
        state = ", ".join(f"{name} {_get_version(name)}" for name in EXTRAS[extra])
    return f"{state} (for {EXTRA_PURPOSES[extra]})"


def _get_version(module: str) -> str:
    try:
        return metadata.version(module)
    except metadata.PackageNotFoundError:  # a module that no package manager has installed
        return "of unknown version"


def _describe_cache() -> str:
    path = cache_dir()
    size_mib = sum(map(_get_file_size, path.rglob("*"))) / 2**20
    return f"{size_mib:.0f} MiB in {path}; safe to delete"


def _get_file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a compiler may have just removed it
        return 0


def _describe_cuda() -> str:
    if not torch.cuda.is_available():
        return "none"
    device_count = torch.cuda.device_count()
    return ", ".join(torch.cuda.get_device_name(index) for index in range(device_count))
