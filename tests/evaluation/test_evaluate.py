"""Metric records of samples, and samples kept for figures."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from iidgan.config.run import Run
from iidgan.core import Metric, Samples
from iidgan.data import Mnist5k, Ring
from iidgan.evaluation import sampling
from iidgan.evaluation.arrays import to_arrays
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.evaluate import EvaluationPoint, evaluate_samples
from iidgan.evaluation.sampling import draw_samples
from iidgan.methods import iid_gan
from iidgan.nn import MLP, MnistNet
from iidgan.training.context import TrainContext
from tests.helpers.errors import raises_input_error


def test_to_arrays_keeps_fewer_images():
    """Fewer images than points, and as many latents of either."""
    assert sampling.MAX_KEPT_IMAGES == 500
    run = Run(source=Mnist5k(), method=iid_gan(), arch=MnistNet(width=2), steps=2, batch=4)
    for source, arch, kept in ((Mnist5k(), MnistNet(width=2), 500), (Ring(size=50), MLP(), 600)):
        run = replace(run, source=source, arch=arch)
        data = source.load()
        nets = TrainContext.create(run, (0,), data, torch.device("cpu")).state.nets.eval()
        point = EvaluationPoint(run, (0,), (2,), (-1,))
        arrays = to_arrays(draw_samples(nets, data, point, ClassifierEvaluator(), 600), point)
        assert (len(arrays["generated"][0]), len(arrays["z"][0])) == (kept, 600)
    points = Samples(torch.zeros(1, 6000, 2), torch.zeros(6000, 2))
    assert len(to_arrays(points, point)["generated"][0]) == 5000


@dataclass(frozen=True)
class FixedValues(Metric):
    """A metric that returns given values, or raises a given error."""

    values: Any

    def missing(self, samples):
        return None

    def protocol(self, samples):
        return {}

    def __call__(self, samples):
        if isinstance(self.values, Exception):
            raise self.values
        return self.values


def evaluate_points(**metrics):
    samples = Samples(torch.zeros(2, 5, 2), torch.zeros(5, 2))
    point = EvaluationPoint(Run(source=Ring()), (0, 1), (2, 3), (-1, -1))
    return evaluate_samples(samples, point, {}, metrics)


def test_evaluate_samples_stores_values_by_seed():
    records = evaluate_points(own=FixedValues({"a": torch.tensor([1.5, 2.5])}))
    assert [(record.seed, record.metric, record.value) for record in records] == [
        (0, "a", 1.5),
        (1, "a", 2.5),
    ]
    assert records[0].protocol["family"] == "own"


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1)])
def test_evaluate_samples_refuses_other_shapes(shape):
    with raises_input_error("metrics", "'a' of 'own'"):
        evaluate_points(own=FixedValues({"a": torch.zeros(shape)}))


@pytest.mark.parametrize("values", [{"a": 1.5}, {"a": [1.5, 2.5]}, 1.5])
def test_evaluate_samples_refuses_other_types(values):
    with raises_input_error("metrics", "'own'"):
        evaluate_points(own=FixedValues(values))


def test_evaluate_samples_refuses_equal_value_names():
    metric = FixedValues({"a": torch.zeros(2)})
    with raises_input_error("metrics", "'second' and 'first'"):
        evaluate_points(first=metric, second=metric)


def test_evaluate_samples_names_metric_that_fails():
    with pytest.raises(ZeroDivisionError) as caught:
        evaluate_points(own=FixedValues(ZeroDivisionError("by zero")))
    assert "'own'" in caught.value.__notes__[0]
