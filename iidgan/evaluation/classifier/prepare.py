"""Preparation of a data set's classifier: trained once, stored with its digest and accuracy."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import save

from iidgan.config.registry import create_component
from iidgan.config.serialization import encode
from iidgan.config.type_names import TYPE_NAMES
from iidgan.core import Source
from iidgan.data import SOURCES, resolve_source
from iidgan.data.prepared_source import is_prepared
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import (
    MANIFEST_FILE,
    SUFFIX,
    WEIGHTS_FILE,
    classifier_dir,
    read_classifier_manifest,
)
from iidgan.evaluation.classifier.train import (
    ClassifierConfig,
    StepCallback,
    default_config,
    get_label_names,
    measure_accuracy,
    split_labelled,
    train_classifier,
)
from iidgan.metrics.classifier import ImageClassifier
from iidgan.utils.device import resolve_device
from iidgan.utils.files import (
    file_sha256,
    integrity_error,
    oserror_as_input_error,
    write_folder,
)
from iidgan.utils.provenance import collect_provenance


def prepare_classifier(
    name: str,
    *,
    source_root: str | None = None,
    root: Path | None = None,
    device: str = "auto",
    config: ClassifierConfig | None = None,
    on_step: StepCallback = lambda done, total: None,
) -> Path:
    """Train the classifier of a source's labelled images, and store it.

    An undamaged classifier of the same data and configuration is kept.

    Arguments:
        name: Name of a source (registered, or `module:Name`), followed by `-classifier`.
        source_root: Folder of the source's files, as its field `root`.
        root: Folder of prepared data; by default where evaluation looks.
        device: `cpu`, `cuda`, ..., or `auto`.
        config: Configuration of the training; by default that of the source.
        on_step: Receives the progress.

    Returns:
        Its folder with `model.safetensors` and `classifier.json`: digests of weights and data,
        accuracy on test images in percent, configuration and versions.

    Raises:
        InputError: The source is unknown, or has no images with labels of two classes.
    """
    source = _find_source(name, source_root, root)
    source_name = source.classifier_source
    source_type = SOURCES.get(source_name, type(source))
    config = config or default_config(source_type)
    torch_device = resolve_device(device)
    train_set, test_set = split_labelled(source)
    folder = classifier_dir(source_name, root)
    manifest = {
        "name": source_name,
        "source": encode(source, include_paths=False),
        "data": train_set.data.compute_sha256(),
        "shape": list(train_set.data.shape),
        "labels": get_label_names(train_set.data),
        "recipe": config.to_dict(),
    }
    if _is_up_to_date(folder, manifest):
        return folder
    _check_writable(folder.parent)
    net = train_classifier(train_set, config, torch_device, on_step)
    manifest |= {
        "accuracy": round(100 * measure_accuracy(net, test_set), 3),
        "num_train": len(train_set),
        "num_test": len(test_set),
        "expected_accuracy": source_type.expected_accuracy,
        "environment": collect_provenance(torch_device),
    }
    write_folder(folder, lambda temporary: _write_classifier(temporary, net, manifest))
    return folder


def accuracy_warning(manifest: Mapping[str, Any]) -> str:
    """Return a warning if the accuracy is below that expected for the source; else an empty text.

    Arguments:
        manifest: Content of `classifier.json`.

    Examples:
        >>> manifest = {"name": "mnist", "source": {"type": "mnist"}, "accuracy": 98.2}
        >>> accuracy_warning(manifest).split(": ")[1]
        'accuracy 98.20 %, below the expected 99 %'
    """
    name, accuracy = manifest["name"], manifest["accuracy"]
    expected_accuracy = _find_expected_accuracy(manifest)
    if accuracy >= expected_accuracy:
        return ""
    return (
        f"{name}{SUFFIX}: accuracy {accuracy:.2f} %, below the expected {expected_accuracy:g} %: "
        "check for too few images or wrong labels; metrics based on it are unreliable"
    )


def _find_expected_accuracy(manifest: Mapping[str, Any]) -> float:
    """Return the accuracy that the class of the source expects.

    A class that is not part of the package is not imported because a file names it: the manifest
    says what it expected when the classifier was trained.
    """
    name, type_name = manifest["name"], manifest["source"]["type"]
    source_type = SOURCES.get(name) or TYPE_NAMES.get(type_name)
    stored_value = manifest.get("expected_accuracy", Source.expected_accuracy)
    return float(getattr(source_type, "expected_accuracy", stored_value))


def _is_up_to_date(folder: Path, manifest: dict[str, Any]) -> bool:
    is_stored = (folder / MANIFEST_FILE).exists()
    if not is_stored or integrity_error(folder, (WEIGHTS_FILE, MANIFEST_FILE)):
        return False
    stored_manifest = read_classifier_manifest(folder)
    return all(stored_manifest.get(key) == value for key, value in manifest.items())


def _check_writable(folder: Path) -> None:
    """Check, before minutes of training, that the result can be stored."""
    with oserror_as_input_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"root: {folder} is not writable; choose another folder")


def _write_classifier(folder: Path, net: ImageClassifier, manifest: dict[str, Any]) -> None:
    tensors = {name: value.cpu().contiguous() for name, value in net.state_dict().items()}
    (folder / WEIGHTS_FILE).write_bytes(save(tensors))
    manifest = manifest | {"sha256": file_sha256(folder / WEIGHTS_FILE)}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + "\n")


def _create_builtin_source(name: str) -> Source | None:
    """Create the registered source of images that reads its own files, unless they are missing.

    A data set that was prepared from them may have another size, and has no test split. It is
    used only if the files are missing.
    """
    if name not in SOURCES or not SOURCES[name].has_images:
        return None
    source = SOURCES[name]()
    try:
        source.load()
    except InputError:
        return None if is_prepared(name) else source
    return source


def _create_source(name: str, source_root: str | None, data_root: Path | None) -> Source:
    if ":" in name:
        return create_component("sources", name, Source)  # type: ignore[type-abstract]
    if source_root is not None and name in SOURCES:
        return SOURCES[name]()
    prepared_root = source_root or (None if data_root is None else str(data_root))
    return _create_builtin_source(name) or resolve_source(name, prepared_root)


def _find_source(name: str, source_root: str | None, data_root: Path | None) -> Source:
    source_name = name.removesuffix(SUFFIX)
    source = _create_source(source_name, source_root, data_root)
    if source_root is not None:
        if not hasattr(source, "root"):
            raise InputError(f"from: source {source_name!r} reads no folder")
        source = replace(source, root=source_root)  # type: ignore[type-var]
    if not source.classifier_source:
        raise InputError(f"{name}: source {source_name!r} has no labelled images to classify")
    if source.classifier_source != source_name and ":" not in source_name:
        raise InputError(
            f"{name}: images of {source_name!r} are classified by "
            f"{source.classifier_source}{SUFFIX}; prepare that one"
        )
    return source
