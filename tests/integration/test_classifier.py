"""Runs on images and their classifier, from training to metric records."""

import json
import re

import pytest

from iidgan.cli import main
from iidgan.evaluation.classifier import prepare
from iidgan.evaluation.classifier.prepare import prepare_classifier, read_classifier_manifest
from iidgan.records import read_records
from iidgan.train import train
from tests.helpers.classifiers import (
    QUICK_CONFIG,
    StackedBars,
    make_image_run,
    write_idx_files,
)
from tests.helpers.errors import raises_input_error


@pytest.fixture
def quick_config(monkeypatch):
    monkeypatch.setattr(prepare, "default_config", lambda source: QUICK_CONFIG)


def test_train_evaluates_with_classifier(mnist_classifier, few_evaluated, tmp_path):
    train(make_image_run(), out=tmp_path / "run", seeds=2)
    records = read_records(tmp_path / "run" / "metrics.jsonl")
    by_metric = {(record.metric, record.seed): record for record in records}
    weights = read_classifier_manifest(mnist_classifier)["sha256"][:16]
    for name in ("digits_modes", "digits_bad", "digits_kl", "classifier_fid"):
        for seed in (0, 1):
            protocol = by_metric[name, seed].protocol
            assert protocol["weights"] == weights
            assert (protocol["num_generated"], protocol["num_real"]) == (40, 40)
            assert protocol["reference"] == "mnist, train"
    assert not {name for name, _ in by_metric if name.startswith("stacked")}


def test_train_evaluates_stacked_images(mnist_classifier, tmp_path):
    """Their classifier is that of the images they consist of."""
    (mnist_classifier.parent / "other").mkdir()
    result = train(make_image_run(StackedBars()), out=tmp_path / "run")
    by_metric = {record.metric: record for record in result.records}
    expected_metrics = {"stacked_modes", "stacked_kl", "stacked_kl_train", "classifier_fid"}
    assert expected_metrics <= by_metric.keys()
    assert not {name for name in by_metric if name.startswith("digits")}
    protocol = by_metric["stacked_kl"].protocol
    assert protocol["reference"] == "mnist, stacked"
    assert (protocol["num_generated"], protocol["num_modes"]) == (40, 1000)
    assert protocol["num_train"] == 50


@pytest.mark.slow
def test_train_without_classifier_warns_once(mnist_root, few_evaluated, tmp_path):
    """And training is the same as with a classifier."""
    messages = []
    run = make_image_run()
    train(run, out=tmp_path / "a", on_progress=lambda text, record: messages.append(text))
    assert len([text for text in messages if "prepare mnist-classifier" in text]) == 1
    records = read_records(tmp_path / "a" / "metrics.jsonl")
    assert not [record for record in records if "digits" in record.metric]
    prepare_classifier("mnist-classifier", config=QUICK_CONFIG)
    train(run, out=tmp_path / "b")
    weights = [(tmp_path / name / "generator" / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_train_rejects_classifier_of_other_data(
    mnist_classifier, mnist_root, few_evaluated, tmp_path
):
    write_idx_files(mnist_root / "mnist", seed=5)
    with raises_input_error(str(mnist_classifier), "'mnist'", "iidgan prepare mnist-classifier"):
        train(make_image_run(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_prepare_and_evaluate_commands(mnist_root, few_evaluated, quick_config, tmp_path, capsys):
    train(make_image_run(), out=tmp_path / "run")
    assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    assert "iidgan prepare mnist-classifier" in capsys.readouterr().err
    for _ in range(2):
        assert main(["prepare", "mnist-classifier", "--device", "cpu"]) == 0
        assert re.search(r"accuracy \d+\.\d\d % on 60 test images", capsys.readouterr().out)
    assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    out = capsys.readouterr().out
    names = {json.loads(line)["metric"] for line in out.splitlines()}
    assert {"digits_modes", "classifier_fid"} <= names
    assert main(["prepare", "ring-classifier"]) == 2
    assert "ring-classifier: source 'ring'" in capsys.readouterr().err


def test_prepare_command_prints_progress(mnist_root, quick_config, monkeypatch, capsys):
    """Without a terminal."""
    monkeypatch.setattr("iidgan.cli.progress.SECONDS_PER_LINE", -1.0)
    assert main(["prepare", "mnist-classifier", "--device", "cpu"]) == 0
    first_line, *_ = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"mnist-classifier: 1 of \d+ steps", first_line)
