"""`iidgan evaluate` of features, and `iidgan reference`, as a user runs them."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from iidgan.cli import main
from iidgan.features import Features, create_extractor
from iidgan.records import read_records
from iidgan.sample_sets import open_data, read_reference, write_reference
from iidgan.training.export import export_networks, load_networks
from iidgan.training.model import TrainedNetworks
from tests.helpers.cli import fail_command, print_help
from tests.helpers.extractors import make_images
from tests.helpers.sample_sets import make_model

PIXELS = ("--features", "pixels")


@pytest.fixture
def images(work_dir):
    """A working directory with real.npy, and with fake.npy, which repeats eight of these."""
    real = make_images(60, 8, 8)
    np.save("real.npy", real)
    np.save("fake.npy", np.repeat(real[:8], 5, axis=0))
    return work_dir


def evaluate_json(capsys, *arguments):
    capsys.readouterr()
    assert main(["evaluate", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["records"]


def values_by_name(records):
    return {record["metric"]: record["value"] for record in records}


def test_table_of_images(images, capsys):
    assert main(["evaluate", "fake.npy", "--reference", "real.npy", *PIXELS]) == 0
    captured = capsys.readouterr()
    for words in (
        "fd_pixels",
        "kd_pixels",
        "coverage",
        "95 % interval",
        "60 real and 40 generated",
    ):
        assert words in captured.out
    assert "fid" not in captured.out
    assert "40 samples for 3,072 dimensions" in captured.err
    assert "--num 40" in captured.err


def test_json_is_alone_on_standard_output(images, capsys):
    records = evaluate_json(
        capsys, "fake.npy", "--reference", "real.npy", *PIXELS, "--metrics", "prdc,birthday"
    )
    assert all(
        record.keys() == {"metric", "value", "low", "high", "protocol"} for record in records
    )
    values = values_by_name(records)
    assert values["precision"] == 1
    assert values["coverage"] < 0.6
    (coverage,) = (record for record in records if record["metric"] == "coverage")
    assert coverage["low"] <= coverage["value"] <= coverage["high"]
    assert coverage["protocol"]["extractor"] == "pixels"
    assert (coverage["protocol"]["num_real"], coverage["protocol"]["num_generated"]) == (60, 40)


def test_numbers_that_are_not_finite_are_null(work_dir, capsys):
    np.save("far.npy", 100 * np.arange(40.0).reshape(20, 2))
    records = evaluate_json(
        capsys, "far.npy", "--reference", "points.npy", "--metrics", "birthday"
    )
    by_name = {record["metric"]: record for record in records}
    assert by_name["support_size"]["value"] is by_name["support_size"]["high"] is None
    assert by_name["similar_pairs"]["low"] is None


def test_num_takes_equal_numbers(images, capsys):
    arguments = ["fake.npy", "--reference", "real.npy", *PIXELS, "--num", "30"]
    (record, *_) = evaluate_json(capsys, *arguments)
    assert (record["protocol"]["num_real"], record["protocol"]["num_generated"]) == (30, 30)


def test_size_resizes_both_sides(images, capsys):
    np.save("large.npy", make_images(40, 16, 16))
    arguments = ["large.npy", "--reference", "real.npy", *PIXELS, "--size", "8"]
    assert evaluate_json(capsys, *arguments)


def test_points_need_no_extractor(work_dir, capsys):
    np.save("shifted.npy", np.load("points.npy") + 3)
    records = evaluate_json(capsys, "shifted.npy", "--reference", "points.npy", "--metrics", "fd")
    assert values_by_name(records)["fd_points"] == pytest.approx(18, rel=1e-4)
    error = fail_command(
        capsys, "evaluate", "shifted.npy", "--reference", "points.npy", "--features", "random"
    )
    assert "points" in error


def test_records_are_appended(images, capsys):
    arguments = ["--reference", "real.npy", *PIXELS, "-n", "40", "--out", "records.jsonl"]
    np.save("other.npy", make_images(40, 8, 8, seed=1))
    for name in ("fake.npy", "other.npy", "fake.npy"):
        assert main(["evaluate", name, *arguments]) == 0
    records = [r for r in read_records("records.jsonl") if r.metric == "coverage"]
    assert {record.provenance["samples"] for record in records} == {"fake.npy", "other.npy"}
    assert len({record.run for record in records}) == len(records) == 2
    assert all(record.low <= record.value <= record.high for record in records)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--features", "random"), "extractor"),
        (("-n", "39"), "num_real"),
        (("--reference", "other.npy"), "real_sha256"),
    ],
)
def test_records_of_another_protocol_are_refused(images, capsys, options, field):
    np.save("other.npy", make_images(60, 8, 8, seed=1))
    arguments = ["evaluate", "fake.npy", "--metrics", "prdc", "--out", "records.jsonl"]
    assert main([*arguments, "--reference", "real.npy", *PIXELS, "-n", "40"]) == 0
    before = (images / "records.jsonl").read_text()
    given = dict(zip(*[iter(options)] * 2))
    all_options = {"--reference": "real.npy", "--features": "pixels", "-n": "40"} | given
    capsys.readouterr()
    assert main([*arguments, *(word for pair in all_options.items() for word in pair)]) == 2
    captured = capsys.readouterr()
    assert f"precision has {field}" in captured.err
    assert captured.out == ""
    assert (images / "records.jsonl").read_text() == before


def test_run_is_measured_for_all_seeds(trained_run, capsys):
    records = evaluate_json(capsys, "run", "--metrics", "prdc,fd", "-n", "60")
    assert [record["seed"] for record in records if record["metric"] == "coverage"] == [0, 1]
    stored = read_records(trained_run / "evaluations.jsonl")
    assert {record.metric for record in stored} >= {"coverage", "fd_points", "effective_rank"}
    assert {record.seed for record in stored} == {0, 1}
    assert {record.step for record in stored} == {8}
    assert [record.value for record in stored] == [record["value"] for record in records]
    assert all(record.low is not None for record in stored if record.metric == "coverage")


def test_table_of_a_run_has_the_deviation_over_seeds(trained_run, capsys):
    capsys.readouterr()
    assert main(["evaluate", "run", "--metrics", "prdc", "-n", "60"]) == 0
    assert "std of 2 seeds" in capsys.readouterr().out
    assert main(["evaluate", "run", "--metrics", "prdc", "-n", "60", "--seed", "1"]) == 0
    assert "95 % interval" in capsys.readouterr().out
    error = fail_command(capsys, "evaluate", "run", "--metrics", "prdc", "--seed", "7")
    assert "seed: 7" in error


def test_seeds_that_diverged_are_left_out(trained_run, capsys):
    mark_diverged(trained_run, [4, -1])
    records = evaluate_json(capsys, "run", "--metrics", "prdc", "-n", "60")
    assert {record["seed"] for record in records} == {1}
    mark_diverged(trained_run, [4, 4])
    assert "every seed" in fail_command(capsys, "evaluate", "run", "--metrics", "prdc")


def mark_diverged(run_path, diverged):
    networks = load_networks(run_path)
    point = replace(networks.point, diverged=diverged)
    export_networks(run_path / "generator", replace(networks, point=point))


def test_exported_generator_of_images(images, capsys):
    model = make_model((1, 8, 8))
    export_networks(images / "generator", TrainedNetworks(model.point, model.shape, model.nets))
    arguments = ["generator", *PIXELS, "--metrics", "prdc", "-n", "30"]
    records = evaluate_json(capsys, *arguments, "--reference", "real.npy")
    assert {record["seed"] for record in records} == {0}
    assert records[0]["protocol"]["num_generated"] == 30
    assert not list(images.rglob("*.jsonl"))


def test_run_against_other_data(trained_run, capsys):
    np.save("other.npy", np.load("points.npy") + 100)
    arguments = ["run", "--metrics", "prdc", "-n", "60", "--reference", "other.npy", "--seed", "0"]
    assert values_by_name(evaluate_json(capsys, *arguments))["coverage"] == 0


def test_run_without_options_of_features_is_measured_as_before(trained_run, capsys):
    capsys.readouterr()
    assert main(["evaluate", "run", "-n", "50", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["metric"] for line in lines} >= {"shapiro_wilk", "ks"}
    assert all(line.keys().isdisjoint({"low", "high"}) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fake.npy", *PIXELS), ["reference", "--reference"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--metrics", "prcd"), ["'prdc'"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--metrics", ""), ["metrics"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--metrics", "fid"), ["--metrics fd"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--metrics", "is"), ["classes"]),
        (("fake.npy", "--reference", "real.npy", "--features", "pixel"), ["'pixels'"]),
        (("fake.npy", "--reference", "nosuch", *PIXELS), ["nosuch"]),
        (("nosuch", "--reference", "real.npy", *PIXELS), ["nosuch"]),
        (("fake.npy", "--reference", "points.npy", *PIXELS), ["points"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--num", "0"), ["num"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--seed", "1"), ["seed"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--out", "a.csv"), ["out", ".jsonl"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--source.path", "a"), ["source.path"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--metric", "digits"), ["metric"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--root", "a"), ["root"]),
        (("fake.npy", "--reference", "real.npy", *PIXELS, "--num", "3"), ["at least 6"]),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else "",
)
def test_bad_input_is_refused_and_nothing_written(images, capsys, arguments, words):
    before = sorted(images.iterdir())
    error = fail_command(capsys, "evaluate", *arguments)
    assert all(word in error for word in words)
    assert sorted(images.iterdir()) == before


def test_root_without_reference_is_refused(trained_run, capsys):
    error = fail_command(capsys, "evaluate", "run", "--metrics", "prdc", "--root", "elsewhere")
    assert "root" in error


def test_reference_file_gives_the_scores_of_its_data(images, capsys):
    assert main(["reference", "real.npy", *PIXELS, "--out", "stats.safetensors"]) == 0
    assert "stats.safetensors: 60 of 60 samples" in capsys.readouterr().out
    records = [
        evaluate_json(capsys, "fake.npy", "--reference", reference, *PIXELS)
        for reference in ("real.npy", "stats.safetensors")
    ]
    assert records[0] == records[1]


def test_reference_of_a_part(images, capsys):
    arguments = ["reference", "real.npy", *PIXELS, "--size", "4", "-n", "20"]
    assert main([*arguments, "--out", "stats.safetensors"]) == 0
    assert "20 of 60 samples" in capsys.readouterr().out
    reference = read_reference("stats.safetensors")
    assert isinstance(reference.features, Features)
    assert reference.take([0]).shape == (1, 1, 4, 4)


def test_reference_of_points_and_of_a_source(work_dir, capsys):
    for data in ("points.npy", "ring"):
        assert main(["reference", data, "-n", "50", "--out", "stats.safetensors"]) == 0
        assert read_reference("stats.safetensors").features.values.shape == (50, 2)
    assert "mode" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("real.npy", "--out", "stats.npz", *PIXELS), ["out", ".safetensors"]),
        (("real.npy", "--out", "stats.safetensors", "--features", "pixel"), ["'pixels'"]),
        (("real.npy", "--out", "stats.safetensors", *PIXELS, "-n", "0"), ["num"]),
        (("nosuch", "--out", "stats.safetensors", *PIXELS), ["nosuch"]),
        (("points.npy", "--out", "stats.safetensors", *PIXELS), ["features", "points"]),
        (("real.npy", *PIXELS), ["--out"]),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, tuple) else "",
)
def test_reference_of_bad_input_is_refused(images, capsys, arguments, words):
    before = sorted(images.iterdir())
    error = fail_command(capsys, "reference", *arguments)
    assert all(word in error for word in words)
    assert sorted(images.iterdir()) == before


def test_reference_of_other_features_is_refused(images, capsys):
    assert main(["reference", "real.npy", *PIXELS, "--out", "stats.safetensors"]) == 0
    arguments = ["evaluate", "fake.npy", "--reference", "stats.safetensors"]
    error = fail_command(capsys, *arguments, "--features", "random")
    assert "stats.safetensors" in error
    assert "extractor" in error


def test_class_coverage_of_labels_in_a_reference(images, capsys):
    samples = replace(open_data("real.npy"), labels=torch.arange(60) // 30, label_names=("a", "b"))
    write_reference("stats.safetensors", samples, create_extractor("pixels"))
    arguments = ["--reference", "stats.safetensors", *PIXELS, "--metrics", "class-coverage"]
    values = values_by_name(evaluate_json(capsys, "fake.npy", *arguments))
    assert values["class_coverage_a"] > values["class_coverage_b"]
    assert not math.isnan(values["class_coverage_b"])


def test_help_names_the_options_of_features(capsys):
    text = print_help(capsys, "evaluate")
    for flag in ("--reference", "--metrics", "--features", "--size", "--seed", "--out"):
        assert flag in text
    assert "--out" in print_help(capsys, "reference")


def test_list_shows_metrics_of_features(capsys):
    assert main(["list", "feature-metrics"]) == 0
    listed = capsys.readouterr().out
    assert "prdc" in listed
    assert "ms-ssim" in listed
