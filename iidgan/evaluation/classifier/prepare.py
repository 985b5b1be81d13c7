"""Preparing the classifier of a data set: once, kept with its digest and test accuracy."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from safetensors.torch import save

from iidgan.config.serialization import encode
from iidgan.core import Source
from iidgan.data import SOURCES, source_from
from iidgan.data.prepared import is_prepared
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import CONFIG, SUFFIX, WEIGHTS, classifier_folder
from iidgan.evaluation.classifier.train import (
    Listener,
    Recipe,
    accuracy,
    labels_of,
    parts_of,
    recipe_of,
    train_classifier,
)
from iidgan.metrics.classifier import Classifier
from iidgan.utils.device import device_from
from iidgan.utils.files import damage, digest, explained, write_folder
from iidgan.utils.provenance import provenance

GOALS = {"mnist": 99.0, "mnist-5k": 99.0, "fashion-mnist": 92.0}
"""Accuracy in percent, by name of the source, below which numbers of its images mean little."""


def prepare_classifier(
    name: str,
    *,
    source_root: str | None = None,
    root: Path | None = None,
    device: str = "auto",
    recipe: Recipe | None = None,
    listener: Listener = lambda done, total: None,
) -> Path:
    """Trains the classifier of a source's labelled images, and keeps it.

    One that is there and whole, of the same data and by the same recipe, stays as it is.

    Arguments:
        name: A source's name, followed by `-classifier`.
        source_root: Folder of the source's files, as the source takes it.
        root: Folder of prepared data; by default that in which evaluation looks.
        device: `cpu`, `cuda`, ..., or `auto`.
        recipe: How it is trained; by default as suits the images.
        listener: Is told of progress.

    Returns:
        Its folder: `model.safetensors`, and `classifier.json` with the weights' sha256, the
        accuracy on test images in percent, the digest of the data, the recipe and versions.

    Raises:
        InputError: There is no such source, or it has no images with labels of two classes.
    """
    source = _source(name, source_root, root)
    recipe, place = recipe or recipe_of(source.classifier), device_from(device)
    train, test = parts_of(source)
    folder = classifier_folder(source.classifier, root)
    facts = {
        "name": source.classifier,
        "source": encode(source, include_paths=False),
        "data": train.data.digest(),
        "shape": list(train.data.shape),
        "labels": labels_of(train.data),
        "recipe": asdict(recipe),
    }
    if _is_there(folder, facts):
        return folder
    _ensure_writable(folder.parent)
    net = train_classifier(train, recipe, place, listener)
    facts |= {
        "accuracy": round(100 * accuracy(net, test), 3),
        "num_train": len(train),
        "num_test": len(test),
        "environment": provenance(place),
    }
    write_folder(folder, lambda temporary: _fill(temporary, net, facts))
    return folder


def read_facts(folder: Path) -> dict[str, Any]:
    """Reads what the manifest of a classifier says of it."""
    facts: dict[str, Any] = json.loads((folder / CONFIG).read_text())
    return facts


def shortfall(facts: Mapping[str, Any]) -> str:
    """Says how a classifier falls short of what is expected of one of its data, or nothing."""
    goal = GOALS.get(facts["name"], 0.0)
    if facts["accuracy"] >= goal:
        return ""
    return (
        f"{facts['name']}{SUFFIX}: {facts['accuracy']:.2f} % are right, and {goal:g} % were to be "
        "expected: are images few, or labels wrong? Its metrics are to be doubted"
    )


def _is_there(folder: Path, facts: dict[str, Any]) -> bool:
    if not (folder / CONFIG).exists() or damage(folder):
        return False
    kept = read_facts(folder)
    return all(kept.get(key) == value for key, value in facts.items())


def _ensure_writable(folder: Path) -> None:
    """Sees that what is going to take minutes can be kept."""
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"root: {folder} cannot be written to; choose another folder")


def _fill(folder: Path, net: Classifier, facts: dict[str, Any]) -> None:
    values = {name: value.cpu().contiguous() for name, value in net.state_dict().items()}
    (folder / WEIGHTS).write_bytes(save(values))
    facts = facts | {"sha256": digest(folder / WEIGHTS)}
    (folder / CONFIG).write_text(json.dumps(facts, indent=1) + "\n")


def _raw(name: str) -> Source | None:
    """Finds the source whose own files, parts and sizes the classifier of that name learns from.

    A set that was prepared from them may have another size, and has no part for testing: it takes
    their place only where they are missing.
    """
    if name not in SOURCES or not SOURCES[name].images:
        return None
    source = SOURCES[name]()
    try:
        source.load()
    except InputError:
        return None if is_prepared(name) else source
    return source


def _source(name: str, root: str | None, home: Path | None) -> Source:
    base = name.removesuffix(SUFFIX)
    named = root is not None and base in SOURCES
    prepared_in = root or (None if home is None else str(home))
    source = SOURCES[base]() if named else _raw(base) or source_from(base, prepared_in)
    if root is not None:
        if not hasattr(source, "root"):
            raise InputError(f"from: the source {base!r} reads no folder")
        source = replace(source, root=root)  # type: ignore[type-var]
    if not source.classifier:
        raise InputError(f"{name}: the source {base!r} has no images with labels to tell apart")
    if source.classifier != base:
        raise InputError(
            f"{name}: {base!r} is judged by {source.classifier}{SUFFIX}; prepare that"
        )
    return source
