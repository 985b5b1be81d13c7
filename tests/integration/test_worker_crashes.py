"""Compiled runs on two worker processes: kills, caches and load change no bit of the result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iidgan.training.run_dir import RunDir
from iidgan.utils.jsonl import read_lines
from tests.helpers.training import (
    differing_tensors,
    list_checkpoints,
    read_latest_tensors,
    read_log,
)

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
import iidgan
from iidgan.training import plan

plan.MIN_STEPS_TO_COMPILE = 0  # otherwise so short a run is trained eagerly
iidgan.Ring.num_evaluated = 200

if __name__ == "__main__":
    run = iidgan.Run(
        source=iidgan.Ring(size=500),
        method=iidgan.GAN(),
        arch=iidgan.MLP(hidden=(8,)),
        steps=3000,
        batch=16,
    )
    iidgan.train(
        run, out=sys.argv[1], seeds=2, workers=2, checkpoint_every=500, keep=2, device="cpu"
    )
"""

MAX_SECONDS = 240


@pytest.fixture(scope="module")
def start_training(tmp_path_factory):
    """Starts a training in a process group of its own; all share a cache that begins cold."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "script.py").write_text(SCRIPT)
    search_path = os.pathsep.join(filter(None, sys.path))
    environment = os.environ | {"XDG_CACHE_HOME": str(folder), "PYTHONPATH": search_path}

    def start(out: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(folder / "script.py"), str(out)]
        return subprocess.Popen(command, env=environment, start_new_session=True)

    return start


@pytest.fixture(scope="module")
def uninterrupted(start_training, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert start_training(path).wait(MAX_SECONDS) == 0
    execution = json.loads((path / "run.json").read_text())["execution"]
    assert (execution["executor"], execution["workers"]) == ("compiled", "2")
    return path


def wait_for_step(path: Path, step: int) -> None:
    """Wait until every seed has logged a step."""
    deadline = time.monotonic() + MAX_SECONDS
    while time.monotonic() < deadline:
        lines = read_lines(RunDir(path).log_file)
        if {line["seed"] for line in lines if line["step"] >= step} == {0, 1}:
            return
        time.sleep(0.02)
    raise AssertionError(f"step {step} was not reached")


def assert_same_run(path: Path, expected: Path) -> None:
    assert differing_tensors(read_latest_tensors(path), read_latest_tensors(expected)) == []
    assert list_checkpoints(path) == list_checkpoints(expected)
    weights = [folder / "generator" / "model.safetensors" for folder in (path, expected)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_warm_cache_and_load_change_no_bit(start_training, uninterrupted, tmp_path):
    busy_command = [sys.executable, "-c", "while True: pass"]
    training = start_training(tmp_path / "run")
    wait_for_step(tmp_path / "run", 1)
    busy_processes = [subprocess.Popen(busy_command) for _ in range(2)]
    try:
        assert training.wait(MAX_SECONDS) == 0
    finally:
        for process in busy_processes:
            process.kill()
            process.wait()
    assert_same_run(tmp_path / "run", uninterrupted)
    logs = [sorted(map(str, read_log(path))) for path in (tmp_path / "run", uninterrupted)]
    assert logs[0] == logs[1]


def find_children(parent: int) -> list[int]:
    answer = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True)
    return [int(line) for line in answer.stdout.split()]


def find_workers(parent: int) -> list[int]:
    """Process ids of the workers, which a child of the parent has forked."""
    return [worker for child in find_children(parent) for worker in find_children(child)]


def test_kills_change_no_bit(start_training, uninterrupted, tmp_path):
    """The parent alone, a worker alone, and all processes at once."""
    path = tmp_path / "run"
    parent = start_training(path)
    wait_for_step(path, 300)
    parent.kill()  # its workers save and end
    parent.wait()
    parent = start_training(path)  # waits for them
    wait_for_step(path, 900)
    os.kill(find_workers(parent.pid)[0], signal.SIGKILL)  # the parent starts it again
    wait_for_step(path, 1700)
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()
    assert start_training(path).wait(MAX_SECONDS) == 0
    events = [line["event"] for line in read_lines(RunDir(path).events_file)]
    assert events == ["started", "started", "lost a worker", "started", "finished"]
    assert_same_run(path, uninterrupted)
    places = [(line["seed"], line["step"]) for line in read_log(path)]
    assert len(places) == len({*places})
    assert {*places} >= {(line["seed"], line["step"]) for line in read_log(uninterrupted)}
