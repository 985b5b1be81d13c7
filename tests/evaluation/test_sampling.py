"""Samples drawn in chunks: their values do not depend on how many images are kept."""

from dataclasses import replace

import pytest
import torch

import iidgan
from iidgan.core import Dataset, Factors
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.evaluation.sampling import draw_samples
from iidgan.metrics import Reconstruction
from iidgan.training.context import TrainContext
from tests.helpers.classifiers import (
    CPU,
    StackedBars,
    make_extractor,
    make_image_run,
    random_images,
)

RUN = replace(make_image_run(StackedBars()), method=iidgan.iid_gan())
DATA = Dataset((127.5 * (random_images(20, 3, 32, 32) + 1)).to(torch.uint8), torch.arange(20) % 10)


def make_evaluator():
    return ClassifierEvaluator(make_extractor(per_channel=True), 10, "noise")


@pytest.fixture
def draw(monkeypatch):
    """Draw samples of an untrained run, with other limits."""

    def draw_with_limits(num=16, method=None, evaluator=None, data=DATA, **limits):
        for name, value in limits.items():
            monkeypatch.setattr(f"iidgan.evaluation.sampling.{name}", value)
        run = replace(RUN, method=method or RUN.method)
        nets = TrainContext.create(run, (0, 1), data, CPU).state.nets.eval()
        point = EvaluationPoint(run, (0, 1), (0, 0), (-1, -1))
        return draw_samples(nets, data, point, evaluator or ClassifierEvaluator(), num)

    return draw_with_limits


def test_draw_samples_limits_images(draw):
    samples = draw(NUM_INVERTED_IMAGES=7, MAX_KEPT_IMAGES=5)
    assert samples.generated.shape == (2, 5, 3, 32, 32)
    assert samples.x_cycled.shape == (2, 5, 3, 32, 32)
    assert samples.real.shape == (5, 3, 32, 32)
    assert samples.z.shape[:2] == (2, 16)
    shapes = {samples.codes.shape[:2], samples.z_cycled.shape[:2], samples.x_errors.shape}
    assert shapes == {(2, 7)}
    assert Reconstruction().protocol(samples) == {"num_z": 7, "num_x": 7}


@pytest.mark.parametrize("num_kept", [3, 16])
def test_draw_samples_labels_of_real_images(draw, num_kept):
    """Each image of the data has another mean, by which it is found again."""
    samples = draw(MAX_KEPT_IMAGES=num_kept, evaluator=make_evaluator())
    means = DATA.take_samples(torch.arange(len(DATA))).flatten(1).mean(1)
    real_means = samples.real.flatten(1).mean(1)
    found = (real_means[:, None] - means).abs().argmin(1)
    assert samples.real_labels[:num_kept].equal(DATA.y[found])
    assert samples.real_labels.shape == samples.classifier_outputs.real.classes.shape[:1]
    assert samples.generated_labels is None


def test_draw_samples_factors_of_real_images(draw):
    """They have the order of the codes: here, the factors are the labels and their doubles."""
    assert draw().real_factors is None
    factors = Factors(("label", "double"), DATA.y[:, None] * torch.tensor([1, 2]))
    samples = draw(data=replace(DATA, factors=factors), NUM_INVERTED_IMAGES=7)
    assert samples.real_factors.names == factors.names
    label, double = samples.real_factors.values.T
    assert label.equal(samples.real_labels)
    assert double.equal(2 * samples.real_labels)


def test_draw_samples_keeps_fewer_large_images(draw):
    assert draw(_MAX_KEPT_VALUES=3 * 3 * 32 * 32).generated.shape[1] == 3
    assert draw(_MAX_KEPT_VALUES=1).generated.shape[1] == 1


@pytest.mark.parametrize("chunk_size", [1, 4, 7])
@pytest.mark.parametrize("num_kept", [3, 9])
def test_draw_samples_in_any_chunks(draw, chunk_size, num_kept):
    limits = {"NUM_INVERTED_IMAGES": 6, "MAX_KEPT_IMAGES": num_kept}
    expected = draw(evaluator=make_evaluator(), **limits)
    limits["_MAX_CHUNK_VALUES"] = chunk_size * 3 * 32 * 32
    samples = draw(evaluator=make_evaluator(), **limits)
    for name, value in vars(expected).items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(getattr(samples, name), value, rtol=1e-4, atol=1e-5)
    assert expected.classifier_outputs.generated.classes.shape == (2, 16, 3)
    for side in ("generated", "real"):
        predictions = getattr(samples.classifier_outputs, side)
        for name, value in vars(getattr(expected.classifier_outputs, side)).items():
            torch.testing.assert_close(getattr(predictions, name), value, rtol=1e-4, atol=1e-4)


def test_draw_samples_errors_of_kept_images(draw):
    samples = draw(NUM_INVERTED_IMAGES=6, MAX_KEPT_IMAGES=6)
    expected = (samples.x_cycled - samples.real).abs().double().mean((1, 2, 3, 4))
    errors = Reconstruction()(samples)["x_error"]
    torch.testing.assert_close(errors, expected, rtol=1e-5, atol=1e-7)


def test_draw_samples_without_inverse_and_classifier(draw):
    samples = draw(method=iidgan.GAN(), MAX_KEPT_IMAGES=4, _MAX_CHUNK_VALUES=3072)
    assert samples.real.shape[0] == samples.generated.shape[1] == 4
    assert samples.codes is samples.z_cycled is samples.x_errors is None
    assert samples.classifier_outputs is None


@pytest.mark.parametrize("has_classifier", [False, True])
def test_draw_samples_generates_no_unused_images(draw, monkeypatch, has_classifier):
    num_generated = []
    create_generator = iidgan.DCGAN.build_generator

    def create_counting_generator(*arguments, **options):
        net = create_generator(*arguments, **options)
        net.register_forward_hook(
            lambda module, inputs, output: num_generated.append(output.shape[1])
        )
        return net

    monkeypatch.setattr(iidgan.DCGAN, "build_generator", create_counting_generator)
    evaluator = make_evaluator() if has_classifier else None
    draw(method=iidgan.GAN(), evaluator=evaluator, MAX_KEPT_IMAGES=4, _MAX_CHUNK_VALUES=3072)
    assert sum(num_generated) == (16 if has_classifier else 4)


def test_draw_samples_more_than_data(draw):
    samples = draw(num=50)
    assert samples.real.shape[0] == samples.x_errors.shape[1] == 20
    assert samples.generated.shape[1] == samples.z_cycled.shape[1] == 50
