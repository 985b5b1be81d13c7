"""Preparation of classifiers: manifests, reuse, folders and errors."""

import json
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

import iidgan
from iidgan.data import SOURCES, Mnist, resolve_source
from iidgan.evaluation.classifier.prepare import (
    accuracy_warning,
    prepare_classifier,
    read_classifier_manifest,
)
from iidgan.evaluation.classifier.store import find_saved_classifier, load_evaluator
from iidgan.metrics.classifier import ImageClassifier
from iidgan.utils.files import file_sha256, integrity_error
from tests.helpers.classifiers import (
    CPU,
    QUICK_CONFIG,
    StackedBars,
    write_class_folders,
    write_idx_files,
)
from tests.helpers.errors import raises_input_error


def test_prepare_writes_manifest(mnist_classifier, mnist_root):
    assert mnist_classifier == mnist_root / "classifiers" / "mnist"
    assert integrity_error(mnist_classifier) is None
    manifest = read_classifier_manifest(mnist_classifier)
    assert manifest["sha256"] == file_sha256(mnist_classifier / "model.safetensors")
    assert manifest["data"] == Mnist().load().compute_sha256()
    assert manifest["shape"] == [1, 28, 28]
    assert (manifest["num_train"], manifest["num_test"]) == (120, 60)
    assert manifest["environment"]["torch"] == torch.__version__
    net = ImageClassifier(1, 10, QUICK_CONFIG.width).eval()
    net.load_state_dict(load_file(mnist_classifier / "model.safetensors"))
    test_data = Mnist(split="test").load()
    classes = net(test_data.take_samples(torch.arange(60)))[0].argmax(1)
    accuracy = (classes == test_data.y).double().mean()
    assert manifest["accuracy"] == pytest.approx(100 * accuracy.item(), abs=1e-3)


@pytest.mark.slow
def test_prepare_retrains_only_if_needed(mnist_classifier, mnist_root):
    totals = []

    def prepare(config=QUICK_CONFIG):
        totals.clear()
        prepare_classifier(
            "mnist-classifier", config=config, on_step=lambda done, total: totals.append(total)
        )
        return read_classifier_manifest(mnist_classifier)

    first = prepare()
    assert totals == []
    assert prepare(replace(QUICK_CONFIG, max_images=1200))["sha256"] != first["sha256"]
    assert totals == [60] * 60
    assert prepare()["sha256"] == first["sha256"]
    write_idx_files(mnist_root / "mnist", seed=7)
    assert prepare()["data"] != first["data"]
    (mnist_classifier / "model.safetensors").write_bytes(b"damaged")
    prepare()
    assert totals
    assert integrity_error(mnist_classifier) is None


def test_prepare_keeps_manifests_of_0_1(mnist_classifier):
    """Keys of the configuration in files are those of the first version."""
    manifest = read_classifier_manifest(mnist_classifier)
    assert manifest["recipe"] == {
        "width": 4,
        "images": 600,
        "least": 1,
        "batch": 20,
        "lr": 0.2,
        "decay": 0.0005,
        "shift": 1,
        "turn": 0.0,
        "scale": 0.0,
        "soft": 0.0,
        "dim": 0.0,
        "seed": 0,
    }
    assert json.loads((mnist_classifier / "classifier.json").read_text()) == manifest


def test_prepare_interrupted_leaves_nothing(mnist_root):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_classifier("mnist-classifier", config=QUICK_CONFIG, on_step=interrupt)
    assert list((mnist_root / "classifiers").iterdir()) == []


def test_prepare_checks_folder_first(mnist_root, monkeypatch):
    steps = []
    (mnist_root / "classifiers").touch()
    with raises_input_error(None, "classifiers", "File exists"):
        prepare_classifier("mnist-classifier", on_step=lambda done, total: steps.append(done))
    (mnist_root / "classifiers").unlink()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with raises_input_error("root", mnist_root / "classifiers"):
        prepare_classifier("mnist-classifier", on_step=lambda done, total: steps.append(done))
    assert not steps


def test_prepare_in_given_folders(mnist_root, tmp_path, monkeypatch):
    monkeypatch.delenv("IIDGAN_DATA")
    folder = prepare_classifier(
        "mnist-classifier",
        source_root=str(mnist_root),
        root=tmp_path / "other",
        config=QUICK_CONFIG,
    )
    assert folder == tmp_path / "other" / "classifiers" / "mnist"
    assert find_saved_classifier("mnist", tmp_path / "other") is not None
    assert find_saved_classifier("mnist") is None


def test_prepare_beside_prepared_data(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "default"))
    own_root = str(tmp_path / "own")
    origin = str(write_class_folders(tmp_path / "bars"))
    iidgan.prepare("bars", origin=origin, root=own_root, size=28)
    source = resolve_source("bars", own_root)
    data = source.load()
    command = f"`iidgan prepare bars-classifier --root {own_root}`"
    assert command in load_evaluator(source, data, CPU).missing_reason
    folder = prepare_classifier("bars-classifier", root=tmp_path / "own", config=QUICK_CONFIG)
    assert folder == tmp_path / "own" / "classifiers" / "bars"
    assert load_evaluator(source, data, CPU).extractor is not None
    default_folder = prepare_classifier(
        "bars-classifier", source_root=own_root, config=QUICK_CONFIG
    )
    assert default_folder.is_relative_to(tmp_path / "default")


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("ring-classifier", "ring-classifier", ["'ring'"]),
        ("mnits-classifier", "source", ["'mnits'", "'mnist'"]),
        ("stacked-classifier", "stacked-classifier", ["'stacked'", "mnist-classifier"]),
    ],
)
def test_prepare_rejects_source(mnist_root, monkeypatch, name, field, values):
    monkeypatch.setitem(SOURCES, "stacked", StackedBars)
    with raises_input_error(field, *values):
        prepare_classifier(name, config=QUICK_CONFIG)


def remove_labels(folder):
    (folder / "train-labels-idx1-ubyte").unlink()


@pytest.mark.parametrize(
    ("change", "values"),
    [
        (remove_labels, ["labels"]),
        (lambda folder: write_idx_files(folder, num=9), ["9 images of 3"]),
        (lambda folder: write_idx_files(folder, classes=1), ["2 labels", "images of 1"]),
        (lambda folder: write_idx_files(folder, side=7, classes=2), ["8 x 8", "7 x 7"]),
    ],
)
def test_prepare_rejects_data(mnist_root, change, values):
    change(mnist_root / "mnist")
    with raises_input_error("mnist", *values):
        prepare_classifier("mnist-classifier", config=QUICK_CONFIG)


@pytest.mark.parametrize(
    ("name", "accuracy", "is_low"),
    [
        ("mnist", 98.9, True),
        ("mnist", 99.0, False),
        ("fashion-mnist", 91.9, True),
        ("fashion-mnist", 92.0, False),
        ("cats", 10.0, False),
    ],
)
def test_accuracy_warning_below_expected(name, accuracy, is_low):
    manifest = {"name": name, "accuracy": accuracy, "source": {"type": "prepared", "name": name}}
    warning = accuracy_warning(manifest)
    assert (f"{name}-classifier: accuracy {accuracy:.2f} %" in warning) == is_low
    assert bool(warning) == is_low


PLUGIN_SOURCE = """
from dataclasses import dataclass
from typing import ClassVar

from iidgan.data import Mnist


@dataclass(frozen=True, kw_only=True)
class MySource(Mnist):
    classifier_options: ClassVar[dict] = {"width": 4, "max_images": 600, "min_steps": 1}
    expected_accuracy: ClassVar[float] = 101.0

    @property
    def classifier_source(self):
        return "mine"
"""


def test_prepare_plugin_source(mnist_root, tmp_path, monkeypatch):
    """Options and expected accuracy are those of the source's class."""
    (tmp_path / "my_classified_source.py").write_text(PLUGIN_SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = prepare_classifier("my_classified_source:MySource-classifier")
    assert folder == mnist_root / "classifiers" / "mine"
    manifest = read_classifier_manifest(folder)
    assert manifest["recipe"]["width"] == 4
    assert manifest["recipe"]["images"] == 600
    assert "101 %" in accuracy_warning(manifest)
    source = sys.modules["my_classified_source"].MySource()
    evaluator = load_evaluator(source, source.load(), CPU)
    assert evaluator.extractor.name == "mine-classifier"


def test_prepare_prefers_own_files(mnist_root, mnist_classifier):
    """A prepared data set of another size is used only if the source's files are missing."""
    before = (mnist_classifier / "classifier.json").read_text()
    iidgan.prepare("mnist", size=16)
    folder = prepare_classifier("mnist-classifier", config=QUICK_CONFIG)
    assert folder == mnist_classifier
    assert (mnist_classifier / "classifier.json").read_text() == before
