"""Pictures of grids of latents."""

import numpy as np
import torch

from iidgan.figures.latent import make_latent_frames, plot_latent_grid, plot_reconstructions
from iidgan.latent import Inversion, polar_plane, space_angles, traverse_latents
from tests.helpers.errors import raises_input_error

TRAVERSAL = traverse_latents(torch.zeros(4), [0, 3], torch.linspace(-1, 1, 5))
POLAR = polar_plane(torch.zeros(2), (0, 1), torch.tensor([1.0, 2.0]), space_angles(4))


def test_image_rows_have_names():
    axis = plot_latent_grid(TRAVERSAL, torch.zeros(2, 5, 1, 8, 8)).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["z[0]", "z[3]"]
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "-1",
        "-0.5",
        "0",
        "0.5",
        "1",
    ]


def test_polar_curves_are_closed():
    lines = plot_latent_grid(POLAR, POLAR.z).axes[0].lines
    circle = lines[-1].get_xydata()
    np.testing.assert_array_equal(circle[0], circle[-1])
    np.testing.assert_allclose(np.linalg.norm(circle, axis=1), 2, rtol=1e-6)


def test_frames_run_there_and_back_unless_closed():
    assert len(make_latent_frames(TRAVERSAL, torch.zeros(2, 5, 1, 8, 8))) == 8
    assert len(make_latent_frames(POLAR, torch.zeros(2, 4, 3, 8, 8))) == 4


def test_frame_shows_a_column():
    images = torch.zeros(2, 5, 1, 8, 8)
    images[:, 1] = 1.0
    black, white = (np.asarray(frame) for frame in make_latent_frames(TRAVERSAL, images)[:2])
    assert (white == 255).all()
    assert (black == 128).sum() == 2 * 16 * 16


def test_other_samples_are_refused():
    with raises_input_error("out", "(3,)", ".npz"):
        plot_latent_grid(TRAVERSAL, torch.zeros(2, 5, 3))
    with raises_input_error("out", ".png"):
        make_latent_frames(TRAVERSAL, torch.zeros(2, 5, 2))


def test_reconstructions_are_below_their_samples():
    x, z = torch.zeros(20, 1, 8, 8), torch.zeros(20, 4)
    inversion = Inversion(x=x, z=z, x_cycled=x, c=z[:, :0])
    axis = plot_reconstructions({"before": inversion, "after": inversion}).axes[0]
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["x", "G(z) before", "G(z) after"]
    (picture,) = axis.images
    assert picture.get_array().shape == (3 * 10 + 2, 16 * 10 + 2)  # 16 columns


def test_reconstructions_of_other_samples_are_refused():
    x = torch.zeros(2, 3)
    with raises_input_error("images", "(3,)"):
        plot_reconstructions({"": Inversion(x=x, z=x, x_cycled=x, c=x[:, :0])})
