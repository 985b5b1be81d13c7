"""Signals to whole commands."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.cli import TINY
from tests.helpers.training import list_checkpoints


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_train_saves_on_signal(tmp_path, sent, code):
    command = [sys.executable, "-m", "iidgan", "train", "ring", "--method", "gan"]
    command += [*TINY[:-2], "--checkpoint-every", "100000", "--steps", "100000", "--out", "run"]
    command += ["--executor", "eager"]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    deadline = time.monotonic() + 90
    while not (tmp_path / "run" / "log.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    child.send_signal(sent)
    out, err = child.communicate(timeout=90)
    assert child.returncode == code, err
    assert "run again: iidgan train ring --method gan" in out
    assert err.count("again to stop at once") == 1
    assert len(list((tmp_path / "run" / "checkpoints").glob("step-*"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_table_saves_on_signal(tmp_path, number):
    """Sent to parent and workers alike, as a terminal does."""
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
    os.killpg(child.pid, number)
    _, err = child.communicate(timeout=120)
    assert child.returncode == 128 + number, err
    assert "again to resume" in err
    for folder in runs.iterdir():
        lines = (folder / "events.jsonl").read_text().splitlines()
        started, stopped = map(json.loads, lines)
        assert (started["event"], stopped["event"]) == ("started", "stopped")
        assert list_checkpoints(folder)[-1] == f"step-{stopped['step']:08d}"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_table_workers_save_on_parent_end(tmp_path, number):
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


@pytest.mark.slow
def test_train_in_workers_saves_on_hangup(tmp_path):
    """A hangup is sent to parent and workers, and the terminal can no longer be written to."""
    command = [sys.executable, "-m", "iidgan", "train", "ring", "--method", "gan", *TINY[:-2]]
    command += ["--seeds", "2", "--workers", "2", "--executor", "eager", "--out", "run"]
    command += ["--checkpoint-every", "100000", "--steps", "100000"]
    with subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE
    ) as child:
        log, deadline = tmp_path / "run" / "log.jsonl", time.monotonic() + 120
        while not log.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        child.stderr.close()
        os.killpg(child.pid, signal.SIGHUP)
        assert child.wait(timeout=90) == 129
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    started, stopped = map(json.loads, lines)
    assert (started["event"], stopped["event"]) == ("started", "stopped")
    states = (tmp_path / "run" / "checkpoints").glob("step-*/state-*.safetensors")
    assert sorted(path.name for path in states) == [
        "state-0-0.safetensors",
        "state-1-1.safetensors",
    ]


def group_members(leader):
    answer = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True)
    return answer.stdout.split()


@pytest.mark.slow
def test_seed_workers_exit_without_parent(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import iidgan\n"
        "if __name__ == '__main__':\n"
        "    iidgan.train(iidgan.Run(), out='run', seeds=2, workers=2, executor='eager')\n"
    )
    parent = subprocess.Popen([sys.executable, script], cwd=tmp_path, start_new_session=True)
    log = tmp_path / "run" / "log.jsonl"
    deadline = time.monotonic() + 120
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert log.exists()
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 120
    while group_members(parent.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not group_members(parent.pid)
