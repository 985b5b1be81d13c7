"""Run directories: who owns them, and what damage is reported."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from iidgan.config.run import Run
from iidgan.core import (
    Dataset,
)
from iidgan.data import array
from iidgan.engine.optim import Adam
from iidgan.methods import iid_gan
from iidgan.nn import MLP
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import PARTIAL_PREFIX
from iidgan.utils.jsonl import append_lines, read_lines
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    snapshot_files,
    stop_at,
    tiny_run,
    train_tiny,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")


CPU = torch.device("cpu")


def claim(path: Path, run: Run, seeds: tuple[int, ...] = (0,)) -> None:
    RunDir(path).claim(run, seeds, CPU, Dataset(torch.zeros(2, 2)))


def test_claim_twice_changes_nothing(tmp_path):
    claim(tmp_path / "deep" / "r", tiny_run())
    before = snapshot_files(tmp_path)
    claim(tmp_path / "deep" / "r", tiny_run())
    assert snapshot_files(tmp_path) == before
    assert RunDir(tmp_path / "deep" / "r").read_run() == (tiny_run(), (0,))


@pytest.mark.parametrize(
    ("run", "seeds", "difference"),
    [
        (tiny_run(optimiser=Adam(lr=1e-3)), (0,), "optimiser.lr (0.002 there, 0.001 here)"),
        (tiny_run(), (0, 1), "seeds ([0] there, [0, 1] here)"),
        (tiny_run(), (3,), "seeds[0] (0 there, 3 here)"),
        (tiny_run(iid_gan()), (0,), "method (gan there, regularised here)"),
        (tiny_run(batch=8, steps=13), (0,), "steps (12 there, 13 here), batch (16 there, 8 here)"),
        (tiny_run(arch=MLP(hidden=(8, 9))), (0,), "arch.hidden ([8] there, [8, 9] here)"),
        (
            tiny_run(precision="bfloat16"),
            (0,),
            'precision (the default there, "bfloat16" here)',
        ),
    ],
)
def test_claim_names_differing_fields(tmp_path, run, seeds, difference):
    claim(tmp_path, tiny_run())
    before = snapshot_files(tmp_path)
    with raises_input_error("out", tmp_path, f": {difference}; "):
        claim(tmp_path, run, seeds)
    assert snapshot_files(tmp_path) == before


def test_claim_after_data_moved(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((20, 2)))
    shutil.copy(tmp_path / "a.npy", tmp_path / "b.npy")
    claim(tmp_path / "r", tiny_run(source=array(tmp_path / "a.npy")))
    claim(tmp_path / "r", tiny_run(source=array(tmp_path / "b.npy")))
    np.save(tmp_path / "b.npy", np.zeros((20, 2)))
    with raises_input_error("out", "source.sha256 ("):
        claim(tmp_path / "r", tiny_run(source=array(tmp_path / "b.npy")))


def test_claim_leaves_foreign_folder_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    with raises_input_error("out", tmp_path):
        train_tiny(tiny_run(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letters"]


def test_claim_leaves_file_alone(tmp_path):
    (tmp_path / "r").write_text("mine")
    for out in (tmp_path / "r", tmp_path / "r" / "below"):
        with raises_input_error(None, tmp_path / "r"):
            train_tiny(tiny_run(), out)
    assert (tmp_path / "r").read_text() == "mine"


def test_claim_refuses_too_long_name(tmp_path):
    with raises_input_error(None, "File name too long"):
        train_tiny(tiny_run(), tmp_path / ("x" * 300))


def test_claim_after_interrupted_claim(tmp_path):
    (tmp_path / f"{PARTIAL_PREFIX}run-abc.json").write_text('{"id"')
    claim(tmp_path, tiny_run())
    assert RunDir(tmp_path).read_run() == (tiny_run(), (0,))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"run": {}}',
        b'{"run": [], "seeds": 3}',
        b'{"run": {"steps": "many"}, "seeds": [0]}',
        b'{"run": {"source": {"type": "ring", "modes": []}}, "seeds": [0]}',
        b'{"run": {"nonsense": 1}, "seeds": [0]}',
    ],
)
def test_read_run_names_damaged_file(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with raises_input_error(str(tmp_path / "run.json"), "damaged"):
        train_tiny(tiny_run(), tmp_path)
    assert (tmp_path / "run.json").read_bytes() == content


def test_read_run_names_folder(tmp_path):
    (tmp_path / "run.json").mkdir()
    with raises_input_error(str(tmp_path / "run.json")):
        train_tiny(tiny_run(), tmp_path)


def test_truncate_logs_removes_later_records(tmp_path):
    folder = RunDir(tmp_path)
    for path in (folder.log_file, folder.metrics_file):
        append_lines(path, [{"step": step} for step in (4, 8, 12, 8)])
    folder.truncate_logs(8)
    for path in (folder.log_file, folder.metrics_file):
        assert [line["step"] for line in read_lines(path)] == [4, 8, 8]


@pytest.mark.parametrize("line", [b"[1]\n", b"{\n", b"\xff\n"])
def test_truncate_logs_names_damaged_line(tmp_path, line):
    train_tiny(tiny_run(), tmp_path, **stop_at(4))
    path = RunDir(tmp_path).log_file
    path.write_bytes(path.read_bytes() + line)
    with raises_input_error(None, f"{path}: line 2"):
        train_tiny(tiny_run(), tmp_path)
