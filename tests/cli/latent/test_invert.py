"""`iidgan invert`."""

import numpy as np
import pytest
import torch

from iidgan.cli import main
from tests.helpers.cli import fail_command


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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["invert", "run", "--input", "none.npz"], ["none.npz", "No such file"]),
        (["invert", "run", "--input", "run/run.json"], ["run.json", ".npy, .npz, .csv"]),
        (["invert", "run", "--input", "wide.npy"], ["(3,)", "(2,)"]),
        (["invert", "run", "--input", "single.npy"], ["(2,)", "(1, 2)"]),
        (["invert", "run", "--input", "empty.npy"], ["empty.npy", "no samples"]),
        (["invert", "run", "--input", "huge.npy"], ["huge.npy", "row 0, column 0", "1e+300"]),
        (["invert", "run", "--input", "broken.npz"], ["broken.npz"]),
        (["invert", "run", "--input", "infinite.npy"], ["infinite.npy", "finite"]),
    ],
)
def test_invert_refuses_bad_input(trained_run, capsys, arguments, words):
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
