"""`iidgan invert`."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from iidgan.cli import main
from iidgan.training.export import load
from tests.helpers.cli import fail_command, run_main


def test_invert_maps_samples(trained_run):
    assert main(["sample", "run", "-n", "50", "--out", "x.npz", "--seed", "1"]) == 0
    assert main(["invert", "run", "--input", "x.npz", "--out", "z.npz"]) == 0
    with np.load("z.npz") as codes:
        assert codes["z"].shape == (50, 2)


def test_invert_reads_table(trained_run, capsys):
    with open("x.csv", "w") as file:
        file.write(",x,y\n0,0.5,1\n1,1.5,2\n2,-0.5,3\n")
    assert main(["invert", "run", "--input", "x.csv", "--out", "z.npz"]) == 0
    assert "index" in capsys.readouterr().err
    np.save("x.npy", np.array([[0.5, 1], [1.5, 2], [-0.5, 3]], ">f8"))
    assert main(["invert", "run", "--input", "x.npy", "--out", "z2.npz"]) == 0
    with np.load("z.npz") as table, np.load("z2.npz") as array:
        np.testing.assert_array_equal(table["z"], array["z"])


def test_invert_refuses_codes_that_are_not_finite(trained_run, capsys, monkeypatch):
    np.save("x.npy", np.zeros((2, 2)))
    codes = torch.tensor([[0, 0], [0, torch.inf]])
    monkeypatch.setattr("iidgan.training.model.Model.invert", lambda self, x: codes)
    assert "row 1" in fail_command(capsys, "invert", "run", "--input", "x.npy")


def save_images(folder, images):
    os.makedirs(folder, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(f"{folder}/{i}.png")


def test_invert_reads_image_files(trained_image_run, capsys):
    images = np.random.default_rng(0).integers(256, size=(3, 8, 8), dtype=np.uint8)
    save_images("folder", images)
    np.save("array.npy", images[:, None])
    for name in ("folder", "array.npy", "folder/1.png"):
        out = f"{os.path.basename(name)}.npz"
        assert main(["invert", "images", "--input", name, "--out", out]) == 0
    with np.load("folder.npz") as folder, np.load("array.npy.npz") as array:
        np.testing.assert_array_equal(folder["z"], array["z"])
        with np.load("1.png.npz") as single:
            np.testing.assert_allclose(single["z"], folder["z"][1:2], rtol=1e-5, atol=1e-6)
        expected = (folder["x_cycled"] - (images[:, None] / 127.5 - 1)) ** 2
        np.testing.assert_allclose(folder["error"], expected.mean((1, 2, 3)), rtol=1e-5)


def test_invert_refines(trained_image_run, capsys):
    images = np.random.default_rng(0).integers(256, size=(3, 8, 8), dtype=np.uint8)
    save_images("folder", images)
    options = ["--refine", "5", "--images", "picture.png"]
    answer = run_main(capsys, "invert", "images", "--input", "folder", *options)
    assert [line.split()[0] for line in answer.splitlines()] == [
        *("sample", "0", "1", "2", "mean", "codes.npz:"),
    ]
    with np.load("codes.npz") as codes:
        assert (codes["error"] <= codes["error_initial"]).all()
        assert codes["z"].shape == codes["z_initial"].shape == (3, 4)
        assert ((codes["quantile"] >= 0) & (codes["quantile"] <= 1)).all()
    assert os.path.getsize("picture.png") > 1000


def test_invert_without_inverse_refines_from_zero(work_dir, capsys):
    training = ["--steps", "2", "--arch.hidden", "8", "--batch", "16", "--out", "plain"]
    assert main(["train", "points.npy", "--method", "gan", *training]) == 0
    command = ["invert", "plain", "--input", "points.npy"]
    error = fail_command(capsys, *command)
    assert all(word in error for word in ("F", "iid-gan", "bigan", "--term cycle", "--refine"))
    assert main([*command, "--refine", "2"]) == 0
    assert "from 0" in capsys.readouterr().err


def test_invert_resizes_images(trained_image_run, capsys):
    save_images("large", np.zeros((2, 12, 12), np.uint8))
    command = ["invert", "images", "--input", "large"]
    assert "--size 8x8" in fail_command(capsys, *command)
    assert main([*command, "--size", "8x8"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["invert", "run", "--input", "photo.png"], ["photo.png", "(2,)"]),
        (["invert", "run", "--input", "nowhere"], ["nowhere"]),
        (["invert", "run", "--input", "wide.npy", "--images", "x.jpg"], ["images", ".png"]),
        (["invert", "run", "--input", "points.npy", "--refine", "-1"], ["refine", "-1"]),
        (["invert", "run", "--input", "none.npz"], ["none.npz", "No such file"]),
        (["invert", "run", "--input", "run/run.json"], ["run.json", "ZIP or TAR"]),
        (["invert", "run", "--input", "wide.npy"], ["(3,)", "(2,)"]),
        (["invert", "run", "--input", "single.npy"], ["(2,)", "(1, 2)"]),
        (["invert", "run", "--input", "empty.npy"], ["empty.npy", "no samples"]),
        (["invert", "run", "--input", "huge.npy"], ["huge.npy", "row 0, column 0", "1e+300"]),
        (["invert", "run", "--input", "broken.npz"], ["broken.npz"]),
        (["invert", "run", "--input", "infinite.npy"], ["infinite.npy", "finite"]),
    ],
)
def test_invert_refuses_bad_input(trained_run, capsys, arguments, words):
    Image.new("L", (8, 8)).save("photo.png")
    np.save("wide.npy", np.zeros((4, 3)))
    np.save("infinite.npy", np.full((4, 2), np.inf))
    np.save("single.npy", np.zeros(2))
    np.save("empty.npy", np.zeros((0, 2)))
    np.save("huge.npy", np.full((1, 2), 1e300))
    np.savez("whole.npz", x=np.zeros((400, 2)))
    with open("whole.npz", "rb") as whole, open("broken.npz", "wb") as broken:
        broken.write(whole.read()[:200])
    error = fail_command(capsys, *arguments)
    assert all(word in error for word in words), error


def test_samples_of_a_run_are_read(trained_run):
    assert main(["invert", "run", "--input", "run"]) == 0
    model = load("run")
    with np.load("codes.npz") as arrays:
        expected = model.invert(model.sample(len(arrays["z"])))
        np.testing.assert_allclose(arrays["z"], expected, atol=1e-5)
