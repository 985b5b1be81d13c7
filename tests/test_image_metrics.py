"""Laws and known answers of the metrics of images, on given predictions and features."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from iidgan.core import Features, Judged, Samples
from iidgan.errors import InputError
from iidgan.functional import frechet, histogram
from iidgan.metrics import METRICS, ClassifierFID, Digits, Stacked
from iidgan.testing import check_metric

PROTOCOL = {"extractor": "mnist-classifier", "weights": "f00", "resize": "none"}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def seen(classes, confidences=None, vectors=None):
    """Features of given classes (..., N, V), sure of all unless told otherwise."""
    classes = torch.as_tensor(classes)
    return Features(
        classes,
        torch.ones(classes.shape) if confidences is None else torch.as_tensor(confidences),
        torch.zeros(*classes.shape[:-1], 2) if vectors is None else vectors,
    )


def judged(generated, real, classes=10, **fields):
    nothing = torch.zeros(len(generated.classes), 1, 1, 8, 8)
    found = Judged(generated, real, classes, PROTOCOL)
    return Samples(nothing, nothing[0], judged=found, **fields)


def of_vectors(x, y):
    """Samples of features: generated (S, n, D), real (m, D)."""
    none_x, none_y = (torch.zeros(*v.shape[:-1], 1, dtype=torch.int64) for v in (x, y))
    return judged(seen(none_x, vectors=x), seen(none_y, vectors=y))


EVEN = seen(torch.arange(10).repeat(100)[:, None])
"""A thousand real digits, all of them good."""


# Histograms


def test_kl_between_histograms_by_hand():
    counts, reference = torch.tensor([3, 1, 0]), torch.tensor([1, 4, 0])
    q = [1.5 / 6.5, 4.5 / 6.5, 0.5 / 6.5]
    expected = 0.75 * math.log(0.75 / q[0]) + 0.25 * math.log(0.25 / q[1])
    assert histogram.kl(counts, reference).item() == pytest.approx(expected, abs=1e-14)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12))
def test_kl_is_that_of_scipy_and_never_negative(pairs):
    counts, reference = (torch.tensor(side) for side in zip(*pairs))
    value = histogram.kl(counts, reference).item()
    if not counts.any() or not reference.any():
        assert math.isnan(value)
    else:
        expected = stats.entropy(counts.numpy(), reference.numpy() + 0.5)
        assert value == pytest.approx(expected, abs=1e-12)
        assert value > -1e-12


@pytest.mark.parametrize(("bins", "num", "sets"), [(1000, 26_000, 400), (25, 100, 4000)])
def test_the_floor_is_what_uniform_samples_give(bins, num, sets):
    generator = seeded()
    found = torch.cat(
        [
            histogram.kl_to_uniform(
                histogram.count(torch.randint(bins, (sets // 20, num), generator=generator), bins)
            )
            for _ in range(20)
        ]
    )
    error = found.std().item() / math.sqrt(sets)
    assert abs(found.mean().item() - histogram.kl_floor(bins, num)) < 4 * error
    assert error < 0.01 * histogram.kl_floor(bins, num)


def test_the_floor_by_hand_and_to_first_order():
    assert histogram.kl_floor(1000, 26_000) == pytest.approx(0.01934, abs=5e-6)
    assert histogram.kl_floor(10, 1) == pytest.approx(math.log(10))
    assert histogram.kl_floor(1, 50) == 0
    # Two samples in two bins: equal or not with a half each.
    assert histogram.kl_floor(2, 2) == pytest.approx(math.log(2) / 2)
    assert histogram.kl_floor(8, 10**6) == pytest.approx(7 / 2e6, rel=1e-4)


# The Frechet distance


def reference_distance(x, y):
    """The textbook formula, by scipy's square root of a matrix."""
    x, y = x.numpy(), y.numpy()
    a, b = np.cov(x.T), np.cov(y.T)
    apart = np.square(x.mean(0) - y.mean(0)).sum()
    return apart + np.trace(a) + np.trace(b) - 2 * np.trace(linalg.sqrtm(a @ b)).real


def test_the_distance_is_that_of_the_matrix_square_root():
    x = normal(3, 200, 6) @ normal(6, 6, seed=1) + normal(6, seed=2)
    y = normal(150, 6, seed=3) @ normal(6, 6, seed=4)
    found = frechet.distance(x, y)
    for seed in range(3):
        assert found[seed].item() == pytest.approx(reference_distance(x[seed], y), rel=1e-9)


def exact(num, mean, std, seed=0):
    """Vectors whose mean and covariance diag(std^2) are exact."""
    mean, std = torch.tensor(mean, dtype=torch.float64), torch.tensor(std, dtype=torch.float64)
    basis = torch.linalg.qr(normal(num, len(mean) + 1, seed=seed) + 0)[0]
    basis = torch.linalg.qr(torch.cat([torch.ones(num, 1).double(), basis[:, 1:]], 1))[0][:, 1:]
    return mean + basis * math.sqrt(num - 1) * std


def test_known_distances():
    x, y = exact(50, [1, 2, 3], [1, 2, 0.5])[None], exact(40, [0, 2, 5], [3, 2, 0], seed=1)
    assert frechet.distance(x, x[0]).item() == pytest.approx(0, abs=1e-12)
    shifted = x + torch.tensor([3.0, 0, 4])
    assert frechet.distance(shifted, x[0]).item() == pytest.approx(25)
    # Diagonal covariances: squared differences of means and of standard deviations.
    expected = (1 + 0 + 4) + (4 + 0 + 0.25)
    assert frechet.distance(x, y).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("num", [2, 5, 12])
def test_covariances_of_any_rank_are_fine(num):
    x, y = normal(1, num, 12), normal(7, 12, seed=1)
    assert frechet.distance(x, x[0]).item() == pytest.approx(0, abs=1e-9)
    # Of singular covariances the square root is computed from the vectors themselves.
    a, b = ((v - v.mean(0)).numpy() / math.sqrt(len(v) - 1) for v in (x[0], y))
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    apart = np.square(x[0].numpy().mean(0) - y.numpy().mean(0)).sum()
    expected = apart + np.square(a).sum() + np.square(b).sum() - 2 * shared
    assert frechet.distance(x, y).item() == pytest.approx(expected, abs=1e-6)
    still = torch.ones(1, num, 12).double()
    expected = np.square(1 - y.numpy().mean(0)).sum() + np.trace(np.cov(y.numpy().T))
    assert frechet.distance(still, y).item() == pytest.approx(expected)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 30), st.integers(2, 30), st.integers(1, 9))
def test_the_distance_is_symmetric_never_negative_and_turns_with_the_space(seed, n, m, dim):
    x, y = normal(1, n, dim, seed=seed), normal(m, dim, seed=seed + 1)
    value = frechet.distance(x, y).item()
    assert value >= 0
    # Where a covariance is singular, roots of its eigenvalues are rounded by that of the epsilon.
    close = 1e-7 if min(n, m) > dim else 1e-6
    assert frechet.distance(y[None], x[0]).item() == pytest.approx(value, abs=close)
    turn = torch.linalg.qr(normal(dim, dim, seed=seed + 2)).Q
    assert frechet.distance(x @ turn, y @ turn).item() == pytest.approx(value, abs=close)


def test_vectors_that_are_not_finite_concern_their_seed_alone():
    x, y = normal(3, 9, 2), normal(9, 2, seed=1)
    x[1, 0, 0] = torch.inf
    assert frechet.distance(x, y).isfinite().tolist() == [True, False, True]
    assert frechet.distance(x[:1], x[1]).isnan().all()


def test_classifier_fid_reads_float32_features():
    x, y = normal(2, 60, 4).float(), (1 + normal(50, 4, seed=1)).float()
    found = ClassifierFID()(of_vectors(x, y))
    assert torch.equal(found["classifier_fid"], frechet.distance(x.double(), y.double()))
    protocol = ClassifierFID().protocol(of_vectors(x, y))
    assert protocol == PROTOCOL | {"features": 4, "num_generated": 60, "num_real": 50}


# Digits


def test_digits_by_hand():
    classes = torch.tensor([0] * 60 + [1] * 25 + [2] * 15)
    confidences = torch.cat([torch.full((85,), 0.75), torch.full((15,), 0.7499)])
    generated = seen(classes[None, :, None], confidences[None, :, None])
    found = Digits()(judged(generated, EVEN))
    assert found["digits_modes"].tolist() == [2]
    assert found["digits_bad"].tolist() == [15]
    assert found["digits_bad_real"].tolist() == [0]
    q = [100.5 / 1005.5] * 10 + [0.5 / 1005.5]
    p = [0.6, 0.25, *[0] * 8, 0.15]
    expected = sum(a * math.log(a / b) for a, b in zip(p, q) if a)
    assert found["digits_kl"].item() == pytest.approx(expected)
    smooth = [60.5, 25.5, *[0.5] * 8, 15.5]
    reverse = sum(0.1 * math.log(0.1 / (n / 105.5)) for n in smooth[:10])
    assert found["digits_kl_reverse"].item() == pytest.approx(reverse)


def test_a_class_is_covered_from_its_share_on():
    classes = torch.tensor([0] * 970 + [1] * 20 + [2] * 10)[None, :, None]
    for share, modes in [(0.01, 3), (0.0101, 2), (0.0201, 1)]:
        found = Digits(share=share)(judged(seen(classes), EVEN))
        assert found["digits_modes"].tolist() == [modes]


def test_the_real_images_themselves_are_at_no_distance():
    confidences = torch.linspace(0.5, 1, 1000)[:, None]
    real = seen(EVEN.classes, confidences)
    generated = seen(EVEN.classes[None], confidences[None])
    found = Digits()(judged(generated, real))
    assert found["digits_modes"].tolist() == [10]
    assert found["digits_bad"].tolist() == found["digits_bad_real"].tolist() == [50]
    assert 0 <= found["digits_kl"].item() < 1e-4
    assert 0 <= found["digits_kl_reverse"].item() < 1e-4


def test_samples_that_are_not_finite_are_bad():
    generated = seen(torch.full((1, 50, 1), -1), torch.zeros(1, 50, 1))
    found = Digits()(judged(generated, EVEN))
    assert found["digits_bad"].tolist() == [100]
    assert found["digits_modes"].tolist() == [0]
    assert found["digits_kl"].isfinite().all()


# Stacked images


def stacked(triples, labels=None, classes=10):
    triples = torch.as_tensor(triples)
    return judged(seen(triples), seen(triples[0]), classes, labels=labels)


def test_every_triple_is_a_mode_of_its_own():
    every = torch.cartesian_prod(*[torch.arange(10)] * 3)
    found = Stacked()(stacked(every[None], labels=torch.arange(1000)))
    assert found["stacked_modes"].tolist() == [1000]
    assert found["stacked_kl"].item() == pytest.approx(0, abs=1e-12)
    assert found["stacked_kl_train"].item() == pytest.approx(0, abs=1e-12)
    assert found["stacked_kl_floor"].item() == histogram.kl_floor(1000, 1000)


def test_the_first_channel_counts_most_as_in_the_labels():
    triples = torch.tensor([[3, 1, 4]]).repeat(20, 1)[None]
    same = Stacked()(stacked(triples, labels=torch.full((10**6,), 314)))
    other = Stacked()(stacked(triples, labels=torch.full((10**6,), 413)))
    assert same["stacked_kl"].item() == pytest.approx(math.log(1000))
    assert same["stacked_kl_train"].item() < 0.001
    assert other["stacked_kl_train"].item() > 10


def test_stacked_by_hand():
    triples = torch.tensor([[0, 0, 0], [0, 0, 0], [0, 1, 0], [-1, 0, 0]])[None]
    labels = torch.tensor([0, 2, 3])
    found = Stacked()(stacked(triples, labels, classes=2))
    assert found["stacked_modes"].tolist() == [2]
    p = {0: 2 / 3, 2: 1 / 3}
    to_uniform = sum(a * math.log(8 * a) for a in p.values())
    assert found["stacked_kl"].item() == pytest.approx(to_uniform)
    to_train = sum(a * math.log(a / (1.5 / 7)) for a in p.values())
    assert found["stacked_kl_train"].item() == pytest.approx(to_train)
    protocol = Stacked().protocol(stacked(triples, labels, classes=2))
    assert (protocol["num_modes"], protocol["num_train"], protocol["num_generated"]) == (8, 3, 4)


def test_without_labels_there_is_no_divergence_from_them():
    samples = stacked(torch.zeros(1, 4, 3, dtype=torch.int64))
    assert "stacked_kl_train" not in Stacked()(samples)
    assert "num_train" not in Stacked().protocol(samples)


def test_a_generator_whose_samples_are_all_not_finite_has_no_histogram():
    found = Stacked()(stacked(torch.full((1, 9, 3), -1)))
    assert found["stacked_modes"].tolist() == [0]
    assert found["stacked_kl"].isnan().all()


def test_labels_of_more_modes_than_there_are_is_an_error():
    samples = stacked(torch.zeros(1, 4, 3, dtype=torch.int64), torch.tensor([1000]))
    with pytest.raises(InputError, match="a label 1000; the classifier tells the modes 0 to 999"):
        Stacked()(samples)


# The contract


def typical(views):
    classes = torch.randint(10, (3, 300, views), generator=seeded())
    confidences = 1 - 0.4 * torch.rand(3, 300, views, generator=seeded(1))
    generated = seen(classes, confidences, normal(3, 300, 5).float())
    real = seen(classes[0], confidences[1], normal(300, 5, seed=1).float())
    labels = torch.randint(10**views, (500,), generator=seeded(2))
    return judged(generated, real, labels=labels)


@pytest.mark.parametrize(
    ("name", "views"),
    [("digits", 1), ("stacked", 3), ("classifier-fid", 1), ("classifier-fid", 3)],
)
def test_contract(name, views):
    samples = typical(views)
    metric = METRICS[name]()
    check_metric(metric, samples)
    assert all(value.isfinite().all() for value in metric(samples).values())
    protocol = metric.protocol(samples)
    assert json.loads(json.dumps(dict(protocol))) == protocol
    assert protocol.keys() >= PROTOCOL.keys() | vars(metric).keys() | {"num_generated"}
    assert all(protocol[key] == value for key, value in PROTOCOL.items())


@pytest.mark.parametrize("name", ["digits", "stacked", "classifier-fid"])
def test_without_a_classifier_the_metric_says_what_brings_one(name):
    hint = "a classifier of mnist: `iidgan prepare mnist-classifier` makes it"
    samples = replace(typical(1), judged=None, unjudged=hint)
    assert METRICS[name]().missing(samples) == hint
    with pytest.raises(InputError, match="the samples lack a classifier of mnist"):
        METRICS[name]()(samples)


@pytest.mark.parametrize(
    ("metric", "samples", "message"),
    [
        (Digits(), typical(3), "images of one class; they are 3 stacked ones"),
        (Stacked(), typical(1), "stacked images; these have one class"),
        (ClassifierFID(), of_vectors(normal(2, 1, 3), normal(5, 3)), "two samples on either side"),
    ],
)
def test_what_is_missing_is_named(metric, samples, message):
    assert message in metric.missing(samples)
    with pytest.raises(InputError, match=message):
        metric(samples)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Digits(confidence=0.0), "confidence: 0.0 is no share"),
        (lambda: Digits(confidence=75), "confidence: 75"),
        (lambda: Digits(share=math.nan), "share: nan"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
