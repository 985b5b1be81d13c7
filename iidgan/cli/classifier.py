"""`iidgan prepare NAME-classifier`: a classifier of labelled images, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from iidgan.cli.parse import parse
from iidgan.cli.progress import bars, teller
from iidgan.evaluation.classifier.prepare import prepare_classifier, read_facts, shortfall


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
    console = Console(stderr=True)
    with bars(console) as progress:
        folder = prepare_classifier(
            name,
            source_root=options.source_root,
            root=None if options.root is None else Path(options.root),
            device=options.device,
            listener=teller(progress, name, "steps"),
        )
    facts = read_facts(folder)
    print(f"{folder}: {facts['accuracy']:.2f} % of {facts['num_test']:,} test images are right")
    if short := shortfall(facts):
        console.print(f"warning: {short}", highlight=False, markup=False)
    return 0
