"""Laws of every metric of features, and what single ones say of generators that fail."""

import math
from dataclasses import asdict, replace
from hashlib import sha256

import pytest
import torch
from torch import nn

from iidgan.evaluation.feature_metrics import (
    DEFAULT_METRICS,
    FEATURE_METRICS,
    FeaturePair,
    check_suited,
    compute_scores,
    find_feature_metric,
)
from iidgan.evaluation.feature_metrics.base import NUM_PARTS
from iidgan.evaluation.feature_metrics.classes import SimilarityMetric, compute_logits
from iidgan.evaluation.feature_metrics.moments import KernelDistanceMetric
from iidgan.evaluation.feature_metrics.neighbours import BirthdayMetric, PRDCMetric
from iidgan.features import Features
from iidgan.metrics import (
    bin_scores,
    class_coverage,
    clipped_density_and_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    memorisation,
    mode_score,
    prdc,
    prdc_indicators,
    retrieval_score,
    vendi_score,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.feature_pairs import (
    LABEL_NAMES,
    NUM_CLASSES,
    PROTOCOL,
    draw_classes,
    make_failing_pairs,
    make_full_pair,
    make_pair,
)

PAIRS = make_failing_pairs()
SUITED_METRICS = {
    name: metric for name, metric in FEATURE_METRICS.items() if name not in ("fid", "kid")
}
UNBOUNDED_METRICS = {"support_size"}
"""Values that are infinite if no two samples are alike."""


def values_of(name, pair):
    return {score.metric: score.value for score in FEATURE_METRICS[name].compute(pair)}


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("name", SUITED_METRICS)
def test_scores_are_finite_within_their_interval(name, case):
    metric, pair = FEATURE_METRICS[name], PAIRS[case]
    assert metric.missing(pair) is None
    scores = metric.compute(pair)
    assert scores
    assert len({score.metric for score in scores}) == len(scores)
    for score in scores:
        assert math.isfinite(score.value) or score.metric in UNBOUNDED_METRICS
        assert math.isnan(score.low) == math.isnan(score.high) == ("level" not in score.protocol)
        assert not score.low > score.value
        assert not score.high < score.value


@pytest.mark.parametrize("name", SUITED_METRICS)
def test_protocol_names_all_that_values_depend_on(name):
    metric, pair = FEATURE_METRICS[name], PAIRS["fewer"]
    for score in metric.compute(pair):
        assert score.protocol.items() >= {**pair.protocol(), **asdict(metric)}.items()
        assert (score.protocol["num_real"], score.protocol["num_generated"]) == (120, 12)
        assert score.protocol["input_size"] == "64 x 64"
        assert score.protocol["real_sha256"] == sha256(pair.real.values.numpy().data).hexdigest()
        assert isinstance(score.protocol["interval"], str)
        assert all(isinstance(value, str | int | float) for value in score.protocol.values())


@pytest.mark.parametrize("name", SUITED_METRICS)
def test_protocol_does_not_depend_on_the_generator(name):
    protocols = [
        [score.protocol for score in FEATURE_METRICS[name].compute(PAIRS[case])]
        for case in ("equal", "collapsed", "half missing")
    ]
    assert protocols[0] == protocols[1] == protocols[2]


@pytest.mark.parametrize("name", SUITED_METRICS)
def test_constant_features_have_values(name):
    constant = torch.ones(120, 6)
    pair = make_full_pair(constant, constant, torch.zeros(120, dtype=torch.int64))
    for score in FEATURE_METRICS[name].compute(pair):
        assert math.isfinite(score.value), score.metric


@pytest.mark.parametrize("name", SUITED_METRICS)
def test_scores_have_their_own_generators(name):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = FEATURE_METRICS[name].compute(PAIRS["good"])
    assert torch.get_rng_state().equal(state)
    again = FEATURE_METRICS[name].compute(PAIRS["good"])
    assert [score.value for score in first] == [score.value for score in again]


def test_names_of_values_are_unique():
    names = [score.metric for name in SUITED_METRICS for score in compute(name, "good")]
    assert len(set(names)) == len(names)


def compute(name, case):
    return FEATURE_METRICS[name].compute(PAIRS[case])


@pytest.mark.parametrize(
    ("name", "value", "better", "worse"),
    [
        ("fd", "fd_random", "good", "half missing"),
        ("fd", "fd_random", "half missing", "one class"),
        ("kd", "kd_random", "good", "half missing"),
        ("kd", "kd_random", "half missing", "off the data"),
        ("is", "is_random", "good", "half missing"),
        ("is", "is_random", "half missing", "collapsed"),
        ("mode-score", "mode_score", "good", "one class"),
        ("jsd", "js_divergence", "good", "half missing"),
        ("jsd", "different_bins", "good", "collapsed"),
        ("prdc", "coverage", "good", "half missing"),
        ("prdc", "coverage", "half missing", "collapsed"),
        ("prdc", "recall", "good", "one class"),
        ("prdc", "precision", "half missing", "off the data"),
        ("prdc", "density", "half missing", "off the data"),
        ("clipped", "clipped_coverage", "good", "half missing"),
        ("clipped", "clipped_density", "half missing", "off the data"),
        ("irs", "irs", "good", "half missing"),
        ("irs", "irs", "half missing", "collapsed"),
        ("vendi", "vendi", "good", "half missing"),
        ("memorisation", "authenticity", "good", "equal"),
        ("memorisation", "copy_ratio", "good", "equal"),
        ("birthday", "support_size", "good", "collapsed"),
    ],
)
def test_order_of_generators(name, value, better, worse):
    is_distance = value in ("fd_random", "kd_random", "js_divergence", "different_bins")
    better_value, worse_value = (values_of(name, PAIRS[case])[value] for case in (better, worse))
    assert better_value < worse_value if is_distance else better_value > worse_value


def test_values_are_those_of_the_functions():
    pair = PAIRS["half missing"]
    real, fake = pair.real.values, pair.fake.values
    logits = [compute_logits(pair.head, values) for values in (real, fake)]
    expected = {
        "fd": [frechet_distance(real, fake)],
        "kd": [kernel_distance(real, fake, subset_size=None).mean],
        "is": [inception_score(logits[1], "logits").mean],
        "mode-score": [*mode_score(*logits, "logits")],
        "jsd": [*bin_scores(real, fake)][::-1],
        "prdc": [*prdc(real, fake)],
        "clipped": [*clipped_density_and_coverage(real, fake)],
        "irs": [retrieval_score(real, fake).estimate, retrieval_score(real, fake).retrieved],
        "vendi": [vendi_score(fake), vendi_score(real)],
        "memorisation": [*memorisation(real, fake)],
        "class-coverage": class_coverage(
            prdc_indicators(real, fake).coverage, pair.real_labels, NUM_CLASSES
        ),
    }
    for name, values in expected.items():
        scores = FEATURE_METRICS[name].compute(pair)
        assert [score.value for score in scores][: len(values)] == pytest.approx(
            [float(value) for value in values], rel=1e-12
        )


def test_kernel_distance_has_subsets_for_all_samples():
    pair = PAIRS["half missing"]
    metric = KernelDistanceMetric(subset_size=50)  # 2 * 120 / 50
    expected = kernel_distance(pair.real.values, pair.fake.values, subset_size=50, num_subsets=5)
    assert metric.compute(pair)[0].value == pytest.approx(float(expected.mean), rel=1e-12)


def test_class_coverage_shows_missing_classes():
    values = values_of("class-coverage", PAIRS["half missing"])
    assert list(values) == [f"class_coverage_{name}" for name in LABEL_NAMES]
    coverage = list(values.values())
    assert min(coverage[:2]) > 0.5
    assert max(coverage[2:]) == 0


def test_class_coverage_leaves_out_samples_without_label():
    pair = replace(PAIRS["good"], real_labels=torch.where(torch.arange(120) < 60, 7, -1))
    assert list(values_of("class-coverage", pair)) == ["class_coverage_7"]


def test_fd_is_fid_on_inception_alone():
    real, fake = (draw_classes(120, seed=seed)[0] for seed in (0, 1))
    inception = make_pair(real, fake, extractor="inception")
    names = {score.metric for score in compute_scores(["fd", "fid", "kd", "kid"], inception)}
    assert names == {"fid", "kid", "effective_rank"}
    for extractor, name in {
        "efficientnet-lite0": "fd_efficientnet_lite0",
        "mnist-classifier": "fd_mnist_classifier",
        "my.nets:Net": "fd_my_nets_Net",
        "points": "fd_points",
    }.items():
        assert name in values_of("fd", make_pair(real, fake, extractor=extractor))


@pytest.mark.parametrize(("name", "other"), [("fid", "fd"), ("kid", "kd")])
def test_fid_of_other_features_is_refused(name, other):
    with raises_input_error("metrics", f"--metrics {other}", "--features inception", "random"):
        compute_scores([name], PAIRS["good"])
    with raises_input_error("metrics", f"--metrics {other}"):
        check_suited([name], "random", None)
    check_suited([name], "inception", None)


def test_fewer_samples_than_dimensions_are_noted():
    real, fake = torch.randn(6, 6), torch.randn(40, 6)
    (note,) = FEATURE_METRICS["fd"].notes(make_pair(real, fake))
    assert "fd_random: 6 samples for 6 dimensions" in note
    assert FEATURE_METRICS["fd"].notes(make_pair(torch.randn(7, 6), fake)) == []


def test_few_samples_have_no_interval():
    num = NUM_PARTS * 2 - 1
    pair = make_pair(draw_classes(num)[0], draw_classes(num, seed=1)[0])
    scores = [score for name in ("fd", "kd", "vendi") for score in compute_scores([name], pair)]
    assert all(math.isnan(score.low) for score in scores)
    assert {score.protocol["interval"] for score in scores} == {"none"}


@pytest.mark.parametrize(
    ("name", "num", "words"),
    [
        ("prdc", 5, ["6", "5"]),
        ("clipped", 5, ["6"]),
        ("class-coverage", 5, ["6"]),
        ("fd", 1, ["2"]),
        ("memorisation", 1, ["2"]),
        ("jsd", 99, ["100", "99"]),
        ("ms-ssim", 4, ["4"]),
    ],
)
def test_too_few_samples_are_refused(name, num, words):
    real, labels = draw_classes(num)
    pair = make_full_pair(real, draw_classes(num, seed=1)[0], labels)
    assert all(word in FEATURE_METRICS[name].missing(pair) for word in words)
    with raises_input_error("metrics", name, *words):
        compute_scores([name], pair)


@pytest.mark.parametrize("name", ["is", "mode-score", "ms-ssim"])
def test_features_without_classes_are_refused(name):
    with raises_input_error("metrics", name, "classes", "NAME-classifier"):
        compute_scores([name], replace(PAIRS["good"], head=None))


def test_class_coverage_needs_labels():
    for labels in (None, torch.full((120,), -1)):
        with raises_input_error("metrics", "class-coverage", "labels"):
            compute_scores(["class-coverage"], replace(PAIRS["good"], real_labels=labels))


def test_ms_ssim_of_equal_images():
    pair = replace(
        PAIRS["good"], take_fake=lambda positions: torch.zeros(len(positions), 1, 12, 12)
    )
    (score,) = FEATURE_METRICS["ms-ssim"].compute(pair)
    assert score.value == 1
    assert SimilarityMetric(num_images=10).compute(pair)[0].protocol["num_images"] == 10


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"head": nn.Linear(6, 1000)}, "1,000"),
        ({"take_fake": None}, "images"),
        ({"take_fake": lambda positions: torch.zeros(1, 1, 8, 12)}, "11"),
        ({"take_fake": lambda positions: torch.zeros(1, 2)}, "11"),
    ],
)
def test_ms_ssim_needs_images_of_few_classes(changes, words):
    with raises_input_error("metrics", "ms-ssim", words):
        compute_scores(["ms-ssim"], replace(PAIRS["good"], **changes))


def test_birthday_of_real_samples_is_about_its_expectation():
    real, fake = (draw_classes(1000, seed=seed)[0] for seed in (0, 1))
    metric = BirthdayMetric(quantile=0.1)
    sizes = metric.compute(make_pair(real, fake))
    assert sizes[0].value == pytest.approx(1000 / 0.1, rel=0.5)
    with raises_input_error("quantile", "2"):
        BirthdayMetric(quantile=2.0)


def test_options_are_checked():
    with raises_input_error("k", "few"):
        PRDCMetric(k="few")
    with raises_input_error("k", "0"):
        PRDCMetric(k=0).compute(PAIRS["good"])


def test_unknown_name_is_refused():
    with raises_input_error("metrics", "'prcd'", "'prdc'"):
        find_feature_metric("prcd")
    with raises_input_error("metrics", "'prcd'"):
        compute_scores(["prcd"], PAIRS["good"])
    assert set(DEFAULT_METRICS) < set(FEATURE_METRICS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extractor": "pixels"}, ["extractor", "pixels"]),
        ({"weights": "cd"}, ["weights", "cd"]),
        ({"input_size": (32, 32)}, ["input_size"]),
        ({"value_range": (0.0, 1.0)}, ["value_range"]),
    ],
)
def test_pairs_of_other_protocols_are_refused(changes, words):
    features, _ = draw_classes(20)
    real, fake = Features(features, PROTOCOL), Features(features, replace(PROTOCOL, **changes))
    with raises_input_error("generated samples", *words):
        FeaturePair(real, fake)


def test_invalid_pairs_are_refused():
    features, labels = draw_classes(20)
    damaged = features.clone()
    damaged[3, 2] = math.inf
    with raises_input_error("generated samples", "finite"):
        make_pair(features, damaged)
    with raises_input_error("real samples", "finite"):
        make_pair(damaged, features)
    with raises_input_error("real samples", "none"):
        make_pair(features[:0], features)
    with raises_input_error("labels", "(20,)", "(5,)"):
        make_pair(features, features, real_labels=labels[:5])


def test_neighbours_of_a_pair_are_computed_once():
    pair = replace(PAIRS["good"])
    assert pair.prdc_indicators(5) is pair.prdc_indicators(5)
    assert pair.prdc_indicators(3) is not pair.prdc_indicators(5)
