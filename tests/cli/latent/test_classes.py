"""Commands on the latent space of a conditional run."""

import numpy as np
import pytest

import iidgan
from iidgan.cli import main


def test_all_classes_one_after_the_other(conditional_run):
    assert main(["sample", conditional_run, "-n", "3", "--label", "all"]) == 0
    with np.load("samples.npz") as arrays:
        labels = arrays["z"][:, 2:].argmax(1)
        assert arrays["x"].shape == (12, 2)
    assert labels.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_picture_counts_all_classes(conditional_run, capsys):
    assert main(["sample", conditional_run, "-n", "2501", "--label", "all", "--out", "x.png"]) == 2
    assert "at most 10,000 samples, got 10,004" in capsys.readouterr().err


def test_one_class(conditional_run):
    assert main(["sample", conditional_run, "-n", "5", "--label", "2"]) == 0
    with np.load("samples.npz") as arrays:
        samples = iidgan.load(conditional_run).sample(5, label=2)
        assert np.array_equal(arrays["x"], samples.numpy())


def test_unknown_class(conditional_run, capsys):
    assert main(["sample", conditional_run, "--label", "9"]) == 2
    assert "label: unknown '9'; known: 0, 1, 2, 3" in capsys.readouterr().err


def test_traverse_needs_a_class(conditional_run, capsys):
    assert main(["traverse", conditional_run]) == 2
    assert "label: this run is conditional; choose one of 0, 1, 2, 3" in capsys.readouterr().err
    assert main(["traverse", conditional_run, "--label", "1", "--out", "t.npz"]) == 0
    with np.load("t.npz") as arrays:
        assert (arrays["z"][..., 2:].argmax(-1) == 1).all()


def test_interpolate_between_classes(conditional_run):
    assert main(["interpolate", conditional_run, "-n", "2", "--out", "i.npz"]) == 0
    with np.load("i.npz") as arrays:
        assert np.allclose(arrays["z"][..., 2:].sum(-1), 1)
    command = ["interpolate", conditional_run, "-n", "2", "--out", "i.npz", "--label", "3"]
    assert main(command) == 0
    with np.load("i.npz") as arrays:
        assert (arrays["z"][..., 2:].argmax(-1) == 3).all()


@pytest.mark.parametrize("label", [[], ["--label", "1"]])
def test_invert_refines_latents_alone(conditional_run, label):
    np.save("x.npy", iidgan.load(conditional_run).sample(4).numpy())
    command = ["invert", conditional_run, "-i", "x.npy", "--refine", "5", *label]
    assert main(command) == 0
    with np.load("codes.npz") as arrays:
        assert arrays["z"].shape == (4, 2)
        assert np.allclose(arrays["c"].sum(1), 1)
        assert not label or (arrays["c"].argmax(1) == 1).all()
        assert (arrays["error"] <= arrays["error_initial"]).all()


def test_directions_by_default_at_most_as_many_as_latents(conditional_run):
    assert main(["directions", conditional_run, "--label", "0"]) == 0
    with np.load("directions.npz") as arrays:
        assert arrays["directions"].shape == (2, 2)


@pytest.mark.parametrize("kind", ["sefa", "classes"])
def test_directions_are_of_latents(conditional_run, kind):
    command = ["directions", conditional_run, "--kind", kind, "-n", "2", "--label", "0"]
    assert main(command) == 0
    with np.load("directions.npz") as arrays:
        assert arrays["directions"].shape[1] == 2
