"""Checkpoints: round trips, damage, seeds of several processes, and refusal of other networks."""

import json

import pytest
import torch
from safetensors.torch import load_file, save

from iidgan.core import NetworkFactory
from iidgan.engine import checkpoint
from iidgan.engine.checkpoint import LatestCheckpoints, RunIdentity, find_latest
from iidgan.engine.optim import Adam
from iidgan.engine.state import init_state, named_tensors, restore_state, select_seeds
from iidgan.methods import iid_gan
from iidgan.nn import MLP
from iidgan.utils.files import file_sha256
from tests.helpers.engine import (
    SEEDS,
    SMALL_ARCH,
    assert_equal_tensors,
    clone_tensors,
    load_newest,
    save_state,
    train_briefly,
)
from tests.helpers.errors import raises_input_error

IDENTITY = RunIdentity("a1", SEEDS)


def select_state(state, seeds):
    """A state with some of the seeds."""
    part = train_briefly(seeds=SEEDS[seeds], steps=1)
    restore_state(part, select_seeds(named_tensors(state), seeds))
    part.step, part.diverged = state.step, state.diverged[seeds]
    return part


def save_part(folder, state, seeds, **options):
    part = select_state(state, seeds)
    return save_state(folder, part, identity=IDENTITY, seeds=SEEDS[seeds], **options)


def newest_steps(folder):
    latest = find_latest(folder, IDENTITY)
    return [latest.step_of(seed) for seed in SEEDS]


class TestSaveState:
    def test_save_state_round_trip(self, tmp_path):
        state = train_briefly(iid_gan(), ema=0.9)
        state.diverged = torch.tensor([-1, 2, -1])
        torch.manual_seed(5)
        path = save_state(tmp_path, state)
        assert path == tmp_path / "step-00000003"
        assert {file.name for file in path.iterdir()} == {"state.safetensors", "MANIFEST.json"}
        expected = torch.rand(3)
        loaded = init_state(iid_gan(), SMALL_ARCH, Adam(), SEEDS, ema=0.9)
        torch.manual_seed(6)
        load_newest(tmp_path, loaded)
        assert torch.equal(torch.rand(3), expected)
        assert (loaded.step, loaded.diverged.tolist()) == (3, [-1, 2, -1])
        assert_equal_tensors(named_tensors(loaded), named_tensors(state))

    def test_save_state_is_reproducible(self, tmp_path):
        paths = [save_state(tmp_path / name, train_briefly()) for name in "ab"]
        files = [
            [path / name for path in paths] for name in ("state.safetensors", "MANIFEST.json")
        ]
        assert [left.read_bytes() == right.read_bytes() for left, right in files] == [True, True]

    def test_save_state_changes_nothing(self, tmp_path):
        state = train_briefly()
        before = clone_tensors(named_tensors(state))
        rng_state = torch.get_rng_state()
        save_state(tmp_path, state)
        assert_equal_tensors(before, named_tensors(state))
        assert torch.equal(rng_state, torch.get_rng_state())

    def test_save_state_keeps_newest(self, tmp_path):
        state = train_briefly()
        for state.step in (5, 10, 90, 100, 2000):
            save_state(tmp_path, state, keep=2)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["step-00000100", "step-00002000"]
        assert newest_steps(tmp_path) == [2000] * 3

    def test_save_state_replaces_same_step(self, tmp_path):
        state = train_briefly()
        save_state(tmp_path, state)
        with torch.no_grad():
            next(state.nets.parameters()).add_(1)
        save_state(tmp_path, state)
        loaded = train_briefly(steps=0)
        load_newest(tmp_path, loaded)
        assert_equal_tensors(named_tensors(loaded), named_tensors(state))
        assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]


class TestSeedsOfSeveralProcesses:
    def test_files_of_processes_make_one_checkpoint(self, tmp_path):
        state = train_briefly()
        state.diverged = torch.tensor([-1, 2, -1])
        for seeds in (slice(1, 3), slice(0, 1)):
            path = save_part(tmp_path, state, seeds)
        names = {file.name for file in path.iterdir()}
        assert names == {"state-0-0.safetensors", "state-1-2.safetensors", "MANIFEST.json"}
        loaded = train_briefly(steps=0)
        load_newest(tmp_path, loaded)
        assert_equal_tensors(named_tensors(loaded), named_tensors(state))
        assert (loaded.step, loaded.diverged.tolist()) == (3, [-1, 2, -1])

    @pytest.mark.parametrize("seeds", [slice(0, 1), slice(1, 3), slice(1, 2)])
    def test_load_state_selects_seeds(self, tmp_path, seeds):
        """A resumed run may be split differently."""
        state = train_briefly()
        save_state(tmp_path, state)
        part = train_briefly(seeds=SEEDS[seeds], steps=0)
        checkpoint.load_state(part, SEEDS[seeds], find_latest(tmp_path, IDENTITY).files)
        assert_equal_tensors(named_tensors(part), select_seeds(named_tensors(state), seeds))

    def test_find_latest_of_each_seed(self, tmp_path):
        state = train_briefly()
        for state.step, seeds in ((4, slice(0, 1)), (6, slice(1, 3)), (8, slice(0, 1))):
            save_part(tmp_path, state, seeds)
        latest = find_latest(tmp_path, IDENTITY)
        assert newest_steps(tmp_path) == [8, 6, 6]
        assert latest.group_seeds(SEEDS) == [(0,), (1, 2)]
        (tmp_path / "step-00000008" / "MANIFEST.json").unlink()
        assert newest_steps(tmp_path) == [4, 6, 6]

    def test_find_latest_without_some_seeds(self, tmp_path):
        save_part(tmp_path, train_briefly(), slice(1, 3))
        latest = find_latest(tmp_path, IDENTITY)
        assert newest_steps(tmp_path) == [0, 3, 3]
        assert latest.diverged_step_of(0) == -1
        assert latest.group_seeds(SEEDS) == [(0,), (1, 2)]

    def test_find_latest_ignores_unlisted_file(self, tmp_path):
        """As a crash leaves behind that comes between a file and the manifest."""
        path = save_part(tmp_path, train_briefly(), slice(0, 1))
        (path / "state-1-2.safetensors").write_bytes(b"half")
        assert newest_steps(tmp_path) == [3, 0, 0]
        save_part(tmp_path, train_briefly(), slice(1, 3))
        assert newest_steps(tmp_path) == [3, 3, 3]

    def test_unlisted_file_is_not_counted(self, tmp_path):
        """Otherwise the last valid checkpoint of its seeds would be removed."""
        state = train_briefly()
        for state.step in (10, 20):
            save_part(tmp_path, state, slice(1, 3), keep=1)
        unlisted = save_part(tmp_path, state, slice(0, 1), keep=1) / "state-1-2.safetensors"
        digests = json.loads((unlisted.parent / "MANIFEST.json").read_text())
        del digests[unlisted.name]
        (unlisted.parent / "MANIFEST.json").write_text(json.dumps(digests))
        state.step = 15
        save_part(tmp_path, state, slice(1, 3), keep=1)
        for state.step in (25, 30):
            save_part(tmp_path, state, slice(0, 1), keep=1)
        assert newest_steps(tmp_path) == [30, 15, 15]

    def test_each_seed_keeps_its_newest(self, tmp_path):
        """A process that is ahead removes nothing that another one still needs."""
        state = train_briefly()
        for state.step in (10, 20):
            save_state(tmp_path, state, keep=2)
        for state.step in (30, 40, 50):
            save_part(tmp_path, state, slice(0, 1), keep=2)
        steps = [int(path.name[5:]) for path in sorted(tmp_path.glob("step-*"))]
        assert steps == [10, 20, 40, 50]
        for state.step in (30, 40):
            save_part(tmp_path, state, slice(1, 3), keep=2)
        steps = [int(path.name[5:]) for path in sorted(tmp_path.glob("step-*"))]
        assert steps == [30, 40, 50]


class TestFindLatest:
    def test_find_latest_without_checkpoint(self, tmp_path):
        assert find_latest(tmp_path, IDENTITY) == LatestCheckpoints({}, {})
        assert find_latest(tmp_path / "missing", IDENTITY) == LatestCheckpoints({}, {})

    @pytest.mark.parametrize(
        ("damage", "reasons"),
        [
            ("truncate", ["state.safetensors"]),
            ("flip", ["state.safetensors"]),
            ("remove state", ["FileNotFoundError", "state.safetensors"]),
            ("remove manifest", ["FileNotFoundError", "MANIFEST.json"]),
            ("truncate manifest", ["JSONDecodeError"]),
            ("empty manifest", ["MANIFEST.json", "no state"]),
            ("other name", ["MANIFEST.json", "other.json"]),
        ],
    )
    def test_find_latest_skips_damaged(self, tmp_path, damage, reasons):
        state = train_briefly()
        for state.step in (10, 20, 30):
            newest_path = save_state(tmp_path, state)
        damage_checkpoint(newest_path, damage)
        latest = find_latest(tmp_path, IDENTITY)
        assert newest_steps(tmp_path) == [20] * 3
        assert list(latest.damaged) == [newest_path]
        assert all(reason in latest.damaged[newest_path] for reason in reasons)

    @pytest.mark.parametrize("name", ["step-00000040", "step-later", "step-30"])
    def test_find_latest_skips_renamed(self, tmp_path, name):
        state = train_briefly()
        for state.step in (20, 30):
            path = save_state(tmp_path, state)
        renamed_path = path.rename(tmp_path / name)
        latest = find_latest(tmp_path, IDENTITY)
        assert newest_steps(tmp_path) == [20] * 3
        assert latest.damaged == {renamed_path: "its files are of step 30"}

    def test_find_latest_all_damaged(self, tmp_path):
        state = train_briefly()
        for state.step in (10, 20):
            damage_checkpoint(save_state(tmp_path, state), "truncate")
        latest = find_latest(tmp_path, IDENTITY)
        assert latest.files == {}
        assert len(latest.damaged) == 2

    @pytest.mark.parametrize(
        "stored",
        [RunIdentity("b2", SEEDS), RunIdentity("a1", (5, 6, 7)), RunIdentity("a1", (0, 1, 3))],
    )
    def test_find_latest_refuses_other_run(self, tmp_path, stored):
        path = save_state(tmp_path, train_briefly(), identity=stored)
        with raises_input_error(str(path / "state.safetensors"), stored, IDENTITY):
            find_latest(tmp_path, IDENTITY)
        assert find_latest(tmp_path, stored).files

    @pytest.mark.parametrize("facts", [{}, {"id": "a1", "seeds": SEEDS}])
    def test_find_latest_reads_old_checkpoint(self, tmp_path, facts):
        """Facts were beside the tensors, and did not always say whose they are."""
        path, loaded = save_state(tmp_path, train_briefly()), train_briefly(steps=0)
        write_old_checkpoint(path, facts | {"step": 3, "diverged": [-1, 2, -1]})
        load_newest(tmp_path, loaded)
        assert (loaded.step, loaded.diverged.tolist()) == (3, [-1, 2, -1])

    @pytest.mark.parametrize(
        "facts",
        [{}, [], {"step": "3", "diverged": [-1] * 3}, {"step": -1, "diverged": [-1] * 3}]
        + [{"step": 3, "diverged": marks} for marks in ([], [-1], [0.5] * 3, "abc", None)],
    )
    def test_find_latest_refuses_other_facts(self, tmp_path, facts):
        path = save_state(tmp_path, train_briefly())
        write_old_checkpoint(path, facts)
        with raises_input_error(str(path / "state.safetensors"), "damaged"):
            find_latest(tmp_path, IDENTITY)


class TestLoadState:
    @pytest.mark.parametrize(
        ("changes", "difference"),
        [
            ({"method": iid_gan()}, "nets.F."),
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
            path = save_state(tmp_path / str(number), saved)
            with raises_input_error(str(path / "state.safetensors"), difference):
                load_newest(tmp_path / str(number), target)

    def test_load_state_refuses_missing_random_state(self, tmp_path):
        path = save_state(tmp_path, train_briefly())
        files = find_latest(tmp_path, IDENTITY).files
        tensors = load_file(path / "state.safetensors")
        del tensors[checkpoint.GLOBAL_RNG]
        (path / "state.safetensors").write_bytes(save(tensors))
        with raises_input_error(str(path / "state.safetensors"), "damaged", "rng"):
            checkpoint.load_state(train_briefly(steps=0), SEEDS, files)


def write_old_checkpoint(folder, facts):
    """Rewrites a checkpoint as it was written before facts became metadata."""
    (folder / "state.safetensors").write_bytes(save(load_file(folder / "state.safetensors")))
    (folder / "state.json").write_text(json.dumps(facts))
    digests = {name: file_sha256(folder / name) for name in ("state.safetensors", "state.json")}
    (folder / "MANIFEST.json").write_text(json.dumps(digests))


def damage_checkpoint(folder, damage):
    state, manifest = folder / "state.safetensors", folder / "MANIFEST.json"
    content = bytearray(state.read_bytes())
    match damage:
        case "truncate":
            state.write_bytes(content[:-1])
        case "flip":
            content[len(content) // 2] ^= 1
            state.write_bytes(content)
        case "remove state":
            state.unlink()
        case "remove manifest":
            manifest.unlink()
        case "truncate manifest":
            manifest.write_text(manifest.read_text()[:-5])
        case "empty manifest":
            manifest.write_text("{}")
        case "other name":
            (folder / "other.json").write_text("{}")
            digest = file_sha256(folder / "other.json")
            manifest.write_text(
                json.dumps(json.loads(manifest.read_text()) | {"other.json": digest})
            )
