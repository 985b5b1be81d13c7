"""No number under a name that is not its own: data, protocols, units, and where things lie."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

import iidgan
from iidgan.cli import main
from iidgan.core import Regularised
from iidgan.engine import checkpoint
from iidgan.errors import InputError
from iidgan.records import append, collect, read
from iidgan.studies.table_spec import Block, Column, Quick, Study
from iidgan.studies.tabulate import tabulate
from iidgan.terms import GaussianConsistency
from iidgan.train import train


def points(path, *, shift=0.0):
    rng = np.random.default_rng(0)
    np.save(path, (rng.normal(size=(200, 2)) + shift).astype(np.float32))
    return path


def tiny(source, **changes):
    run = iidgan.Run(
        source=source, method=iidgan.iid_gan(), arch=iidgan.MLP(hidden=(8,)), steps=4, batch=16
    )
    return replace(run, **changes)


def test_an_evaluation_with_few_samples_enters_no_curve_or_table(tmp_path):
    run = tiny(iidgan.array(points(tmp_path / "x.npy")))
    train(run, out=tmp_path / "run", seeds=2)
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert main(["evaluate", str(tmp_path / "run"), "-n", "10"]) == 0
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before
    later = read(tmp_path / "run" / "evaluations.jsonl")
    assert {row.protocol["num_z"] for row in later if row.metric == "z_error"} == {10}


def test_a_run_goes_on_with_its_own_data_only(tmp_path):
    path = points(tmp_path / "x.npy")
    source = iidgan.ArrayFile(path=str(path))
    train(tiny(source), out=tmp_path / "run")
    points(path, shift=1.0)
    with pytest.raises(InputError, match="source: its data are not those"):
        train(tiny(source), out=tmp_path / "run")
    assert main(["evaluate", str(tmp_path / "run")]) == 2


def test_a_run_is_found_from_any_working_directory(tmp_path, monkeypatch):
    points(tmp_path / "x.npy")
    monkeypatch.chdir(tmp_path)
    train(tiny(iidgan.array("x.npy")), out="run")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["evaluate", str(tmp_path / "run")]) == 0


def test_a_method_that_cannot_be_played_is_refused_before_anything_is_written(tmp_path):
    source = iidgan.array(points(tmp_path / "x.npy"))
    twice = Regularised(method=iidgan.iid_gan(), terms=(GaussianConsistency(distance="kl"),))
    with pytest.raises(InputError, match="two addends of one loss are named gaussian"):
        train(tiny(source, method=twice), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": iidgan.iid_gan}, "method: .* is no Method; call it"),
        ({"method": "gan"}, "method: 'gan' is no Method"),
        ({"source": "ring"}, "source: 'ring' is no Source"),
        ({"steps": 10.5}, "steps: 10.5 is no int"),
        ({"batch": "10"}, "batch: '10' is no int"),
    ],
)
def test_a_run_is_made_of_what_it_says(changes, message):
    with pytest.raises(InputError, match=message):
        iidgan.Run(**changes)


def test_the_inverse_takes_images_as_bytes_or_between_minus_one_and_one(tmp_path):
    images = torch.randint(0, 256, (40, 1, 8, 8), dtype=torch.uint8)
    run = iidgan.Run(
        source=Noise(), method=iidgan.iid_gan(), arch=iidgan.DCGAN(latent=3, width=2), steps=1
    )
    model = train(replace(run, batch=8), out=tmp_path / "run").model()
    assert torch.equal(model.invert(images), model.invert(images.float() / 127.5 - 1))
    for wrong in (images.float(), images.long()):
        with pytest.raises(InputError, match=r"not uint8, nor numbers in \[-1, 1\]"):
            model.invert(wrong)


def test_a_value_that_does_not_exist_is_no_divergence(tmp_path):
    source = iidgan.Ring(size=64)
    run = tiny(source, steps=1)
    study = Study(
        title="t",
        blocks=(Block(data={"Ring": source}, rows={"a": run}),),
        columns={"KL": Column(metric="reverse_kl", data="Ring")},
        seeds=1,
        quick=Quick(steps=1),
    )
    train(run, out=tmp_path / "run")
    collect(tmp_path / "rows.jsonl", run.id, 1, tmp_path / "run" / "metrics.jsonl")
    rows = read(tmp_path / "rows.jsonl")
    lost = [replace(row, value=float("nan")) for row in rows if row.metric == "reverse_kl"]
    append(tmp_path / "rows.jsonl", lost)
    (cell,) = tabulate(study, read(tmp_path / "rows.jsonl")).cells
    assert (cell.status, cell.n, cell.failed) == ("undefined", 0, 1)


def test_a_term_that_is_there_is_not_added_silently(capsys):
    assert main(["train", "ring", "--method", "iid-gan", "--term", "gaussian"]) == 2
    assert "term: 'gaussian' is there already" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_on_a_table_saves_every_training(tmp_path):
    command = [sys.executable, "-m", "iidgan", "table", "ring", "--quick", "--seeds", "1"]
    command += ["--workers", "2"]  # even where there is one core
    command += ["--executor", "eager"]  # else one may end while the other is still compiled
    child = subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    runs = tmp_path / "runs" / "tables"
    while len(list(runs.glob("*/log.jsonl"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: parent and children alike
    _, err = child.communicate(timeout=120)
    assert child.returncode == 130, err
    assert "the same command again goes on" in err
    for folder in runs.iterdir():
        lines = (folder / "events.jsonl").read_text().splitlines()
        started, stopped = map(json.loads, lines)
        assert (started["event"], stopped["event"]) == ("started", "stopped")
        newest = checkpoint.newest(folder / "checkpoints").path
        assert newest is not None
        assert newest.name == f"step-{stopped['step']:08d}"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_save_and_end_when_the_group_or_the_parent_does(tmp_path, number):
    command = [sys.executable, "-m", "iidgan", "table", "ring", "--quick", "--seeds", "1"]
    command += ["--rows", "GAN", "--executor", "eager"]
    child = subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL
    )
    runs = tmp_path / "runs" / "tables"
    deadline = time.monotonic() + 120
    while not list(runs.glob("*/log.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.2)
    if number == signal.SIGTERM:  # the worker gets it twice: from the group, and its parent
        os.killpg(child.pid, number)
    else:
        child.kill()
    child.wait(120)
    (folder,) = runs.iterdir()
    while "stopped" not in (folder / "events.jsonl").read_text() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert '"stopped"' in (folder / "events.jsonl").read_text()
    assert len(list((folder / "checkpoints").glob("step-*"))) == 1
    assert not (tmp_path / "results").exists()  # no row of a failure


class Noise(iidgan.Ring):
    """Forty images of noise."""

    images = True
    num_evaluated = 20

    def load(self):
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (40, 1, 8, 8), dtype=torch.uint8, generator=generator)
        return iidgan.core.Dataset(images)
