"""The plane of points."""

import math

import numpy as np
import torch
from torch import nn

from iidgan import Mixture, Ring
from iidgan.core import Dataset, GaussianMixture
from iidgan.explorer.plane import describe_plane, estimate_density
from tests.helpers.latent import make_linear_model


class DataGenerator(nn.Module):
    """Samples of a data set, whatever the latents are."""

    def __init__(self, data):
        super().__init__()
        self.x = nn.Parameter(data.x)

    def forward(self, z):
        index = torch.arange(z.shape[1]) % len(self.x)
        return self.x[index][None]


def describe_own_samples(data):
    model = make_linear_model(torch.eye(data.shape[0]))
    model.nets["G"] = DataGenerator(data)
    return describe_plane(model, data)


def test_data_cover_their_modes():
    plane = describe_own_samples(Ring(modes=8, radius=1.0, size=8000).load())
    assert np.allclose([math.hypot(mode["x"], mode["y"]) for mode in plane["modes"]], 1)
    shares = [mode["share"] / mode["expected"] for mode in plane["modes"]]
    assert np.allclose(shares, 1 - math.exp(-4.5), atol=0.05)  # within three standard deviations


def test_axes_are_those_of_the_covariance():
    covariance = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
    truth = GaussianMixture.from_covariances(torch.zeros(1, 2), covariance[None])
    data = Ring(size=100).load()
    (mode,) = describe_own_samples(Dataset(data.x, truth=truth))["modes"]
    axes = np.array(mode["axes"])
    np.testing.assert_allclose(axes.T @ axes, covariance, atol=1e-5)
    assert abs(axes[0] @ axes[1]) < 1e-5


def test_many_dimensions_are_projected_on_the_first_two():
    data = Mixture(modes=3, dim=5, size=600).load()
    plane = describe_own_samples(data)
    np.testing.assert_allclose(plane["data"], data.x[:, :2])
    centres = [(mode["x"], mode["y"]) for mode in plane["modes"]]
    np.testing.assert_allclose(centres, data.truth.centres[:, :2])
    assert all(len(mode["axes"][0]) == 2 for mode in plane["modes"])


def test_data_without_modes_have_none():
    data = Ring(size=100).load()
    plane = describe_own_samples(Dataset(data.x))
    assert plane["modes"] == []
    assert plane["codes"] is plane["codeModes"] is None


def test_codes_are_those_of_the_inverse():
    data = Ring(size=100).load()
    model = make_linear_model(torch.eye(2), torch.eye(2) * 2)
    plane = describe_plane(model, data)
    np.testing.assert_allclose(plane["codes"], 2 * plane["data"], rtol=1e-6)
    modes = plane["codeModes"]
    assert (modes == -1).mean() < 0.1  # farther than three standard deviations from all
    np.testing.assert_array_equal(modes[modes >= 0], data.y[modes >= 0])


def test_density_is_largest_where_points_are():
    points = np.tile(np.array([[0.5, -0.25]], np.float32), (10, 1))
    points[0] = np.nan
    density = estimate_density(points, (0.0, 1.0), (-1.0, 0.0))
    values = density["values"].reshape(density["rows"], density["columns"])
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert values.max() == 1
    assert abs(column - 0.5 * density["columns"]) <= 1
    assert abs(row - 0.75 * density["rows"]) <= 1


def test_density_of_nothing_is_zero():
    assert estimate_density(np.full((3, 2), 9, np.float32), (0, 1), (0, 1))["values"].max() == 0
