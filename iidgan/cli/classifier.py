"""`iidgan prepare NAME-classifier`: a classifier of labelled images, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.console import create_console
from iidgan.cli.parse import parse_options
from iidgan.cli.progress import count_progress, create_progress
from iidgan.evaluation.classifier.prepare import accuracy_warning, prepare_classifier
from iidgan.evaluation.classifier.store import read_classifier_manifest


@dataclass(frozen=True)
class ClassifierOptions:
    """Train the classifier that the metrics of images need, once for a data set."""

    source_root: Annotated[str | None, tyro.conf.arg(name="from")] = None
    """Folder of the source's files; by default where the source looks for them."""
    root: str | None = None
    """Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache."""
    device: str = "auto"
    """cpu, cuda, ...; auto uses an accelerator if there is one."""


def prepare_classifier_command(name: str, arguments: list[str]) -> int:
    """Train `NAME-classifier` unless it exists, and print its accuracy.

    Arguments:
        name: Name of the classifier, including `-classifier`.
        arguments: The other words of the command line.

    Returns:
        The exit code.
    """
    options = parse_options(ClassifierOptions, f"iidgan prepare {name}", arguments)
    console = create_console(stderr=True)
    with create_progress(console) as progress:
        classifier_dir = prepare_classifier(
            name,
            source_root=options.source_root,
            root=None if options.root is None else Path(options.root),
            device=options.device,
            on_step=count_progress(progress, name, "steps"),
        )
    classifier_facts = read_classifier_manifest(classifier_dir)
    test_accuracy, num_images = classifier_facts["accuracy"], classifier_facts["num_test"]
    print(f"{classifier_dir}: accuracy {test_accuracy:.2f} % on {num_images:,} test images")
    if warning := accuracy_warning(classifier_facts):
        console.print(f"warning: {warning}", highlight=False, markup=False)
    return 0
