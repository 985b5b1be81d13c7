"""How often a run is diagnosed by default."""

import math

import pytest
import torch

from iidgan.core import Dataset
from iidgan.data import Ring
from iidgan.engine.flops import count_flops
from iidgan.evaluation.coverage_monitor import create_monitor_extractor
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN
from iidgan.training import diagnosis_interval
from iidgan.training.context import TrainContext
from iidgan.training.diagnosis_interval import (
    EXTRACTOR_FLOPS,
    EXTRACTOR_SLOWNESS,
    MAX_DIAGNOSES,
    POINT_STEPS,
    choose_diagnosis_interval,
)
from tests.helpers.training import NoisyMethod, tiny_run

POINTS = Dataset(torch.zeros(100, 2))
IMAGES = Dataset(torch.zeros(16, 1, 8, 8, dtype=torch.uint8))


def choose(data=POINTS, steps=24_000, seeds=1, requested="auto", **changes):
    if data.is_image:
        changes = {"arch": DCGAN(latent=3, width=4), "batch": 8, **changes}
    run = tiny_run(steps=steps, **changes)
    context = TrainContext.create(run, range(seeds), data, torch.device("cpu"))
    return choose_diagnosis_interval(context, requested)


@pytest.mark.parametrize("requested", [0, 1, 10**9])
def test_requested_interval_is_used(requested):
    assert choose(requested=requested) == requested


def test_interval_of_points():
    steps_of_one = 50 * POINT_STEPS
    assert choose(steps=steps_of_one - 1) == 0
    steps = 2 * steps_of_one + 1000  # the plane has two dimensions of 500
    assert choose(steps=steps) == steps / 2
    assert choose(Dataset(torch.zeros(100, 500)), steps=steps) == steps
    assert choose(steps=10**7) == 10**7 / MAX_DIAGNOSES


@pytest.mark.parametrize(
    "data",
    [
        Ring(size=100).load(),
        Dataset(torch.zeros(5, 2)),
        Dataset(torch.zeros(20, 2, 8, 8, dtype=torch.uint8)),
    ],
    ids=["mixture", "few", "channels"],
)
def test_no_interval_where_coverage_is_not_measured(data):
    batch = min(len(data), 8)
    assert choose(data, steps=10**8, batch=batch) == 0


@pytest.mark.parametrize("data", [POINTS, IMAGES], ids=["points", "images"])
def test_short_runs_count_nothing(monkeypatch, data):
    monkeypatch.setattr(diagnosis_interval, "count_flops", None)  # cannot be called
    monkeypatch.setattr(diagnosis_interval, "POINT_STEPS", 0.001)
    assert choose(data, steps=999) == 0


@pytest.mark.slow
def test_interval_of_images_is_their_share(monkeypatch):
    """With features alone, 50 steps of the operations of a diagnosis pay for one."""
    monkeypatch.setattr(diagnosis_interval, "_count_map_flops", lambda context, num_samples: 0)
    monkeypatch.setattr(diagnosis_interval, "NUM_FEATURES", 0)
    run = tiny_run(arch=DCGAN(latent=3, width=4), batch=8)
    context = TrainContext.create(run, [0], IMAGES, torch.device("cpu"))
    step_flops = context.train_step.estimate_flops(context.batches.batches_at(0))
    steps_of_one = 50 * len(IMAGES) * EXTRACTOR_FLOPS * EXTRACTOR_SLOWNESS / step_flops
    for num_diagnoses in (1, 4):
        steps = math.ceil((num_diagnoses + 1) * steps_of_one)  # the real ones count as one
        interval = choose(IMAGES, steps=steps)
        assert interval % 100 == 0
        assert math.ceil(steps / interval) == num_diagnoses
    assert choose(IMAGES, steps=int(1.9 * steps_of_one)) == 0


@pytest.mark.slow
def test_interval_does_not_depend_on_seeds():
    for method in (GAN(), iid_gan()):
        intervals = {choose(IMAGES, 10**6, seeds, method=method) for seeds in (1, 3)}
        assert len(intervals) == 1
        assert 0 not in intervals


@pytest.mark.slow
def test_choice_changes_no_random_numbers():
    run = tiny_run(NoisyMethod(), arch=DCGAN(latent=3, width=4), batch=8, steps=10**6)
    context = TrainContext.create(run, [0], IMAGES, torch.device("cpu"))
    before = torch.get_rng_state()
    assert choose_diagnosis_interval(context, "auto") > 0
    assert torch.get_rng_state().equal(before)


@pytest.mark.slow
def test_flops_of_extractor():
    extractor = create_monitor_extractor()
    image = torch.zeros(1, 3, *extractor.protocol.input_size, dtype=torch.uint8)
    assert count_flops(lambda: extractor(image)) == pytest.approx(EXTRACTOR_FLOPS, rel=0.01)
