"""`iidgan traverse`."""

import numpy as np
import pytest
from PIL import Image

from iidgan.cli import main
from tests.helpers.cli import fail_command, run_main


def test_traverse_keeps_latents_of_a_sample(trained_run):
    assert main(["sample", "run", "-n", "50", "--out", "samples.npz"]) == 0
    options = ["--dims", "1", "--base-sample", "7", "--steps", "3", "--out", "grid.npz"]
    assert main(["traverse", "run", *options]) == 0
    with np.load("samples.npz") as samples, np.load("grid.npz") as grid:
        assert grid["x"].shape == grid["z"].shape == (1, 3, 2)
        np.testing.assert_array_equal(grid["z"][0, :, 0], samples["z"][7, 0].repeat(3))
        np.testing.assert_array_equal(grid["z"][0, :, 1], [-2, 0, 2])


def test_traverse_shows_plane_of_two_latents(trained_run, capsys):
    answer = run_main(capsys, "traverse", "run", "--from", "1", "--to", "-1", "--steps", "4")
    assert "4 x 4 samples of seed 0" in answer
    with Image.open("traversal.png") as picture:
        assert picture.format == "PNG"


def test_traverse_polar_quantiles(trained_run):
    options = ["--polar", "--spacing", "quantiles", "--steps", "6", "--out", "polar.npz"]
    assert main(["traverse", "run", *options]) == 0
    with np.load("polar.npz") as grid:
        radii = np.linalg.norm(grid["z"], axis=-1)
    shares = 1 - np.exp(-(radii[:, 0].astype(float) ** 2) / 2)
    np.testing.assert_allclose(np.diff(shares, 2), 0, atol=1e-6)


def test_traverse_animates_images(trained_image_run):
    options = ["--dims", "0,2", "--steps", "4", "--out", "moving.gif"]
    assert main(["traverse", "images", *options]) == 0
    with Image.open("moving.gif") as animation:
        assert animation.n_frames == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--dims", "2"], ["dims", "0 and 1", "got 2"]),
        (["run", "--dims", "one"], ["dims", "0,3", "'one'"]),
        (["run", "--plane", "0"], ["plane", "0,1"]),
        (["run", "--plane", "0,1", "--dims", "0"], ["plane", "--dims"]),
        (["run", "--steps", "1"], ["steps", "2"]),
        (["run", "--from", "1", "--to", "1"], ["to", "--from"]),
        (["run", "--polar", "--from", "-1"], ["from", "radius"]),
        (["run", "--polar", "--dims", "0"], ["polar", "--plane"]),
        (["run", "--base-sample", "-1"], ["base-sample", "-1"]),
        (["run", "--base-sample", "1000001"], ["base-sample", "1,000,000"]),
        (["run", "--out", "x.gif"], ["out", ".png"]),
        (["run", "--out", "x.jpg"], ["out", ".png", "x.jpg"]),
        (["points.npy"], ["points.npy", "generator"]),
    ],
)
def test_traverse_refuses_bad_input(trained_run, capsys, arguments, words):
    error = fail_command(capsys, "traverse", *arguments)
    assert all(word in error for word in words), error
