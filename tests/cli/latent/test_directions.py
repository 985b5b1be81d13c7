"""`iidgan directions`."""

import numpy as np
import pytest
from PIL import Image

from iidgan.cli import main
from iidgan.data import prepared
from iidgan.training.export import load
from tests.helpers.cli import TINY, fail_command


def test_directions_are_orthonormal(trained_run):
    assert main(["directions", "run", "--num", "2"]) == 0
    with np.load("directions.npz") as arrays:
        directions, eigenvalues = arrays["directions"], arrays["eigenvalues"]
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-6)
    assert eigenvalues[0] >= eigenvalues[1]
    with Image.open("directions.png") as picture:
        assert picture.format == "PNG"


@pytest.mark.usefixtures("work_dir")
def test_directions_of_samples_that_cannot_be_drawn():
    assert main(["train", "swiss-roll", "--steps", "2", *TINY, "--out", "roll"]) == 0
    assert main(["directions", "roll", "--steps", "3", "--out", "roll.npz"]) == 0
    with np.load("roll.npz") as arrays:
        middle = arrays["z"].shape[1] // 2
        np.testing.assert_array_equal(arrays["z"][:, middle], 0)
        assert arrays["x"].shape == (len(arrays["directions"]), 3, 3)


def test_directions_of_classes(trained_image_run, image_run_template):
    options = ["--kind", "classes", "--steps", "3", "--out", "moving.gif"]
    assert main(["directions", "images", *options]) == 0
    data = prepared("noise", root=str(image_run_template.parent)).load()
    codes, labels = load("images").invert(data.x).numpy(), data.y.numpy()
    with np.load("moving.npz") as arrays:
        assert arrays["labels"].tolist() == [0, 1]
        expected = codes[labels == 1].mean(0) - codes.mean(0)
        np.testing.assert_allclose(arrays["directions"][1], expected, rtol=1e-3, atol=1e-6)
    with Image.open("moving.gif") as animation:
        assert animation.n_frames == 4


@pytest.mark.usefixtures("work_dir")
def test_directions_name_classes(monkeypatch):
    training = ["--steps", "2", *TINY, "--out", "ring"]
    assert main(["train", "ring", *training]) == 0
    grids = []
    monkeypatch.setattr(
        "iidgan.cli.latent.directions.save_grid", lambda path, grid, model: grids.append(grid)
    )
    assert main(["directions", "ring", "--kind", "classes"]) == 0
    assert grids[0].row_names == tuple(f"class {mode}" for mode in range(8))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--num", "3"], ["num", "2", "got 3"]),
        (["run", "--num", "0"], ["num", "0"]),
        (["run", "--kind", "classes"], ["kind", "labels", "sefa"]),
        (["run", "--from", "3"], ["to", "--from"]),
        (["run", "--out", "x.jpg"], ["out", ".png", ".npz"]),
        (["points.npy"], ["points.npy", "generator"]),
    ],
)
def test_directions_refuse_bad_input(trained_run, capsys, arguments, words):
    error = fail_command(capsys, "directions", *arguments)
    assert all(word in error for word in words), error
