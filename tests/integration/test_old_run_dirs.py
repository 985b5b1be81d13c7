"""Directories of an earlier version: they load, resume, and give the same numbers.

`fixtures/run-v1` is a run of 20 steps that was stopped after 10; `fixtures/run-v1-end` is what the
version that had started it resumed it to; `fixtures/prepared-v1` is a prepared data set. All were
written when `run.json` had no version.
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
from iidgan.core import Regularised
from iidgan.data import Prepared, Ring, prepared
from iidgan.methods import GAN, wgan_gp
from iidgan.nn import DCGAN, MLP
from iidgan.records import read_records
from iidgan.terms import CycleTerm, GaussianTerm
from iidgan.training.migration import VERSION
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import DIGESTS_FILE, file_sha256
from tests.helpers.errors import raises_input_error

FIXTURES = Path(__file__).parents[1] / "fixtures"
END = FIXTURES / "run-v1-end"

ID = "8a2efc0025d8"
RUN = Run(
    source=Ring(std=0.3, size=200),
    method=Regularised(method=wgan_gp(), terms=(CycleTerm(), GaussianTerm())),
    arch=MLP(hidden=(8,)),
    steps=20,
    batch=16,
)
CLOSE = {"rtol": 1e-4, "atol": 1e-6}  # processors round differently


@pytest.fixture(autouse=True)
def fixture_evaluation(monkeypatch):
    """As many samples for the metrics as when the fixtures were made."""
    monkeypatch.setattr(Ring, "num_evaluated", 500)
    monkeypatch.setattr(Prepared, "num_evaluated", 20)


@pytest.fixture
def old_run(tmp_path) -> Path:
    """A copy of the old run's folder."""
    return shutil.copytree(FIXTURES / "run-v1", tmp_path / "run")


@pytest.fixture
def old_sets(tmp_path) -> Path:
    """A copy of the old folder of prepared sets."""
    return shutil.copytree(FIXTURES / "prepared-v1", tmp_path / "sets")


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def resume_run(path: Path) -> iidgan.Result:
    return iidgan.train(
        RUN, out=path, seeds=2, device="cpu", executor="eager", checkpoint_every=10
    )


# A run


def test_fixture_has_no_version():
    for path in (FIXTURES / "run-v1").rglob("*.json"):
        assert "version" not in read_json(path)


def test_read_run_of_old_version(old_run):
    assert RunDir(old_run).read_run() == (RUN, (0, 1))
    assert read_json(old_run / "run.json")["id"] == RUN.id == ID
    assert read_json(old_run / "run.json")["run"] == RUN.to_dict()
    assert '"iidgan.methods.wgan:Wasserstein"' in (old_run / "run.json").read_text()


def test_load_old_generator(old_run):
    model = iidgan.load(old_run, seed=1)
    assert (model.point.run.id, model.point.steps, model.point.seeds) == (ID, (10,), (1,))
    expected = load_file(END / "samples-of-step-10.safetensors")
    torch.testing.assert_close(model.sample(8), expected["x"], **CLOSE)
    torch.testing.assert_close(model.invert(expected["x"]), expected["z"], **CLOSE)


def test_evaluate_old_run(old_run, capsys):
    assert main(["evaluate", str(old_run), "--device", "cpu"]) == 0
    assert_close_records(
        read_records(old_run / "evaluations.jsonl"), read_records(old_run / "metrics.jsonl")
    )


def test_reading_leaves_old_files_alone(old_run):
    before = {path: path.read_bytes() for path in old_run.rglob("*") if path.is_file()}
    RunDir(old_run).read_run()
    iidgan.load(old_run).sample(4)
    assert main(["evaluate", str(old_run), "--device", "cpu"]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_resume_old_run_to_same_end(old_run):
    result = resume_run(old_run)
    assert (result.outcome, result.step, result.diverged) == ("finished", 20, (-1, -1))
    actual = load_file(old_run / "generator" / "model.safetensors")
    expected = load_file(END / "model.safetensors")
    assert actual.keys() == expected.keys()
    assert {name.partition(".")[0] for name in actual} == {"F", "G"}
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, **CLOSE)
    assert_close_records(
        [record for record in result.records if record.step == 20],
        read_records(END / "metrics.jsonl"),
    )


def test_resume_old_run_writes_current_version(old_run):
    resume_run(old_run)
    for name in ("run.json", "generator/config.json"):
        assert read_json(old_run / name)["version"] == VERSION
    assert iidgan.load(old_run).point.steps == (20,)


def test_resume_old_run_refuses_other_seeds(old_run):
    with raises_input_error("out", "seeds"):
        iidgan.train(RUN, out=old_run, seeds=3, device="cpu")


def assert_close_records(actual, expected) -> None:
    by_name = [{(r.run, r.seed, r.step, r.metric): r for r in rows} for rows in (actual, expected)]
    assert by_name[0].keys() >= by_name[1].keys()  # metrics may have been added
    for name, record in by_name[1].items():
        other = by_name[0][name]
        np.testing.assert_allclose(other.value, record.value, err_msg=str(name), **CLOSE)
        assert (other.diverged, other.protocol) == (record.diverged, record.protocol)


# Versions


def test_train_writes_current_version(tmp_path):
    run = Run(source=Ring(size=200), arch=MLP(hidden=(8,)), steps=2, batch=16)
    iidgan.train(run, out=tmp_path / "r", device="cpu", executor="eager")
    for name in ("run.json", "generator/config.json"):
        facts = read_json(tmp_path / "r" / name)
        assert next(iter(facts)) == "version"
        assert facts["version"] == VERSION == 3
        assert facts["run"] == run.to_dict()


INVALID_VERSIONS = [4, 0, "3", 3.0, True, None, [3]]


def rewrite_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(read_json(path) | changes))
    manifest = path.parent / DIGESTS_FILE
    if manifest.exists():
        manifest.write_text(json.dumps(read_json(manifest) | {path.name: file_sha256(path)}))


@pytest.mark.parametrize("version", INVALID_VERSIONS)
def test_read_run_refuses_unknown_version(old_run, version):
    rewrite_json(old_run / "run.json", version=version)
    before = (old_run / "run.json").read_bytes()
    for use in (RunDir(old_run).read_run, lambda: resume_run(old_run)):
        with raises_input_error(str(old_run / "run.json"), "version", repr(version)):
            use()
    assert (old_run / "run.json").read_bytes() == before


@pytest.mark.parametrize("version", INVALID_VERSIONS)
def test_load_refuses_unknown_version(old_run, version):
    rewrite_json(old_run / "generator" / "config.json", version=version)
    with raises_input_error(str(old_run / "generator" / "config.json"), "version", repr(version)):
        iidgan.load(old_run)


def test_evaluate_names_newer_version(old_run, capsys):
    rewrite_json(old_run / "run.json", version=4)
    assert main(["evaluate", str(old_run), "--device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert "run.json: version 4 " in error
    assert "(3)" in error


# A prepared set

IMAGES = "084b3778295e352a0a7aea04b4402ff5355f5b69591a3b619af53d72fb141f42"


def test_load_old_set_with_digest(old_sets):
    source = prepared("faces", str(old_sets))
    assert source == Prepared(name="faces", root=str(old_sets), sha256=IMAGES)
    data = source.load()
    assert (tuple(data.x.shape), data.x.dtype) == ((12, 3, 8, 8), torch.uint8)
    assert data.labels == ("a", "b")
    assert data.y.tolist() == [0] * 6 + [1] * 6
    assert (
        data.compute_sha256() == "c54fd643203d08d43c5c18c531e0b44fc66e4225d0d61c84f0d7c52b0fa2b0b0"
    )


def test_train_on_old_set(old_sets, tmp_path):
    run = Run(
        source=prepared("faces", str(old_sets)),
        method=GAN(),
        arch=DCGAN(width=2, latent=4),
        steps=2,
        batch=4,
    )
    assert run.id == "b948dac58c4d"
    result = iidgan.train(run, out=tmp_path / "r", device="cpu", executor="eager")
    assert (result.outcome, result.step) == ("finished", 2)
    assert result.model().sample(3).shape == (3, 3, 8, 8)


def test_load_refuses_changed_old_set(old_sets):
    path = old_sets / "faces" / "images.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with raises_input_error(None, "images.npy", "`iidgan prepare faces --from /data/faces"):
        prepared("faces", str(old_sets)).load()
