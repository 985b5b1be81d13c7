"""`iidgan prepare NAME-classifier`: a classifier of labelled images, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from iidgan.bench.classifier import prepare_classifier, read_facts
from iidgan.bench.judge import SUFFIX
from iidgan.cli.parse import parse
from iidgan.cli.progress import bars
from iidgan.errors import InputError


@dataclass(frozen=True)
class Classifier:
    """Trains the classifier that the metrics of images read, once for a data set."""

    source_root: Annotated[str | None, tyro.conf.arg(name="from")] = None
    """Folder of the source's files, where it would not be looked for."""
    root: str | None = None
    """Folder of prepared data; by default $IIDGAN_DATA, or one in the user's cache."""
    device: str = "auto"
    """cpu, cuda, ...; auto takes an accelerator if there is one."""


def prepare_classifier_command(name: str, arguments: list[str]) -> int:
    """Trains `NAME-classifier`, or sees that it is there, and says how good it is."""
    options = parse(Classifier, f"iidgan prepare {name}", arguments)
    with bars(Console(stderr=True)) as progress:
        task = progress.add_task(name, total=None, losses="")
        folder = prepare_classifier(
            name,
            source_root=options.source_root,
            root=None if options.root is None else Path(options.root),
            device=options.device,
            listener=lambda done, total: progress.update(task, completed=done, total=total),
        )
    facts = read_facts(folder)
    print(f"{folder}: {facts['accuracy']:.2f} % of {facts['num_test']:,} test images are right")
    return 0


def prepare_command(arguments: list[str]) -> int:
    """Prepares what the first argument names.

    Raises:
        InputError: It names no classifier.
    """
    name, *rest = arguments or [""]
    if name in ("-h", "--help"):
        parse(Classifier, f"iidgan prepare NAME{SUFFIX}", ["--help"])
    if not name.endswith(SUFFIX):
        raise InputError(f"name: {name!r} is no classifier; such as fashion-mnist{SUFFIX}")
    return prepare_classifier_command(name, rest)
