"""Fine-tuning: what fits is copied, what is frozen stays, and ids tell starts apart."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch

import iidgan
from iidgan.data import TwoGaussians
from iidgan.nn import MLP
from iidgan.training.context import describe_step
from iidgan.training.fine_tuning import read_start, start_from
from iidgan.training.session import RunSpec, TrainSession
from tests.helpers.errors import raises_input_error
from tests.helpers.training import read_latest_tensors, stop_at, tiny_run, train_tiny

pytestmark = pytest.mark.usefixtures("fast_evaluation")


@pytest.fixture
def trained(completed_run):
    """The directory of IID-GAN with two seeds."""
    return completed_run(tiny_run(iidgan.iid_gan()), 2)


def open_session(run, seeds, out):
    """Creates a session at step 0, with the line on which networks fitted."""
    spec = RunSpec(run=run, seeds=seeds, out=out, device=torch.device("cpu"))
    session = TrainSession(spec, seeds, on_progress=lambda message, record: None)
    return session, session.load({})


def read_nets(path):
    tensors = read_latest_tensors(path)
    return {name[5:]: value for name, value in tensors.items() if name.startswith("nets.")}


def test_every_seed_starts_from_the_same_networks(trained, tmp_path):
    run = tiny_run(iidgan.iid_gan(), start=read_start(trained, 1), ema=0.5)
    session, note = open_session(run, (0, 1, 2), tmp_path)
    expected = read_nets(trained)
    for name, value in session.state.nets.state_dict().items():
        assert torch.equal(value, expected[name][1:].expand_as(value)), name
    averages = session.state.ema_nets.state_dict()
    assert torch.equal(averages["G.head.layer.bias"][2], expected["G.head.layer.bias"][1])
    assert all(f"{name} fits" in note for name in "GDF")


def test_what_does_not_fit_is_new(trained, tmp_path):
    start = read_start(trained)
    run = tiny_run(source=TwoGaussians(size=100), start=start)
    session, note = open_session(run, (0,), tmp_path)
    fresh, _ = open_session(replace(run, start=None), (0,), tmp_path)
    own, random = session.state.nets.state_dict(), fresh.state.nets.state_dict()
    trained_nets = read_nets(trained)
    name = "G.body.0.weight.value"  # reads z, in two dimensions as before
    assert torch.equal(own[name], trained_nets[name][:1])
    name = "G.head.layer.bias"  # returns samples of 128
    assert torch.equal(own[name], random[name])
    assert "2 of 4 tensors of G fit, not G.head.layer.bias, G.head.layer.weight.value" in note
    wider = tiny_run(arch=MLP(latent=3, hidden=(9,)), source=TwoGaussians(size=100), start=start)
    with raises_input_error("from", trained):
        open_session(wider, (0,), tmp_path)


def test_id_tells_starts_apart(trained, tmp_path):
    run = tiny_run()
    moved = shutil.copytree(trained, tmp_path / "moved")
    starts = [read_start(trained, 0), read_start(trained, 1), read_start(trained, freeze_d=1)]
    ids = {run.id, *(replace(run, start=start).id for start in starts)}
    assert len(ids) == 4
    assert replace(run, start=read_start(moved, 0)).id in ids
    assert "start" not in run.to_dict()
    started = replace(run, start=starts[2])
    assert iidgan.Run.from_dict(started.to_dict()) == started


def test_frozen_layers_keep_their_weights(trained, tmp_path):
    run = tiny_run(iidgan.iid_gan(), start=read_start(trained, 0, freeze_d=1))
    train_tiny(run, tmp_path / "r")
    before, after = read_nets(trained), read_nets(tmp_path / "r")
    changed = {name for name, value in after.items() if not torch.equal(value[0], before[name][0])}
    names = {name for name in after if name.startswith("D.")}
    assert names - changed == {"D.body.0.bias", "D.body.0.weight.value"}
    assert any(name.startswith("G.") for name in changed)


def test_compiled_step_of_frozen_layers_is_another_one(trained):
    start = read_start(trained)
    run = tiny_run(iidgan.iid_gan())
    data = run.source.load()
    steps = [
        describe_step(replace(run, start=other), data)
        for other in (None, start, replace(start, freeze_d=1))
    ]
    assert steps[0] == steps[1]
    assert steps[1] != steps[2]


def test_interrupted_fine_tuning_resumes(trained, tmp_path):
    source = shutil.copytree(trained, tmp_path / "source")
    run = tiny_run(iidgan.iid_gan(), start=read_start(source, 0, freeze_d=1))
    train_tiny(run, tmp_path / "whole")
    train_tiny(run, tmp_path / "resumed", **stop_at(4))
    shutil.rmtree(source)  # is in the checkpoint by now
    train_tiny(run, tmp_path / "resumed")
    whole, resumed = read_nets(tmp_path / "whole"), read_nets(tmp_path / "resumed")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_exported_networks_have_no_discriminator(trained, tmp_path):
    folder = trained / "generator"
    run = tiny_run(iidgan.iid_gan(), start=read_start(folder, 1))
    session, note = open_session(run, (0,), tmp_path)
    expected = iidgan.load(folder, 1).nets["G"].state_dict()
    own = session.state.nets["G"].state_dict()
    assert all(torch.equal(value, own[name]) for name, value in expected.items())
    assert "D is new" in note
    with raises_input_error("freeze-d", folder):
        read_start(folder, freeze_d=1)


def test_start_refuses_bad_input(trained, tmp_path):
    with raises_input_error("from-seed", 7, "0, 1"):
        read_start(trained, 7)
    with raises_input_error("run", tmp_path):
        read_start(tmp_path)
    with raises_input_error("freeze-d", -1):
        read_start(trained, freeze_d=-1)
    start = read_start(trained)
    session, _ = open_session(tiny_run(iidgan.iid_gan()), (0,), tmp_path)
    with raises_input_error("from", "0123456789ab", start.digest):
        start_from(session.state, replace(start, digest="0123456789ab"), ())
    with raises_input_error("freeze-d", 2):
        open_session(tiny_run(start=replace(start, freeze_d=2)), (0,), tmp_path)
    with raises_input_error("freeze-d", "no D"):
        open_session(tiny_run(iidgan.VAE(), start=replace(start, freeze_d=1)), (0,), tmp_path)
    deeper = tiny_run(arch=MLP(hidden=(9,)), start=replace(start, freeze_d=1))
    with raises_input_error("freeze-d", "D.body.0"):
        open_session(deeper, (0,), tmp_path)
