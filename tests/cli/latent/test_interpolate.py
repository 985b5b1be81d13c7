"""`iidgan interpolate`."""

import numpy as np
import pytest
from PIL import Image

from iidgan.cli import main
from iidgan.training.export import load
from tests.helpers.cli import fail_command


def test_interpolate_between_draws_of_prior(trained_run):
    options = ["-n", "3", "--steps", "5", "--out", "paths.npz"]
    assert main(["interpolate", "run", *options]) == 0
    prior = load("run").sample_prior(6).numpy()
    with np.load("paths.npz") as paths:
        assert paths["x"].shape == paths["z"].shape == (3, 5, 2)
        np.testing.assert_allclose(paths["z"][:, 0], prior[:3], rtol=1e-5)
        np.testing.assert_allclose(paths["z"][:, -1], prior[3:], rtol=1e-5)


def test_interpolate_between_images(trained_image_run):
    for name, shade in {"a": 30, "b": 200}.items():
        Image.new("L", (8, 8), shade).save(f"{name}.png")
    command = ["interpolate", "images", "--a", "a.png", "--b", "b.png", "--steps", "4"]
    assert main([*command, "--path", "linear", "--out", "path.npz"]) == 0
    shades = np.array([30, 200], np.uint8)[:, None, None, None]
    codes = load("images").invert(np.broadcast_to(shades, (2, 1, 8, 8))).numpy()
    with np.load("path.npz") as path:
        np.testing.assert_allclose(path["z"][0, [0, -1]], codes, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(np.diff(path["z"][0], 2, axis=0), 0, atol=1e-6)
    assert main([*command, "--out", "path.gif"]) == 0
    with Image.open("path.gif") as animation:
        assert animation.n_frames == 6


@pytest.mark.usefixtures("work_dir")
def test_interpolate_without_inverse(capsys):
    training = ["--steps", "2", "--arch.hidden", "8", "--batch", "16", "--out", "plain"]
    assert main(["train", "points.npy", "--method", "gan", *training]) == 0
    error = fail_command(capsys, "interpolate", "plain", "--a", "points.npy", "--b", "points.npy")
    assert all(word in error for word in ("F", "iid-gan", "bigan", "--a"))
    assert main(["interpolate", "plain"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--steps", "1"], ["steps", "2"]),
        (["run", "-n", "0"], ["num", "0"]),
        (["run", "--a", "points.npy"], ["b: missing", "--a"]),
        (["run", "--a", "nowhere.png", "--b", "points.npy"], ["nowhere.png", "exist"]),
        (["run", "--a", "two.npy", "--b", "points.npy"], ["b", "300", "2"]),
        (["run", "--path", "curved"], ["path", "slerp"]),
        (["points.npy"], ["points.npy", "generator"]),
    ],
)
def test_interpolate_refuses_bad_input(trained_run, capsys, arguments, words):
    np.save("two.npy", np.zeros((2, 2)))
    error = fail_command(capsys, "interpolate", *arguments)
    assert all(word in error for word in words), error
