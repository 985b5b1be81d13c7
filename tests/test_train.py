"""`iidgan.train`: seeds, options, and invalid input, refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from iidgan.cli import main
from iidgan.core import Regularised
from iidgan.data import ArrayFile, Mnist, Ring, array
from iidgan.methods import iid_gan
from iidgan.nn import DCGAN
from iidgan.terms import GaussianTerm
from iidgan.train import train
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    stop_at,
    tiny_run,
    train_tiny,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")


def test_train_seeds_are_independent(tmp_path):
    run = tiny_run(iid_gan())
    pair, alone = (
        train_tiny(run, tmp_path / "a", seeds=[3, 5]),
        train_tiny(run, tmp_path / "b", seeds=[3]),
    )
    assert {row.seed for row in pair.records} == {3, 5}
    for name, value in alone.model(3).nets.state_dict().items():
        torch.testing.assert_close(pair.model(3).nets.state_dict()[name], value)
    torch.testing.assert_close(pair.model(3).sample(50), alone.model().sample(50))
    assert pair.model().point.seeds == (3,)
    assert (pair.model(5).sample(50) - alone.model().sample(50)).abs().max() > 0.01


@pytest.mark.parametrize(
    ("run", "options", "field", "values"),
    [
        (Ring(), {}, "run", ["Ring("]),
        (tiny_run(batch=201), {}, "batch", [201, 200]),
        (tiny_run(), {"seeds": 0}, "seeds", [0]),
        (tiny_run(), {"seeds": -1}, "seeds", [-1]),
        (tiny_run(), {"seeds": 10_001}, "seeds", ["10,000", 10_001]),
        (tiny_run(), {"seeds": range(10_001)}, "seeds", ["10,000", "10,001"]),
        (tiny_run(), {"seeds": [2**63]}, "seeds", [2**63]),
        (tiny_run(), {"seeds": []}, "seeds", ["()"]),
        (tiny_run(), {"seeds": [1, 1]}, "seeds", ["(1, 1)"]),
        (tiny_run(), {"seeds": [0, -2]}, "seeds", ["(0, -2)"]),
        (tiny_run(), {"keep": 0}, "keep", [0]),
        (tiny_run(), {"checkpoint_every": 0}, "checkpoint-every", [0]),
        (tiny_run(), {"device": "gpu"}, "device", ["gpu"]),
        (tiny_run(), {"executor": "egaer"}, "executor", ["egaer", "did you mean 'eager'"]),
        (tiny_run(), {"device": "cuda:99"}, "device", ["cuda:99"]),
        (tiny_run(ema_rampup=0.1), {}, "ema_rampup", [0.1, "ema 0"]),
        (tiny_run(arch=DCGAN()), {}, "arch", ["(2,)", "mlp"]),
        (tiny_run(source=Mnist(root="/nowhere")), {}, None, ["/nowhere"]),
        (tiny_run(source=ArrayFile(path="/nowhere.npy")), {}, None, ["/nowhere.npy"]),
    ],
)
def test_train_refuses_before_writing(tmp_path, run, options, field, values):
    with raises_input_error(field, *values):
        train(run, out=tmp_path / "r", **({"device": "cpu"} | options))
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_train_refuses_nonfinite_data(tmp_path, bad):
    values = np.ones((30, 2))
    values[17, 1] = bad
    np.save(tmp_path / "x.npy", values)
    with raises_input_error(str(tmp_path / "x.npy"), "row 17, column 1"):
        train_tiny(tiny_run(source=array(tmp_path / "x.npy")), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_train_refuses_changed_data(tmp_path):
    values = np.random.default_rng(0).normal(size=(30, 2))
    np.save(tmp_path / "x.npy", values)
    run = tiny_run(source=array(tmp_path / "x.npy"))
    train_tiny(run, tmp_path / "r", **stop_at(4))
    np.save(tmp_path / "x.npy", values + 1)
    with raises_input_error(str(tmp_path / "x.npy")):
        train_tiny(run, tmp_path / "r")


def test_train_makes_paths_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32))
    train_tiny(tiny_run(source=array("x.npy")), Path("run"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["evaluate", str(tmp_path / "run")]) == 0


def test_train_refuses_invalid_method(tmp_path):
    method = Regularised(method=iid_gan(), terms=(GaussianTerm(distance="kl"),))
    with raises_input_error("terms", "gaussian"):
        train_tiny(tiny_run(method), tmp_path / "run")
    assert not (tmp_path / "run").exists()
