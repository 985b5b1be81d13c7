"""Checkpoints: round trips, damage, and refusal of other networks."""

import json

import pytest
import torch
from safetensors.torch import save

from iidgan.core import NetworkFactory
from iidgan.engine import checkpoint
from iidgan.engine.checkpoint import RunIdentity
from iidgan.engine.optim import Adam
from iidgan.engine.state import init_state, named_tensors
from iidgan.methods import iid_gan
from iidgan.nn import MLP
from tests.helpers.engine import (
    SEEDS,
    SMALL_ARCH,
    assert_equal_tensors,
    clone_tensors,
    train_briefly,
)
from tests.helpers.errors import raises_input_error


class TestCheckpoint:
    def test_save_state_round_trip(self, tmp_path):
        state = train_briefly(iid_gan(), ema=0.9)
        state.diverged = torch.tensor([-1, 2, -1])
        torch.manual_seed(5)
        path = checkpoint.save_state(tmp_path, state)
        assert path == tmp_path / "step-00000003"
        expected = torch.rand(3)
        loaded = init_state(iid_gan(), SMALL_ARCH, Adam(), SEEDS, ema=0.9)
        torch.manual_seed(6)
        checkpoint.load_state(path, loaded)
        assert torch.equal(torch.rand(3), expected)
        assert (loaded.step, loaded.diverged.tolist()) == (3, [-1, 2, -1])
        assert_equal_tensors(named_tensors(loaded), named_tensors(state))

    def test_save_state_changes_nothing(self, tmp_path):
        state = train_briefly()
        before = clone_tensors(named_tensors(state))
        rng_state = torch.get_rng_state()
        checkpoint.save_state(tmp_path, state)
        assert_equal_tensors(before, named_tensors(state))
        assert torch.equal(rng_state, torch.get_rng_state())

    def test_save_state_keeps_newest(self, tmp_path):
        state = train_briefly()
        for state.step in (5, 10, 90, 100, 2000):
            checkpoint.save_state(tmp_path, state, keep=2)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["step-00000100", "step-00002000"]
        assert checkpoint.find_latest(tmp_path).path == tmp_path / "step-00002000"

    def test_save_state_replaces_same_step(self, tmp_path):
        state = train_briefly()
        checkpoint.save_state(tmp_path, state)
        with torch.no_grad():
            next(state.nets.parameters()).add_(1)
        checkpoint.save_state(tmp_path, state)
        loaded = train_briefly(steps=0)
        checkpoint.load_state(checkpoint.find_latest(tmp_path).path, loaded)
        assert_equal_tensors(named_tensors(loaded), named_tensors(state))
        assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]

    def test_find_latest_without_checkpoint(self, tmp_path):
        assert checkpoint.find_latest(tmp_path) == checkpoint.LatestCheckpoint(None, {})
        assert checkpoint.find_latest(tmp_path / "missing").path is None

    @pytest.mark.parametrize(
        ("damage", "reasons"),
        [
            ("truncate", ["state.safetensors"]),
            ("flip", ["state.safetensors"]),
            ("flip json", ["state.json"]),
            ("remove state", ["FileNotFoundError", "state.safetensors"]),
            ("remove manifest", ["FileNotFoundError", "MANIFEST.json"]),
            ("truncate manifest", ["JSONDecodeError"]),
        ],
    )
    def test_find_latest_skips_damaged(self, tmp_path, damage, reasons):
        state = train_briefly()
        for state.step in (10, 20, 30):
            newest_path = checkpoint.save_state(tmp_path, state)
        damage_checkpoint(newest_path, damage)
        latest = checkpoint.find_latest(tmp_path)
        assert latest.path == tmp_path / "step-00000020"
        assert list(latest.damaged) == [newest_path]
        assert all(reason in latest.damaged[newest_path] for reason in reasons)

    def test_find_latest_all_damaged(self, tmp_path):
        state = train_briefly()
        for state.step in (10, 20):
            damage_checkpoint(checkpoint.save_state(tmp_path, state), "truncate")
        latest = checkpoint.find_latest(tmp_path)
        assert latest.path is None
        assert len(latest.damaged) == 2

    @pytest.mark.parametrize(
        "stored",
        [RunIdentity("a1", SEEDS), RunIdentity("b2", (5, 6, 7)), RunIdentity("b2", SEEDS[:2])],
    )
    def test_load_state_refuses_other_run(self, tmp_path, stored):
        expected = RunIdentity("b2", SEEDS)
        state, loaded = train_briefly(), train_briefly(steps=0)
        path = checkpoint.save_state(tmp_path, state, identity=stored)
        before = clone_tensors(named_tensors(loaded))
        with raises_input_error(str(path), stored, expected):
            checkpoint.load_state(path, loaded, identity=expected)
        assert_equal_tensors(before, named_tensors(loaded))
        for identity in (stored, None):
            checkpoint.load_state(path, loaded, identity=identity)

    def test_load_state_accepts_old_checkpoint(self, tmp_path):
        path, loaded = checkpoint.save_state(tmp_path, train_briefly()), train_briefly(steps=0)
        checkpoint.load_state(path, loaded, identity=RunIdentity("a1", SEEDS))
        assert loaded.step == 3

    @pytest.mark.parametrize(
        ("changes", "difference"),
        [
            ({"method": iid_gan()}, "nets.F."),
            ({"seeds": (0, 1)}, "shape"),
            ({"arch": NetworkFactory(MLP(latent=2, hidden=(9,)), (2,))}, "shape"),
            ({"ema": 0.9}, "average."),
        ],
    )
    def test_load_state_refuses_other_networks(self, tmp_path, changes, difference):
        """In both directions: nothing is broadcast, missing, or left over."""
        pairs = [
            (train_briefly(), train_briefly(**changes)),
            (train_briefly(**changes), train_briefly()),
        ]
        for number, (saved, target) in enumerate(pairs):
            path = checkpoint.save_state(tmp_path / str(number), saved)
            with raises_input_error(str(path / "state.safetensors"), difference):
                checkpoint.load_state(path, target)

    @pytest.mark.parametrize(
        "facts",
        [{}, [], {"step": "3", "diverged": [-1] * 3}]
        + [{"step": 3, "diverged": marks} for marks in ([], [-1], [0.5] * 3, "abc", None)],
    )
    def test_load_state_refuses_other_facts(self, tmp_path, facts):
        path = checkpoint.save_state(tmp_path, train_briefly())
        (path / "state.json").write_text(json.dumps(facts))
        with raises_input_error(str(path / "state.json"), "damaged"):
            checkpoint.load_state(path, train_briefly(steps=0))

    def test_load_state_refuses_missing_random_state(self, tmp_path):
        path = checkpoint.save_state(tmp_path, train_briefly())
        tensors = checkpoint.read_tensors(path)
        del tensors[checkpoint.GLOBAL_RNG]
        (path / "state.safetensors").write_bytes(save(tensors))
        with raises_input_error(str(path / "state.safetensors"), "damaged", "rng"):
            checkpoint.load_state(path, train_briefly(steps=0))


def damage_checkpoint(folder, damage):
    state, manifest = folder / "state.safetensors", folder / "MANIFEST.json"
    content = bytearray(state.read_bytes())
    match damage:
        case "truncate":
            state.write_bytes(content[:-1])
        case "flip":
            content[len(content) // 2] ^= 1
            state.write_bytes(content)
        case "flip json":
            (folder / "state.json").write_text('{"step": 31, "diverged": [-1, -1, -1]}')
        case "remove state":
            state.unlink()
        case "remove manifest":
            manifest.unlink()
        case "truncate manifest":
            manifest.write_text(manifest.read_text()[:-5])
