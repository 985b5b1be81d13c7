"""One run on several processes, as torchrun starts them."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import iidgan
from iidgan.training.run_dir import RunDir
from iidgan.utils.jsonl import read_lines
from tests.helpers.namespaces import ADDRESSES, create_hosts

pytestmark = pytest.mark.slow

COMMAND = (
    *("train", "ring", "--seeds", "2", "--executor", "eager"),
    *("--arch.hidden", "8", "--source.size", "400", "--batch", "16"),
)


def start(*arguments, num_processes=2, max_restarts=0):
    """Start a command in several processes, or in one without torchrun."""
    launcher = ("torch.distributed.run", "--standalone", "--nproc-per-node", str(num_processes))
    launcher = (*launcher, "--max-restarts", str(max_restarts), "-m") if num_processes > 1 else ()
    return start_python("-m", *launcher, "iidgan", *arguments)


def start_python(*words, before=(), **variables):
    return subprocess.Popen(
        [*before, sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | variables,
    )


def finish(process, code=0):
    """Wait for the end of a command, and return what it printed."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out, err


def wait_for_checkpoint(path, process):
    while not list(path.glob("checkpoints/step-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def list_processes(launcher):
    """List the processes that torchrun started, by their rank."""
    output = subprocess.run(
        ["ps", "--ppid", str(launcher.pid), "-o", "pid="],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(map(int, output.stdout.split()))


def list_starts(path):
    events = read_lines(path / "events.jsonl")
    return [event.get("processes") for event in events if event["event"] == "started"]


def assert_equal_networks(path, other_path):
    """Compare G of each seed of two run directories, up to rounding."""
    for seed in (0, 1):
        weights, other_weights = (
            iidgan.load(folder, seed).nets["G"].state_dict() for folder in (path, other_path)
        )
        torch.testing.assert_close(weights, other_weights, rtol=1e-3, atol=1e-4)


def test_two_processes_train_as_one(tmp_path):
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    out, _ = finish(
        start(*COMMAND, "--steps", "12", "--checkpoint-every", "4", "--out", str(shared))
    )
    finish(
        start(
            *COMMAND,
            "--steps",
            "12",
            "--checkpoint-every",
            "4",
            "--out",
            str(alone),
            num_processes=1,
        )
    )
    assert_equal_networks(shared, alone)
    assert out.count("is done") == 1
    assert list_starts(shared) == ["2"]
    assert RunDir(shared).read_execution()["processes"] == "2"
    lines = [(line["step"], line["seed"]) for line in read_lines(shared / "log.jsonl")]
    assert lines == [(step, seed) for step in (4, 8, 12) for seed in (0, 1)]


def test_stopped_processes_are_resumed_by_one(tmp_path):
    arguments = (*COMMAND, "--steps", "300", "--checkpoint-every", "50", "--out")
    stopped, alone = tmp_path / "stopped", tmp_path / "alone"
    process = start(*arguments, str(stopped))
    wait_for_checkpoint(stopped, process)
    process.send_signal(signal.SIGTERM)
    out, _ = finish(process, code=1)  # of torchrun
    assert "stopped and saved" in out
    for path in (stopped, alone):
        finish(start(*arguments, str(path), num_processes=1))
    assert list_starts(stopped) == ["2", None]
    assert_equal_networks(stopped, alone)


def test_killed_process_is_restarted(tmp_path):
    path = tmp_path / "run"
    arguments = (*COMMAND, "--steps", "300", "--checkpoint-every", "50", "--out", str(path))
    process = start(*arguments, max_restarts=1)
    wait_for_checkpoint(path, process)
    os.kill(list_processes(process)[-1], signal.SIGKILL)
    finish(process)
    first_start, last_start = (
        event["step"] for event in read_lines(path / "events.jsonl") if event["event"] == "started"
    )
    assert first_start == 0
    assert last_start >= 50
    assert list_starts(path) == ["2", "2"]


def test_two_hosts_train_as_one(tmp_path):
    arguments = (*COMMAND, "--steps", "12", "--checkpoint-every", "12", "--out")
    launcher = ("torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1")
    rendezvous = ("--rdzv-backend", "c10d", "--rdzv-endpoint", f"{ADDRESSES[0]}:29500")
    with create_hosts() as (hosts, interfaces):
        processes = [
            start_python(
                *("-m", *launcher, *rendezvous, "--rdzv-conf", f"is_host={1 - i}"),
                *("--local-addr", ADDRESSES[i], "-m", "iidgan", *arguments),
                str(tmp_path / f"host-{i}"),
                before=("ip", "netns", "exec", hosts[i]),
                GLOO_SOCKET_IFNAME=interfaces[i],
            )
            for i in (0, 1)
        ]
        for process in processes:
            finish(process)
    (trained,) = tmp_path.iterdir()  # of the first process, on either host
    finish(start(*arguments, str(tmp_path / "alone"), num_processes=1))
    assert_equal_networks(trained, tmp_path / "alone")
    assert list_starts(trained) == ["2"]
