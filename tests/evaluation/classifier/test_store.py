"""Stored classifiers: which data they fit, and their outputs for real images."""

import itertools
import shutil
from dataclasses import replace

import pytest
import torch

import iidgan
from iidgan.core import Dataset
from iidgan.data import SOURCES, Mnist, Mnist5k, StackedMnist
from iidgan.evaluation.classifier import store
from iidgan.evaluation.classifier.prepare import read_classifier_manifest
from iidgan.evaluation.classifier.store import (
    classifier_dir,
    find_saved_classifier,
    load_evaluator,
    require_classifier,
)
from tests.helpers.classifiers import CPU, random_images
from tests.helpers.errors import raises_input_error


def test_trained_classifier_comes_before_pretrained(tmp_path, monkeypatch):
    """Those of the library are complete, and fit its sources."""
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    pretrained = find_saved_classifier("mnist-5k")
    assert pretrained.folder == store.PRETRAINED_DIR / "mnist-5k"
    assert pretrained.manifest["data"] == Mnist5k().load().compute_sha256()
    assert find_saved_classifier("mnist-5k", tmp_path) is None
    shutil.copytree(pretrained.folder, classifier_dir("mnist-5k"))
    assert find_saved_classifier("mnist-5k").folder == classifier_dir("mnist-5k")


@pytest.mark.parametrize("folder", sorted(store.PRETRAINED_DIR.iterdir()), ids=lambda p: p.name)
def test_pretrained_classifiers_are_complete(folder):
    classifier = find_saved_classifier(folder.name)
    extractor = classifier.load_extractor(CPU, per_channel=False)
    assert extractor(random_images(2, 3, 1, 28, 28)).classes.shape == (2, 3, 1)
    source_type = SOURCES[folder.name]
    assert classifier.manifest["accuracy"] >= source_type.expected_accuracy


def test_pretrained_classifier_is_not_for_other_data(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    data = Mnist5k().load()
    assert load_evaluator(Mnist5k(), data, CPU).extractor is not None
    other_data = Dataset(data.x.flip(0), data.y)
    evaluator = load_evaluator(Mnist5k(), other_data, CPU)
    assert evaluator.extractor is None
    assert "`iidgan prepare mnist-5k-classifier`" in evaluator.warning


def test_load_evaluator_without_classifier(mnist_root):
    data = Mnist().load()
    evaluator = load_evaluator(Mnist(), data, CPU)
    assert "`iidgan prepare mnist-classifier`" in evaluator.warning
    assert evaluator.compare_with_real(None, iter(()), 4, (1, 28, 28)) is None
    assert evaluator.missing_reason in evaluator.warning
    assert "labels" in load_evaluator(Mnist(), Dataset(data.x), CPU).warning
    assert load_evaluator(iidgan.Ring(), iidgan.Ring(size=10).load(), CPU).warning == ""


def test_require_classifier_names_command(mnist_root):
    require_classifier(iidgan.Ring())
    with raises_input_error("classifier", "`iidgan prepare mnist-classifier`"):
        require_classifier(Mnist())


def test_compare_with_real_protocol(mnist_classifier):
    evaluator = load_evaluator(Mnist(split="test"), Mnist(split="test").load(), CPU)
    predictions = evaluator.extractor(random_images(2, 5, 1, 32, 32))
    real_chunks = iter(random_images(9, 1, 32, 32).split(4))
    outputs = evaluator.compare_with_real(predictions, real_chunks, 9, (1, 32, 32))
    assert outputs.num_classes == 10
    assert outputs.generated is predictions
    assert outputs.real.classes.shape == (9, 1)
    assert outputs.protocol == {
        "extractor": "mnist-classifier",
        "weights": read_classifier_manifest(mnist_classifier)["sha256"][:16],
        "resize": "crop or pad 32x32 to 28x28",
        "reference": "mnist, test",
    }


def test_compare_with_real_reads_images_once(mnist_classifier):
    evaluator = load_evaluator(Mnist(), Mnist().load(), CPU)
    images = random_images(9, 1, 28, 28)
    predictions = evaluator.extractor(random_images(2, 5, 1, 28, 28))
    chunk_sizes = []

    def read_real(num):
        for chunk in images[:num].split(4):
            chunk_sizes.append(len(chunk))
            yield chunk

    def compare(num):
        return evaluator.compare_with_real(predictions, read_real(num), num, (1, 28, 28)).real

    first = compare(9)
    for _ in range(2):
        assert compare(9) is first
    assert chunk_sizes == [4, 4, 1]
    expected = evaluator.extractor(images)
    for name, value in vars(first).items():
        torch.testing.assert_close(value, getattr(expected, name))
    assert len(compare(4).classes) == 4


def test_load_evaluator_rejects_other_data(mnist_classifier, mnist_root):
    data = Mnist().load()
    with raises_input_error(str(mnist_classifier), "'mnist'", "mnist-classifier"):
        load_evaluator(Mnist(), replace(data, x=data.x.flip(0)), CPU)
    with raises_input_error(str(mnist_classifier), "images of 1 channels", "these have 3"):
        load_evaluator(Mnist(split="test"), replace(data, x=data.x.expand(-1, 3, -1, -1)), CPU)
    with raises_input_error(str(mnist_classifier), "10 classes (0; ", "2 classes (a; b)"):
        load_evaluator(Mnist(split="test"), replace(data, labels=("a", "b")), CPU)
    articles = iidgan.FashionMnist.classes
    with raises_input_error(str(mnist_classifier), "10 classes (0; 1; ", "10 classes (T-shirt"):
        load_evaluator(Mnist(split="test"), replace(data, labels=articles), CPU)
    spaced = tuple(f" {name} " for name in data.labels)
    assert load_evaluator(Mnist(split="test"), replace(data, labels=spaced), CPU).num_classes == 10


def test_load_evaluator_of_stacked_images(mnist_classifier, mnist_root):
    stacked = StackedMnist(size=9)
    triples = stacked.load()
    assert load_evaluator(stacked, triples, CPU).num_classes == 10
    articles = iidgan.FashionMnist.classes
    labels = tuple(", ".join(names) for names in itertools.product(articles, repeat=3))
    with raises_input_error(str(mnist_classifier), "1000 classes (0, 0, 0; ", "1000 classes (T"):
        load_evaluator(stacked, replace(triples, labels=labels), CPU)


def test_find_saved_classifier_of_other_source(mnist_classifier, mnist_root):
    mnist_classifier.rename(mnist_root / "classifiers" / "fashion-mnist")
    with raises_input_error(None, "'mnist'", "'fashion-mnist'"):
        load_evaluator(iidgan.FashionMnist(), Mnist().load(), CPU)


@pytest.mark.parametrize("name", ["model.safetensors", "classifier.json"])
def test_load_evaluator_of_damaged_classifier(mnist_classifier, name):
    content = (mnist_classifier / name).read_bytes()
    (mnist_classifier / name).write_bytes(content[:-3])
    with raises_input_error(str(mnist_classifier), name, "damaged"):
        load_evaluator(Mnist(), Mnist().load(), CPU)


def test_load_evaluator_of_other_network(mnist_classifier, monkeypatch):
    """Weights of another version of the network."""
    monkeypatch.setattr(store, "ImageClassifier", lambda *sizes: torch.nn.Linear(2, 2))
    weights_file = str(mnist_classifier / "model.safetensors")
    with raises_input_error(weights_file, "iidgan prepare mnist-classifier"):
        load_evaluator(Mnist(), Mnist().load(), CPU)


def test_load_extractor_from_old_manifest(mnist_classifier):
    """A stored classifier has the old keys, and its weights keep their digest."""
    classifier = find_saved_classifier("mnist")
    assert classifier.manifest["recipe"].keys() >= {"turn", "soft", "dim", "least", "images"}
    extractor = classifier.load_extractor("cpu", per_channel=False)
    assert extractor.weights == classifier.manifest["sha256"][:16] == classifier.weights_digest
    assert extractor.name == classifier.name == "mnist-classifier"


def test_classifier_dir_in_user_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("IIDGAN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert classifier_dir("mnist") == tmp_path / "iidgan" / "data" / "classifiers" / "mnist"
