"""Folders that an earlier version wrote: they load, go on, and give the numbers that they gave.

`fixtures/run-v1` is a run of 20 steps that was stopped after 10; `fixtures/run-v1-end` is what it
came to when the version that had begun it went on; `fixtures/prepared-v1` is a prepared set. All
were written when `run.json` had no version.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import iidgan
from iidgan.cli import main
from iidgan.config.run import Run
from iidgan.config.serialization import encode
from iidgan.core import Regularised
from iidgan.data import Prepared, Ring, prepared
from iidgan.errors import InputError
from iidgan.methods import GAN, wgan_gp
from iidgan.nn import DCGAN, MLP
from iidgan.records import read
from iidgan.terms import CycleConsistency, GaussianConsistency
from iidgan.training.migration import VERSION, migrate
from iidgan.training.run_dir import RunFolder
from iidgan.utils.files import MANIFEST, digest

FIXTURES = Path(__file__).parent / "fixtures"
END = FIXTURES / "run-v1-end"

ID = "8a2efc0025d8"
RUN = Run(
    source=Ring(std=0.3, size=200),
    method=Regularised(method=wgan_gp(), terms=(CycleConsistency(), GaussianConsistency())),
    arch=MLP(hidden=(8,)),
    steps=20,
    batch=16,
)
CLOSE = {"rtol": 1e-4, "atol": 1e-6}  # processors round differently


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """As many samples for the metrics as when the fixtures were made."""
    monkeypatch.setattr(Ring, "num_evaluated", 500)
    monkeypatch.setattr(Prepared, "num_evaluated", 20)


@pytest.fixture
def old(tmp_path) -> Path:
    """A copy of the old run's folder."""
    return shutil.copytree(FIXTURES / "run-v1", tmp_path / "run")


@pytest.fixture
def sets(tmp_path) -> Path:
    """A copy of the old folder of prepared sets."""
    return shutil.copytree(FIXTURES / "prepared-v1", tmp_path / "sets")


def facts_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def go_on(path: Path) -> iidgan.Result:
    return iidgan.train(
        RUN, out=path, seeds=2, device="cpu", executor="eager", checkpoint_every=10
    )


# A run


def test_the_fixture_is_of_the_first_version():
    for path in (FIXTURES / "run-v1").rglob("*.json"):
        assert "version" not in facts_of(path)


def test_an_old_run_is_the_same_run(old):
    assert RunFolder(old).read() == (RUN, (0, 1))
    assert facts_of(old / "run.json")["id"] == RUN.id == ID
    assert facts_of(old / "run.json")["run"] == encode(RUN)
    assert '"iidgan.methods.wgan:Wasserstein"' in (old / "run.json").read_text()


def test_an_old_generator_draws_and_inverts_as_it_did(old):
    model = iidgan.load(old, seed=1)
    assert (model.stand.run.id, model.stand.step, model.stand.seeds) == (ID, 10, (1,))
    expected = load_file(END / "samples-of-step-10.safetensors")
    torch.testing.assert_close(model.sample(8), expected["x"], **CLOSE)
    torch.testing.assert_close(model.invert(expected["x"]), expected["z"], **CLOSE)


def test_an_old_run_is_measured_as_it_was(old, capsys):
    assert main(["evaluate", str(old), "--device", "cpu"]) == 0
    assert_same_rows(read(old / "evaluations.jsonl"), read(old / "metrics.jsonl"))


def test_reading_an_old_folder_leaves_its_files_as_they_are(old):
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    RunFolder(old).read()
    iidgan.load(old).sample(4)
    assert main(["evaluate", str(old), "--device", "cpu"]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_an_old_run_goes_on_to_the_end_that_it_had(old):
    result = go_on(old)
    assert (result.ending, result.step, result.diverged) == ("finished", 20, (-1, -1))
    found = load_file(old / "generator" / "model.safetensors")
    expected = load_file(END / "model.safetensors")
    assert found.keys() == expected.keys()
    assert {name.partition(".")[0] for name in found} == {"F", "G"}
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, **CLOSE)
    assert_same_rows([row for row in result.rows if row.step == 20], read(END / "metrics.jsonl"))


def test_an_old_run_that_went_on_names_the_version_of_what_was_written_since(old):
    go_on(old)
    assert "version" not in facts_of(old / "run.json")
    assert facts_of(old / "generator" / "config.json")["version"] == VERSION
    assert iidgan.load(old).stand.step == 20


def test_another_run_is_kept_out_of_an_old_folder(old):
    with pytest.raises(InputError, match=r"holds a different run; .*seeds"):
        iidgan.train(RUN, out=old, seeds=3, device="cpu")


def assert_same_rows(found, expected) -> None:
    by_name = [{(r.run, r.seed, r.step, r.metric): r for r in rows} for rows in (found, expected)]
    assert by_name[0].keys() == by_name[1].keys()
    for name, row in by_name[1].items():
        other = by_name[0][name]
        np.testing.assert_allclose(other.value, row.value, err_msg=str(name), **CLOSE)
        assert (other.diverged, other.protocol) == (row.diverged, row.protocol)


# Versions


def test_new_folders_name_their_version(tmp_path):
    run = Run(source=Ring(size=200), arch=MLP(hidden=(8,)), steps=2, batch=16)
    iidgan.train(run, out=tmp_path / "r", device="cpu", executor="eager")
    for name in ("run.json", "generator/config.json"):
        facts = facts_of(tmp_path / "r" / name)
        assert next(iter(facts)) == "version"
        assert facts["version"] == VERSION == 2
        assert facts["run"] == run.to_dict()


def test_what_has_no_version_is_of_the_first(tmp_path):
    facts = {"id": "0", "run": {}}
    assert migrate(facts, tmp_path) == {**facts, "version": VERSION}
    assert facts == {"id": "0", "run": {}}
    assert migrate({**facts, "version": 1}, tmp_path) == migrate(facts, tmp_path)
    assert migrate({**facts, "version": VERSION}, tmp_path) == migrate(facts, tmp_path)


REFUSED = [
    (3, r"version 3 is newer than this iidgan \(2\); upgrade iidgan$"),
    (0, "version 0 is not a whole number from 1 on$"),
    ("2", "version '2' is not a whole number from 1 on$"),
    (2.0, "version 2.0 is not a whole number from 1 on$"),
    (True, "version True is not a whole number from 1 on$"),
    (None, "version None is not a whole number from 1 on$"),
    ([2], r"version \[2\] is not a whole number from 1 on$"),
]


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(facts_of(path) | changes))
    manifest = path.parent / MANIFEST
    if manifest.exists():
        manifest.write_text(json.dumps(facts_of(manifest) | {path.name: digest(path)}))


@pytest.mark.parametrize(("version", "message"), REFUSED)
def test_a_run_of_an_unknown_version_is_refused_and_left_alone(old, version, message):
    rewrite(old / "run.json", version=version)
    before = (old / "run.json").read_bytes()
    for use in (RunFolder(old).read, lambda: go_on(old)):
        with pytest.raises(InputError, match=f"^{old / 'run.json'}: {message}"):
            use()
    assert (old / "run.json").read_bytes() == before


@pytest.mark.parametrize(("version", "message"), REFUSED)
def test_a_generator_of_an_unknown_version_is_refused(old, version, message):
    rewrite(old / "generator" / "config.json", version=version)
    with pytest.raises(InputError, match=f"^{old / 'generator' / 'config.json'}: {message}"):
        iidgan.load(old)


def test_the_command_line_says_that_a_run_is_newer(old, capsys):
    rewrite(old / "run.json", version=3)
    assert main(["evaluate", str(old), "--device", "cpu"]) == 2
    assert "run.json: version 3 is newer than this iidgan (2)" in capsys.readouterr().err


# A prepared set

IMAGES = "084b3778295e352a0a7aea04b4402ff5355f5b69591a3b619af53d72fb141f42"


def test_an_old_set_loads_with_its_digest(sets):
    source = prepared("faces", str(sets))
    assert source == Prepared(name="faces", root=str(sets), sha256=IMAGES)
    data = source.load()
    assert (tuple(data.x.shape), data.x.dtype) == ((12, 3, 8, 8), torch.uint8)
    assert data.labels == ("a", "b")
    assert data.y.tolist() == [0] * 6 + [1] * 6
    assert data.digest() == "c54fd643203d08d43c5c18c531e0b44fc66e4225d0d61c84f0d7c52b0fa2b0b0"


def test_an_old_set_is_trained_on(sets, tmp_path):
    run = Run(
        source=prepared("faces", str(sets)),
        method=GAN(),
        arch=DCGAN(width=2, latent=4),
        steps=2,
        batch=4,
    )
    assert run.id == "b948dac58c4d"
    result = iidgan.train(run, out=tmp_path / "r", device="cpu", executor="eager")
    assert (result.ending, result.step) == ("finished", 2)
    assert result.model().sample(3).shape == (3, 3, 8, 8)


def test_an_old_set_that_has_changed_is_refused(sets):
    path = sets / "faces" / "images.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match=r"images\.npy.*`iidgan prepare faces --from /data/faces"):
        prepared("faces", str(sets)).load()
