"""Resuming changes no bit, wherever a training is killed, stopped, or runs out of disk space.

A server process imports everything and trains once, which sets up all that children share, and
forks a child for each training. An audit hook is called before each change that a child makes to
the file system; there the child kills itself, or gets an error as if the disk were full.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iidgan import records as rowfile
from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.engine import checkpoint
from iidgan.engine.loop import StopRequest
from iidgan.errors import InputError
from iidgan.methods import iid_gan
from iidgan.metrics import METRICS
from iidgan.nn import MLP
from iidgan.train import train
from iidgan.training import context
from iidgan.training.run_dir import RunDir
from iidgan.training.run_session import Result
from iidgan.utils import provenance
from iidgan.utils.files import PARTIAL_PREFIX, integrity_error
from iidgan.utils.jsonl import read_lines
from tests.helpers.training import list_checkpoints

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FINISHED, FAILED, STOPPED = 0, 2, 10


@dataclass(frozen=True, kw_only=True)
class CrashTask:
    """A training of a child process, and what interrupts it.

    Arguments:
        out: Folder of the run.
        steps, every, keep: As in `train`.
        die_at, full_at: Number of the change to the file system before which it kills itself, or
            from which the disk is full; -1: never.
        snapshots: Folder for a copy of what is on the disk before each change, which is what a
            kill there leaves; "": none.
        max_file_size: Bytes of a file beyond which the system kills it.
        signal: Sent to it `delay` seconds after it began, or after its first event.
        pause: Additional seconds per step.
    """

    out: str
    steps: int = 4
    every: int = 2
    keep: int = 1
    die_at: int = -1
    full_at: int = -1
    snapshots: str = ""
    max_file_size: int = -1
    signal: int = 0
    delay: float = 0.0
    pause: float = 0.0


# In the server and its children


def serve() -> None:
    """Fork a child for each task on standard input, and print its exit code."""
    measure_less()
    with tempfile.TemporaryDirectory() as folder:
        # On one thread of the CPU, torch starts no thread that would be missing after a fork.
        train_task(CrashTask(out=f"{folder}/r"), StopRequest())
    gc.freeze()  # a collection in a child would copy all pages
    for line in sys.stdin:
        task = CrashTask(**json.loads(line))
        pid = os.fork()
        if not pid:
            os._exit(child(task))
        if task.signal:
            wait_for_start(task)
            time.sleep(task.delay)
            os.kill(pid, task.signal)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def wait_for_start(task: CrashTask) -> None:
    """Wait for the first event if the signal is meant for a child that trains."""
    while task.pause and not RunDir(Path(task.out)).events_file.exists():
        time.sleep(0.002)


def child(task: CrashTask) -> int:
    instrument_training(task)
    if task.max_file_size >= 0:
        limit_file_size(task.max_file_size)
    changes, stop = ChangeCounter(task), StopRequest()
    sys.addaudithook(changes)
    try:
        with stop.handle_signals():
            result = train_task(task, stop)
    except InputError as error:
        Path(f"{task.out}.error").write_text(str(error))
        return FAILED
    Path(f"{task.out}.changes").write_text(str(changes.count))
    return FINISHED if result.outcome == "finished" else STOPPED


def train_task(task: CrashTask, stop: StopRequest) -> Result:
    return train(
        make_run(task.steps),
        out=task.out,
        seeds=2,
        checkpoint_every=task.every,
        keep=task.keep,
        device="cpu",
        stop=stop,
    )


def make_run(steps: int) -> Run:
    return Run(
        source=Ring(size=200), method=iid_gan(), arch=MLP(hidden=(8,)), steps=steps, batch=16
    )


def measure_less() -> None:
    provenance.git_commit = lambda: "some-commit"
    del METRICS["normality"]
    Ring.num_evaluated = 50


def instrument_training(task: CrashTask) -> None:
    """Note finished checkpoints, and slow steps down."""
    save = checkpoint.save_state

    def save_and_note(*args: Any, **options: Any) -> Path:
        target = save(*args, **options)
        handle = os.open(f"{task.out}.saved", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{target.name}\n".encode())
        os.close(handle)
        return target

    checkpoint.save_state = save_and_note

    class SlowStream(context.DatasetStream):
        def batches_at(self, step: int) -> Any:
            time.sleep(task.pause)
            return super().batches_at(step)

    if task.pause:
        context.DatasetStream = SlowStream


def limit_file_size(size: int) -> None:
    """Let the kernel kill this process in the middle of a write."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class ChangeCounter:
    """An audit hook that counts the changes to a directory, and interrupts one of them."""

    events = frozenset(
        {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate"}
    )

    def __init__(self, task: CrashTask) -> None:
        self.task, self.count = task, 0

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.is_change(event, args):
            return
        if self.count == self.task.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.task.snapshots:
            self.copy_files(Path(self.task.snapshots) / str(self.count))
        full = 0 <= self.task.full_at <= self.count
        self.count += 1
        if full and event not in ("os.remove", "os.rmdir"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def copy_files(self, target: Path) -> None:
        out = Path(self.task.out)
        target.mkdir(parents=True)
        for source in (out, out.with_name(f"{out.name}.saved")):
            if source.is_dir():
                shutil.copytree(source, target / source.name, symlinks=True)
            elif source.exists():
                shutil.copy(source, target)

    def is_change(self, event: str, args: tuple[Any, ...]) -> bool:
        if event == "open":
            name, _, flags = args
            changing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return bool(changing) and str(name).startswith(f"{self.task.out}/")
        # Relative names belong to a folder that is being removed.
        return event in self.events and (
            str(args[0]).startswith(self.task.out) or not os.path.isabs(str(args[0]))
        )


# In the tests


RunTask = Callable[[CrashTask], int]


@pytest.fixture(scope="module")
def run_task() -> Iterator[RunTask]:
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
    search_path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | one_thread | search_path,
    ) as server:

        def run_task(task: CrashTask) -> int:
            server.stdin.write(json.dumps(asdict(task)) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield run_task
        server.stdin.close()


@pytest.fixture(scope="module")
def full_run(run_task, tmp_path_factory) -> Path:
    """An uninterrupted training."""
    path = tmp_path_factory.mktemp("full_run") / "r"
    assert run_task(CrashTask(out=str(path))) == FINISHED
    return path


@pytest.fixture(scope="module")
def num_changes(full_run) -> int:
    return int(Path(f"{full_run}.changes").read_text())


@pytest.fixture(scope="module")
def kill_snapshots(run_task, tmp_path_factory) -> list[Path]:
    """What a kill before each change of a training leaves; read-only."""
    folder = tmp_path_factory.mktemp("snapshots")
    return run_with_snapshots(run_task, CrashTask(out=str(folder / "r")), folder / "before")


def saved_steps(path: Path) -> list[str]:
    report = Path(f"{path}.saved")
    return report.read_text().split() if report.exists() else []


def assert_sound(path: Path) -> None:
    """Assert that every file is complete, temporary, or has only its last line torn."""
    folder = RunDir(path)
    if folder.run_file.exists():
        folder.read_run()
    for lines in (folder.log_file, folder.events_file, folder.metrics_file):
        read_lines(lines)
    if folder.arrays_file.exists():
        with np.load(folder.arrays_file) as arrays:
            assert all(arrays[name].size for name in arrays)
    assert not folder.generator_dir.exists() or integrity_error(folder.generator_dir) is None
    if saved := saved_steps(path):
        identity = folder.read_identity()
        latest = checkpoint.find_latest(folder.checkpoint_dir, identity)
        assert latest.damaged == {}
        assert max(saved) <= f"step-{min(map(latest.step_of, identity.seeds)):08d}"


def assert_same_run(path: Path, full_run: Path) -> None:
    """Assert that two directories hold the same training, bit for bit, and nothing else."""
    assert not list(path.rglob(f"{PARTIAL_PREFIX}*"))
    assert {p.name for p in path.iterdir()} == {p.name for p in full_run.iterdir()}
    exact = ("*.safetensors", "config.json", "MANIFEST.json")
    for name in (p.relative_to(full_run) for each in exact for p in full_run.rglob(each)):
        assert (path / name).read_bytes() == (full_run / name).read_bytes()
    assert metric_lines(path) == metric_lines(full_run)
    assert read_log(path) == read_log(full_run)
    with np.load(path / "arrays.npz") as a, np.load(full_run / "arrays.npz") as b:
        assert {n: a[n].tobytes() for n in a} == {n: b[n].tobytes() for n in b}


def metric_lines(path: Path) -> list[str]:
    all_records = rowfile.read_records(RunDir(path).metrics_file)
    return sorted(str(replace(row, provenance={})) for row in all_records)


def read_log(path: Path) -> list[dict[str, Any]]:
    lines = read_lines(RunDir(path).log_file)
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def run_tasks(run_task: RunTask, full_run: Path, tasks: list[CrashTask]) -> None:
    """Run each task, check what it left, and resume it to the end."""
    for task in tasks:
        path = Path(task.out)
        exit_code = run_task(task)
        assert exit_code in (-signal.SIGKILL, -signal.SIGXFSZ, FAILED), task
        assert_sound(path)
        if exit_code == FAILED:
            assert "No space left on device" in Path(f"{path}.error").read_text()
            assert not list(path.rglob(f"{PARTIAL_PREFIX}*")), task
        assert run_task(CrashTask(out=task.out)) == FINISHED
        assert_same_run(path, full_run)


def run_with_snapshots(run_task: RunTask, task: CrashTask, folder: Path) -> list[Path]:
    """Run a task to its end; return what a kill would leave of its run, one for each change."""
    assert run_task(replace(task, snapshots=str(folder))) == FINISHED
    num_changes = int(Path(f"{task.out}.changes").read_text())
    return [folder / str(i) / Path(task.out).name for i in range(num_changes)]


def list_files(path: Path) -> list[tuple[str, bytes]]:
    """Names of all files, without random suffixes, and the contents of those with tensors."""
    return sorted(
        (
            re.sub(
                rf"{re.escape(PARTIAL_PREFIX)}[^/]*", PARTIAL_PREFIX, str(file)[len(str(path)) :]
            ),
            file.read_bytes() if file.suffix == ".safetensors" else b"",
        )
        for file in path.rglob("*")
    )


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_kill_leaves_snapshot(run_task, num_changes, kill_snapshots, tmp_path, share):
    position, path = int(share * num_changes), tmp_path / "r"
    assert run_task(CrashTask(out=str(path), die_at=position)) == -signal.SIGKILL
    assert list_files(path) == list_files(kill_snapshots[position])
    assert saved_steps(path) == saved_steps(kill_snapshots[position])


@pytest.mark.slow
def test_resume_after_any_kill(run_task, full_run, num_changes, kill_snapshots, tmp_path):
    assert len(kill_snapshots) == num_changes > 50
    for snapshot in kill_snapshots:
        shutil.copytree(snapshot.parent, tmp_path / snapshot.parent.name)
        path = tmp_path / snapshot.parent.name / snapshot.name
        assert_sound(path)
        assert run_task(CrashTask(out=str(path))) == FINISHED
        assert_same_run(path, full_run)


@pytest.mark.slow
def test_resume_after_any_full_disk(run_task, full_run, num_changes, tmp_path):
    run_tasks(
        run_task,
        full_run,
        # All later changes fail, too: every second one suffices. The last one removes the lock,
        # which a full disk allows.
        [CrashTask(out=str(tmp_path / str(i)), full_at=i) for i in range(0, num_changes - 1, 2)],
    )


@pytest.mark.slow
@pytest.mark.parametrize("max_file_size", [0, 100, 500, 800, 1100, 3000, 5500, 7000, 11_000])
def test_resume_after_kill_during_write(run_task, full_run, tmp_path, max_file_size):
    run_tasks(
        run_task, full_run, [CrashTask(out=str(tmp_path / "r"), max_file_size=max_file_size)]
    )


@pytest.mark.slow
def test_resume_after_random_kills(run_task, full_run, tmp_path):
    began = time.perf_counter()
    assert run_task(CrashTask(out=str(tmp_path / "timed"))) == FINISHED
    length = time.perf_counter() - began
    chance, kills, runs = random.Random(0), 0, 0
    while kills < 20:
        task = CrashTask(out=str(tmp_path / str(runs)), signal=signal.SIGKILL)
        exit_codes = [run_task(replace(task, delay=chance.uniform(0, length)))]
        while exit_codes[-1] == -signal.SIGKILL:  # the resumed training is killed as well
            assert_sound(Path(task.out))
            exit_codes.append(run_task(replace(task, delay=chance.uniform(0, 1.2 * length))))
        assert exit_codes.pop() == FINISHED
        assert_same_run(Path(task.out), full_run)
        kills, runs = kills + len(exit_codes), runs + 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_resume_after_signal(run_task, tmp_path, number):
    straight, path = tmp_path / "straight", tmp_path / "r"
    plan = CrashTask(out=str(path), steps=60, every=60, keep=2)
    assert run_task(replace(plan, out=str(straight))) == FINISHED
    signalled_plan = replace(plan, signal=number, delay=0.1, pause=0.02)
    assert run_task(signalled_plan) == STOPPED
    stopped = read_lines(RunDir(path).events_file)[-1]
    assert stopped["event"] == "stopped"
    assert 0 < stopped["step"] < 60
    assert list_checkpoints(path)[-1] == f"step-{stopped['step']:08d}"
    assert run_task(plan) == FINISHED
    last = "checkpoints/step-00000060/state.safetensors"
    assert (path / last).read_bytes() == (straight / last).read_bytes()
    assert set(metric_lines(straight)) <= set(metric_lines(path))


@pytest.mark.slow
def test_resume_after_kill_during_repair(run_task, tmp_path):
    full_run, damaged = tmp_path / "full_run", tmp_path / "damaged"
    plan = CrashTask(out=str(full_run), steps=6, keep=2)
    assert run_task(plan) == FINISHED
    shutil.copytree(full_run, damaged)
    damage_run(damaged)
    repair = replace(plan, out=str(damaged))
    snapshots = run_with_snapshots(run_task, repair, tmp_path / "before")
    assert len(snapshots) > 20
    for path in snapshots:
        assert run_task(replace(plan, out=str(path))) == FINISHED
        assert_same_run(path, full_run)


def damage_run(path: Path) -> None:
    """Damage a run directory as a crash, a power cut and a bad disk might together."""
    folder = RunDir(path)
    tensors = folder.checkpoint_dir / "step-00000006" / "state.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1])
    shutil.rmtree(folder.generator_dir)
    for lines in (folder.log_file, folder.metrics_file, folder.events_file):
        lines.write_bytes(lines.read_bytes()[:-9])
    (folder.checkpoint_dir / f"{PARTIAL_PREFIX}step-1").mkdir()
    (path / f"{PARTIAL_PREFIX}run.json").touch()


if __name__ == "__main__":
    serve()
