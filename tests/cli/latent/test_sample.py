"""`iidgan sample`."""

import numpy as np
import pytest

from iidgan.cli import main
from tests.helpers.cli import fail_command


def test_sample_is_deterministic(trained_run):
    for name in ("x.npz", "again.npz"):
        assert main(["sample", "run", "-n", "50", "--out", name, "--seed", "1"]) == 0
    with np.load("x.npz") as first, np.load("again.npz") as second:
        assert first["x"].shape == first["z"].shape == (50, 2)
        np.testing.assert_array_equal(first["x"], second["x"])


def test_sample_writes_blocks(trained_run, monkeypatch):
    assert main(["sample", "run", "-n", "70", "--out", "whole.npz"]) == 0
    monkeypatch.setattr("iidgan.training.model.MAX_BLOCK_ROWS", 16)
    assert main(["sample", "run", "-n", "70", "--out", "blocks.npz"]) == 0
    with np.load("whole.npz") as whole, np.load("blocks.npz") as blocks:
        np.testing.assert_array_equal(whole["z"], blocks["z"])
        np.testing.assert_allclose(whole["x"], blocks["x"], rtol=1e-5, atol=1e-6)


def test_psi_scales_latents(trained_run):
    for name, psi in {"prior": "1", "half": "0.5", "none": "0"}.items():
        assert main(["sample", "run", "-n", "50", "--psi", psi, "--out", f"{name}.npz"]) == 0
    with np.load("prior.npz") as prior, np.load("half.npz") as half, np.load("none.npz") as none:
        np.testing.assert_array_equal(half["z"], prior["z"] / 2)
        np.testing.assert_array_equal(none["x"], np.broadcast_to(none["x"][0], (50, 2)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sample", "run", "--out", "x.txt"], ["x.txt", ".npz", ".png"]),
        (["sample", "run", "-n", "0"], ["num", "0"]),
        (["sample", "run", "-n", "9" * 15], ["num", "GiB are needed"]),
        (["sample", "run", "--seed", "7"], ["seed", "7", "0, 1"]),
        (["sample", "run", "-n", "10001", "--out", "x.png"], ["num", "10,000", ".npz"]),
        (["sample", "run", "--stream", "-1"], ["stream", "-1"]),
        (["sample", "run", "--psi", "-0.5"], ["psi", "-0.5"]),
        (["sample", "run", "--psi", "nan"], ["psi", "nan"]),
        (["sample", "run", "--psi", "inf"], ["psi", "inf"]),
        (["sample", "nowhere"], ["run: nowhere"]),
    ],
)
def test_sample_refuses_bad_input(trained_run, capsys, arguments, words):
    error = fail_command(capsys, *arguments)
    assert all(word in error for word in words), error
