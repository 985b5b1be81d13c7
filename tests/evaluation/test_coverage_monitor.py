"""Coverage of generated samples in training, against the scores that it is made of."""

import pytest
import torch
from torch import nn

from iidgan.core import Dataset, Standardisation
from iidgan.data.stacked import StackedView
from iidgan.engine.inference import sample_prior
from iidgan.evaluation import coverage_monitor
from iidgan.evaluation.coverage_monitor import MAX_SAMPLES, CoverageMonitor
from iidgan.features import extract
from iidgan.metrics import prdc
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import make_extractor_of_means

CPU = torch.device("cpu")
SEEDS = (3, 5)


@pytest.fixture
def means(monkeypatch):
    """The features are three means of channels, which take no time."""
    extractor = make_extractor_of_means()
    monkeypatch.setattr(coverage_monitor, "create_monitor_extractor", lambda: extractor)
    return extractor


def make_images(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8)


class ImageGenerator(nn.Module):
    """Images of seeds (S, n, 3, 4, 4) whose channels are bright as the latents say."""

    def forward(self, z):
        return torch.tanh(z)[..., None, None].expand(*z.shape, 4, 4)


def test_coverage_of_points_is_that_of_prdc():
    data = Dataset(torch.randn(300, 2, generator=torch.Generator().manual_seed(0)))
    generator = nn.Linear(2, 2)
    values = CoverageMonitor(data, CPU).measure(generator, SEEDS, latent_dim=2)
    fake = generator(sample_prior(SEEDS, 300, 2)).detach()
    assert values.equal(prdc(data.x, fake, k=5).coverage)
    assert (values > 0).all()


def test_coverage_of_points_is_in_own_units():
    points = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)) * 50 + 7
    scaling = Standardisation(points.mean(0), points.std(0))
    scaled = Dataset(scaling.standardise(points), scaling=scaling)
    generator = nn.Linear(2, 2)
    expected = CoverageMonitor(Dataset(points), CPU).measure(generator, SEEDS, 2)
    assert CoverageMonitor(scaled, CPU).measure(generator, SEEDS, 2).equal(expected)


def test_coverage_of_images_is_that_of_prdc(means):
    images = make_images(40, 3, 4, 4)
    values = CoverageMonitor(Dataset(images), CPU).measure(ImageGenerator(), SEEDS, latent_dim=3)
    samples = ImageGenerator()(sample_prior(SEEDS, 40, 3))
    fake_images = ((samples + 1) * 127.5).round().to(torch.uint8)
    fake = torch.stack([extract(x, means, cache_dir=None).values for x in fake_images])
    real = extract(images, means, cache_dir=None).values
    assert values.equal(prdc(real, fake, k=5).coverage)


def test_coverage_in_chunks(means, monkeypatch):
    monitors = [CoverageMonitor(Dataset(make_images(50, 3, 4, 4)), CPU) for _ in range(2)]
    expected = monitors[0].measure(ImageGenerator(), SEEDS, 3)
    monkeypatch.setattr(coverage_monitor, "_MAX_CHUNK_VALUES", 7 * 48)
    assert monitors[1].measure(ImageGenerator(), SEEDS, 3).equal(expected)


@pytest.mark.parametrize("pixels", [28, 32, 64])
def test_coverage_of_stacked_images(means, pixels):
    """Those of 64 pixels are computed in floating point."""
    triples = torch.arange(60).view(20, 3) % 10
    data = Dataset(make_images(10, 1, 28, 28), view=StackedView(triples, pixels))
    monitor = CoverageMonitor(data, CPU)

    def copy_data(z):
        return data.take_samples(torch.arange(20).repeat(2)[: z.shape[1]]).expand(
            2, -1, -1, -1, -1
        )

    assert monitor.measure(copy_data, SEEDS, 3).tolist() == [1.0, 1.0]


def test_seed_without_finite_samples_has_no_coverage(means):
    class Broken(ImageGenerator):
        def forward(self, z):
            return super().forward(z).index_fill(0, torch.tensor([1]), torch.nan)

    values = CoverageMonitor(Dataset(make_images(40, 3, 4, 4)), CPU).measure(Broken(), SEEDS, 3)
    assert values.isnan().tolist() == [False, True]


def test_real_features_are_computed_once(means, monkeypatch):
    data = Dataset(make_images(40, 3, 4, 4) // 2)  # of no other test
    monitor = CoverageMonitor(data, CPU)
    values = monitor.measure(ImageGenerator(), SEEDS, 3)
    monkeypatch.setattr(Dataset, "take_bytes", None)  # cannot be called again
    assert monitor.measure(ImageGenerator(), SEEDS, 3).equal(values)
    assert CoverageMonitor(data, CPU).measure(ImageGenerator(), SEEDS, 3).equal(values)


def test_real_samples_are_a_fixed_part():
    data = Dataset(torch.arange(3.0 * MAX_SAMPLES)[:, None])
    first, again = (CoverageMonitor(data, CPU)._real_features for _ in range(2))
    assert first.shape == (MAX_SAMPLES, 1)
    assert first.equal(again)
    assert first.unique().numel() == MAX_SAMPLES


def test_measuring_draws_from_no_global_generator(means):
    before = torch.get_rng_state()
    CoverageMonitor(Dataset(make_images(40, 3, 4, 4)), CPU).measure(ImageGenerator(), SEEDS, 3)
    assert torch.get_rng_state().equal(before)


def test_protocol_has_single_values(means):
    protocol = CoverageMonitor(Dataset(make_images(40, 3, 4, 4)), CPU).protocol
    assert (protocol["extractor"], protocol["k"], protocol["num_real"]) == ("means", 5, 40)
    assert protocol["weights"] == means.protocol.weights
    assert all(isinstance(value, str | int | float | bool) for value in protocol.values())


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (Dataset(torch.zeros(5, 2)), [6, 5]),
        (Dataset(torch.zeros(50, 2, 8, 8, dtype=torch.uint8)), ["1 or 3", 2]),
    ],
)
def test_monitor_refuses_data(data, values):
    with raises_input_error("diagnose-every", *values):
        CoverageMonitor(data, CPU)
