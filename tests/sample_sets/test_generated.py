"""Samples of trained generators."""

import numpy as np
import pytest
import torch

from iidgan.methods import MADGAN
from iidgan.sample_sets import generated, open_samples
from tests.helpers.errors import raises_input_error
from tests.helpers.sample_sets import make_model, read_all


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    for module in ("sample_sets.generated", "engine.inference"):
        monkeypatch.setattr(f"iidgan.{module}.CHUNK_SIZE", 16)


def to_bytes(samples):
    return ((samples.double().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def test_images_are_those_of_the_model():
    model = make_model()
    samples = open_samples(model, num=50)
    assert (samples.name, samples.num_samples, samples.shape) == ("samples", 50, (1, 8, 8))
    assert samples.notes == ("50 samples of seed 0 at step 0",)
    assert model.sample(50).abs().max() > 1  # values outside of the range are clipped
    expected = to_bytes(model.sample(50))
    assert read_all(samples).equal(expected)
    assert torch.cat(list(samples.iterate([3, 17, 49]))).equal(expected[[3, 17, 49]])
    assert samples.take([17, 3]).equal(expected[[17, 3]])


def test_points_are_those_of_the_model():
    model = make_model(shape=(2,))
    samples = open_samples(model, num=50)
    assert read_all(samples).equal(model.sample(50))
    assert samples.take([30]).equal(model.sample(50)[[30]])


def test_parts_have_samples_of_all_generators():
    samples = open_samples(make_model(method=MADGAN(generators=3)), num=50)
    expected = read_all(samples)
    fresh = open_samples(make_model(method=MADGAN(generators=3)), num=50)
    assert fresh.take([17, 18, 19]).equal(expected[[17, 18, 19]])


def test_chunks_are_generated_once(monkeypatch):
    model = make_model()
    calls, generate = [], model.generate
    monkeypatch.setattr(model, "generate", lambda z: calls.append(len(z)) or generate(z))
    samples = open_samples(model, num=50)
    for _ in range(2):
        samples.take([20])
        samples.take([3, 20])
    assert calls == [16, 16]
    monkeypatch.setattr(generated, "MAX_CACHED_BYTES", 0)
    samples = open_samples(model, num=50)
    assert samples.take([20]).equal(samples.take([20]))
    assert calls == [16, 16, 16, 16]


def test_digest_is_of_the_weights(monkeypatch):
    model = make_model()
    monkeypatch.setattr(model, "generate", None)  # nothing is generated
    digest = open_samples(model, num=50).compute_sha256(range(50))
    assert open_samples(make_model(), num=50).compute_sha256(range(50)) == digest
    changed = make_model()
    next(changed.nets["G"].parameters()).view(-1)[0] += 1
    others = [
        open_samples(model, num=50).compute_sha256(range(49)),
        open_samples(model, num=51).compute_sha256(range(50)),
        open_samples(make_model(seed=1), num=50).compute_sha256(range(50)),
        open_samples(changed, num=50).compute_sha256(range(50)),
    ]
    assert len({digest, *others}) == 5


def test_digest_of_points_is_of_the_points():
    model = make_model(shape=(2,))
    digest = open_samples(model, num=5).compute_sha256(range(5))
    assert open_samples(model.sample(5)).compute_sha256(range(5)) == digest


@pytest.mark.parametrize("shape", [(1, 8, 8), (2,)])
def test_samples_that_are_not_finite_are_named(shape):
    model = make_model(shape, seed=3)
    for parameter in model.nets["G"].parameters():
        parameter.fill_(np.nan)
    samples = open_samples(model, num=50)
    with raises_input_error("samples", "sample 16", "seed 3", "--seed", "seed=N"):
        samples.take([17])


def test_other_shapes_are_refused():
    with raises_input_error("samples", "(d,) or (1 or 3, H, W)", "(2, 8, 8)"):
        open_samples(make_model((2, 8, 8)))
