"""`iidgan list`, `cite` and `doctor`: what there is."""

from __future__ import annotations

import inspect
import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from rich.console import Console
from rich.table import Table

from iidgan._version import __version__
from iidgan.cli.parse import parse
from iidgan.config.registry import KINDS, reference_of
from iidgan.core import Reference
from iidgan.data.manifest import home
from iidgan.data.prepare import SETS
from iidgan.data.prepared import names
from iidgan.engine.compile.inductor import place_of_code
from iidgan.errors import InputError, unknown
from iidgan.studies.papers import PICTURES, STUDIES
from iidgan.utils.processes import num_cores

Kind = Literal[
    "all",
    "methods",
    "terms",
    "sources",
    "sets",
    "archs",
    "optimisers",
    "metrics",
    "tables",
    "figures",
]


@dataclass(frozen=True)
class List:
    """Lists everything that has a name."""

    kind: Annotated[Kind, tyro.conf.Positional] = "all"
    """What to list."""


def list_command(arguments: list[str]) -> int:
    options = parse(List, "iidgan list", arguments)
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "name", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for kind, things in _described().items():
        if options.kind in ("all", kind):
            for name, text in things.items():
                table.add_row(kind.removesuffix("s"), name, text)
    Console(markup=False).print(table)
    return 0


def _described() -> dict[str, dict[str, str]]:
    """Lists what each name stands for, by kind."""
    found = {
        kind: {name: _first_line(made) for name, made in things.items()}
        for kind, things in KINDS.items()
    }
    sets = {name: f"{known.title}: iidgan prepare {name}" for name, known in SETS.items()}
    there = {name: f"is prepared: iidgan train {name}" for name in names()}
    tables = {name: make([]).title for name, make in STUDIES.items()}
    return found | {
        "sets": sets | there,
        "tables": tables,
        "figures": {k: p.title for k, p in PICTURES.items()},
    }


def _first_line(made: object) -> str:
    return (inspect.getdoc(made) or "").partition("\n")[0]


@dataclass(frozen=True)
class Cite:
    """Prints the publication of a method, term, source or set as BibTeX."""

    name: Annotated[str, tyro.conf.Positional]
    """Name of a method, term, source or set."""


def cite_command(arguments: list[str]) -> int:
    name = parse(Cite, "iidgan cite", arguments).name
    found: dict[str, object] = {**SETS}
    found |= {n: made for things in KINDS.values() for n, made in things.items()}
    if name not in found:
        raise unknown("cite", name, [n for n, made in found.items() if reference_of(made)])
    reference = reference_of(found[name])
    if reference is None:
        raise InputError(f"cite: {name!r} is from no publication")
    print(_bibtex(name, reference))
    return 0


def _bibtex(key: str, reference: Reference) -> str:
    entries = {
        "title": reference.title,
        "author": reference.authors.replace(", ", " and "),
        "year": reference.year,
        "url": reference.url,
        "note": reference.note,
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in entries.items() if value)
    return f"@misc{{{key},\n{lines}}}"


@dataclass(frozen=True)
class Doctor:
    """Shows versions, devices, free disk, and which extras are installed."""


PACKAGES = ("torch", "numpy", "scipy", "safetensors", "tyro", "rich", "matplotlib", "pillow")
EXTRAS = {
    "hub": ("datasets", "huggingface_hub"),
    "lmdb": ("lmdb",),
    "metrics": ("torchmetrics", "sklearn"),
    "track": ("tensorboard",),
}


def doctor_command(arguments: list[str]) -> int:
    parse(Doctor, "iidgan doctor", arguments)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, text in _findings():
        table.add_row(name, text)
    Console(markup=False).print(table)
    return 0


def _findings() -> list[tuple[str, str]]:
    free = shutil.disk_usage(os.getcwd()).free / 2**30
    found = [
        ("iidgan", __version__),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *((name, metadata.version(name)) for name in PACKAGES),
        ("cpu", f"{num_cores()} cores, torch uses {torch.get_num_threads()} threads"),
        ("cuda", _cuda()),
        ("compiler", shutil.which(os.environ.get("CXX", "g++")) or "none: compiled runs eagerly"),
        ("compiled code", _compiled()),
        ("data", f"{home()}: {len(names())} prepared sets"),
        ("free disk", f"{free:.1f} GiB here"),
    ]
    for extra, modules in EXTRAS.items():
        lacking = [module for module in modules if util.find_spec(module) is None]
        text = f"lacks {', '.join(lacking)}: pip install 'iidgan[{extra}]'" if lacking else "ready"
        found.append((f"extra {extra}", text))
    return found


def _compiled() -> str:
    place = place_of_code()
    size = sum(map(_size, place.rglob("*"))) / 2**20
    return f"{size:.0f} MiB in {place}; what is removed there is made again"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a compiler at work
        return 0


def _cuda() -> str:
    if not torch.cuda.is_available():
        return "none"
    count = torch.cuda.device_count()
    return ", ".join(torch.cuda.get_device_name(index) for index in range(count))
