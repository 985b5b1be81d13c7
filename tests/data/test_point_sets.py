"""Sets of points without modes: exact densities, and the geometry of their samples."""

import math

import pytest
import torch
from scipy import integrate

from iidgan.data import Checkerboard, Moons, Rings, Spiral, SwissRoll
from iidgan.testing import check_source
from tests.helpers.errors import raises_input_error

SETS = [Checkerboard, Moons, Rings, Spiral, SwissRoll]


@pytest.mark.parametrize("source_class", SETS)
def test_check_source_accepts_set(source_class):
    check_source(source_class(size=500))


@pytest.mark.parametrize("source_class", SETS)
def test_labels_are_equally_likely_parts(source_class):
    data = source_class(size=20_000).load()
    counts = data.y.bincount()
    share = 1 / len(counts)
    error = 5 * math.sqrt(share * (1 - share) / 20_000)
    assert (counts / 20_000 - share).abs().max() < error
    _, even_labels = data.truth.draw_evenly(len(counts) * 100, seed=0)
    assert set(even_labels.bincount().tolist()) == {100}


@pytest.mark.parametrize("source_class", SETS)
def test_samples_depend_on_seed_only(source_class):
    first = source_class(size=100).load().x
    torch.manual_seed(123)
    assert torch.equal(first, source_class(size=100).load().x)
    assert not torch.equal(first, source_class(size=100, seed=1).load().x)


@pytest.mark.parametrize(
    "source", [Rings(radii=(0.5, 1.5), std=(0.1, 0.2)), Checkerboard(squares=3, side=0.5)]
)
def test_density_integrates_to_one(source):
    axis = torch.linspace(-3, 3, 601, dtype=torch.float64)[:-1] + 0.005
    density = source.log_density(torch.cartesian_prod(axis, axis)).exp()
    assert density.sum().item() * 0.01**2 == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("source", [Rings(std=(0.1,)), Checkerboard()])
def test_density_is_that_of_samples(source):
    """The shares of samples in cells of a lattice are the integrals of the density."""
    x, _ = source.draw(200_000, seed=1)
    fine = (torch.arange(400, dtype=torch.float64) + 0.5) / 100 - 2
    density = source.log_density(torch.cartesian_prod(fine, fine)).exp().reshape(400, 400)
    expected = density.reshape(8, 50, 8, 50).sum((1, 3)) * 0.01**2
    cells = ((x + 2) * 2).floor().long()
    cells = cells[((cells >= 0) & (cells < 8)).all(1)]
    shares = (8 * cells[:, 0] + cells[:, 1]).bincount(minlength=64).reshape(8, 8) / 200_000
    errors = 5 * (expected * (1 - expected) / 200_000).sqrt() + 1e-4
    assert ((shares - expected).abs() < errors).all()


def test_ring_density_matches_convolution():
    """The density of one ring is the mean of a Gaussian around its points."""
    source = Rings(radii=(1.0,), std=(0.1,))
    for x in (0.0, 0.8, 1.0, 1.3):

        def gaussian(angle, x=x):
            squared = (x - math.cos(angle)) ** 2 + math.sin(angle) ** 2
            return math.exp(-squared / 0.02) / (2 * math.pi * 0.01)

        expected = integrate.quad(gaussian, -math.pi, math.pi, points=[0.0])[0] / (2 * math.pi)
        assert source.log_density(
            torch.tensor([[x, 0.0]], dtype=torch.float64)
        ).exp().item() == pytest.approx(expected)


def test_rings_have_radii_and_widths():
    source = Rings(radii=(1.0, 2.0, 3.0), std=(0.01, 0.1), size=60_000)
    data = source.load()
    radii = data.x.norm(dim=1).double()
    for ring, (radius, std) in enumerate(zip(source.radii, (0.01, 0.1, 0.01))):
        of_ring = radii[data.y == ring]
        assert of_ring.mean().item() == pytest.approx(radius, abs=0.01)
        assert of_ring.std().item() == pytest.approx(std, rel=0.05)


def test_spiral_arms_are_turns_of_each_other():
    data = Spiral(arms=2, std=1e-6, size=5_000).load()
    angles = torch.atan2(data.x[:, 1], data.x[:, 0]) - 0.5 * data.x.norm(dim=1) * 1.5 * 2 * math.pi
    residues = torch.stack((angles.cos(), angles.sin()), dim=1)
    far = data.x.norm(dim=1) > 0.1
    for arm, sign in ((0, 1.0), (1, -1.0)):
        expected = torch.tensor([sign, 0.0])
        assert (residues[far & (data.y == arm)] - expected).abs().max() < 1e-3


def test_swiss_roll_without_noise_is_on_the_roll():
    data = SwissRoll(std=1e-6, size=5_000).load()
    radii = data.x[:, [0, 2]].norm(dim=1)
    angles = torch.atan2(data.x[:, 2], data.x[:, 0])
    expected = 1.5 * math.pi * 3 * radii / 2
    assert (torch.exp(1j * angles) - torch.exp(1j * expected)).abs().max() < 1e-3
    assert data.x[:, 1].abs().max() <= 1.0001
    assert radii.min() >= 2 / 3 - 1e-3
    assert radii.max() <= 2.001


def test_moons_are_half_circles():
    data = Moons(std=1e-6, size=1_000).load()
    upper = data.x[data.y == 0] + torch.tensor([0.5, 0.25])
    lower = data.x[data.y == 1] - torch.tensor([0.5, 0.25])
    for moon, sign in ((upper, 1), (lower, -1)):
        assert torch.allclose(moon.norm(dim=1), torch.ones(len(moon)), atol=1e-4)
        assert (sign * moon[:, 1]).min() > -1e-4


@pytest.mark.parametrize(
    ("source_class", "options", "values"),
    [
        (Rings, {"radii": ()}, (">= 1", 0)),
        (Rings, {"radii": (1.0, -1.0)}, ("positive", -1.0)),
        (Rings, {"std": (0.1,) * 4}, (3, 4)),
        (Rings, {"std": (0.0,)}, ("positive", 0.0)),
        (Spiral, {"arms": 0}, (">= 1", 0)),
        (Spiral, {"turns": math.inf}, ("finite", "inf")),
        (Spiral, {"radius": 0.0}, ("positive", 0.0)),
        (Spiral, {"std": -1.0}, ("positive", -1.0)),
        (Checkerboard, {"squares": 0}, (">= 1", 0)),
        (Checkerboard, {"side": 0.0}, ("positive", 0.0)),
        (Checkerboard, {"size": 7}, (">= 8", 7)),
        (SwissRoll, {"height": 0.0}, ("positive", 0.0)),
        (SwissRoll, {"radius": math.nan}, ("finite", "nan")),
        (Moons, {"std": 0.0}, ("positive", 0.0)),
        (Moons, {"seed": -1}, (0, -1)),
    ],
)
def test_sets_refuse_invalid_field(source_class, options, values):
    (field,) = options
    with raises_input_error(field, *values):
        source_class(**options)
