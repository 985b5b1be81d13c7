"""The contract of metrics of points and codes."""

import json
from dataclasses import replace

import pytest
import torch

from iidgan.core import Samples
from iidgan.metrics import (
    METRICS,
)
from tests.helpers.errors import raises_input_error
from tests.helpers.samples import GRID, assert_values_equal, draw_mixture, normal


def point_samples(seeds=3):
    generated, codes = draw_mixture(GRID, seeds, 400), normal(seeds, 300, 2)
    real = draw_mixture(GRID, 1, 300)[0]
    return Samples(
        generated,
        real,
        z=normal(seeds, 400, 2),
        codes=codes,
        z_cycled=normal(seeds, 400, 2, seed=1),
        x_cycled=real + 0.1 * normal(seeds, 300, 2, seed=2),
        x_errors=0.1 * normal(seeds, 300, 2, seed=2).abs().mean(2),
        truth=GRID,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["coverage", "normality", "reconstruction"])
def test_metric_contract(name, dtype):
    metric, samples = METRICS[name](), point_samples()
    cast = {k: v.to(dtype) for k, v in vars(samples).items() if isinstance(v, torch.Tensor)}
    samples = replace(samples, **cast)
    assert metric.missing(samples) is None
    values = metric(samples)
    assert values
    for value in values.values():
        assert value.dtype == torch.float64
        assert value.shape == (3,)
        assert value.device.type == "cpu"
        assert value.isfinite().all()
    assert_values_equal(values, metric(samples), 0)
    protocol = metric.protocol(samples)
    assert json.loads(json.dumps(dict(protocol))) == protocol == METRICS[name]().protocol(samples)
    assert vars(metric).keys() <= protocol.keys()


@pytest.mark.parametrize(
    ("name", "change", "values"),
    [
        ("coverage", {"truth": None}, ["mixture"]),
        ("coverage", {"generated": torch.zeros(3, 5, 1, 4, 4)}, ["(S, N, 2)", "(3, 5, 1, 4, 4)"]),
        ("coverage", {"generated": torch.zeros(3, 5, 7)}, ["(S, N, 2)", "(3, 5, 7)"]),
        ("normality", {"codes": None}, ["codes F(x)"]),
        ("normality", {"codes": torch.zeros(3, 2, 2)}, [3, 2]),
        ("reconstruction", {"z_cycled": None, "x_errors": None}, ["inverse F"]),
        ("reconstruction", {"z": None, "x_errors": None}, ["inverse F"]),
    ],
)
def test_metric_missing(name, change, values):
    metric, samples = METRICS[name](), replace(point_samples(), **change)
    missing = metric.missing(samples)
    assert missing is not None
    assert "\n" not in missing
    with raises_input_error(name, missing, *values):
        metric(samples)
