"""Trainings that are killed anywhere, refused anywhere, or told to stop: going on loses no bit.

A server process imports everything once, runs no tensor operation, and forks a child for each
training. A child's changes to the file system are counted by an audit hook, which is called
before each; there the child kills itself, or is refused as if the disk were full.
"""

from __future__ import annotations

import errno
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iidgan import records as rowfile
from iidgan import train
from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.engine import checkpoint
from iidgan.engine.loop import Stop
from iidgan.errors import InputError
from iidgan.methods import iid_gan
from iidgan.metrics import METRICS
from iidgan.nn import MLP
from iidgan.training import context as game
from iidgan.training.run_dir import RunFolder
from iidgan.utils import provenance
from iidgan.utils.files import PARTIAL, damage, write, write_folder
from iidgan.utils.jsonl import read_lines

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FINISHED, REFUSED, STOPPED = 0, 2, 10


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a child is to do, and what is to happen to it.

    Arguments:
        out: Folder of the run.
        steps, every, keep: As in `train`.
        die_at, refuse_at: Number of the change to the file system before which it dies, or from
            which on the disk is full; -1: never.
        largest: Bytes of the largest file that it may write before the system kills it.
        signal: Sent to it `delay` seconds after it began, or after it told of its start.
        pause: Seconds by which each step takes longer.
    """

    out: str
    steps: int = 4
    every: int = 2
    keep: int = 1
    die_at: int = -1
    refuse_at: int = -1
    largest: int = -1
    signal: int = 0
    delay: float = 0.0
    pause: float = 0.0


# In the server and its children


def serve() -> None:
    """Forks a child for each order on standard input and tells how it ended."""
    importlib.import_module("torch._dynamo")  # training does: so no child has to
    for line in sys.stdin:
        order = Order(**json.loads(line))
        pid = os.fork()
        if not pid:
            os._exit(child(order))
        if order.signal:
            wait_for_start(order)
            time.sleep(order.delay)
            os.kill(pid, order.signal)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def wait_for_start(order: Order) -> None:
    """Waits for the first event where the child has to be training when it is told to stop."""
    while order.pause and not RunFolder(Path(order.out)).events.exists():
        time.sleep(0.002)


def child(order: Order) -> int:
    provenance.commit = lambda: "some-commit"
    small_world(order)
    if order.largest >= 0:
        limit(order.largest)
    changes, stop = Changes(order), Stop()
    sys.addaudithook(changes)
    try:
        with stop.listening():
            result = train.train(
                tiny(order.steps),
                out=order.out,
                seeds=2,
                checkpoint_every=order.every,
                keep=order.keep,
                device="cpu",
                stop=stop,
            )
    except InputError as error:
        Path(f"{order.out}.error").write_text(str(error))
        return REFUSED
    Path(f"{order.out}.changes").write_text(str(changes.count))
    return FINISHED if result.ending == "finished" else STOPPED


def tiny(steps: int) -> Run:
    return Run(
        source=Ring(size=200), method=iid_gan(), arch=MLP(hidden=(8,)), steps=steps, batch=16
    )


def small_world(order: Order) -> None:
    """Makes measuring cheap, tells of finished checkpoints, and slows steps down."""
    del METRICS["normality"]
    Ring.num_evaluated = 50
    save = checkpoint.save

    def told(*args: Any, **options: Any) -> Path:
        target = save(*args, **options)
        handle = os.open(f"{order.out}.saved", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{target.name}\n".encode())
        os.close(handle)
        return target

    checkpoint.save = told

    class Slow(game.Batches):
        def at(self, step: int) -> Any:
            time.sleep(order.pause)
            return super().at(step)

    if order.pause:
        game.Batches = Slow


def limit(size: int) -> None:
    """Lets the kernel kill this process in the middle of a write, at a byte of its choice."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Changes:
    """An audit hook that counts the changes to a folder, and lets one of them go wrong."""

    events = frozenset(
        {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.truncate"}
    )

    def __init__(self, order: Order) -> None:
        self.order, self.count = order, 0

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.concerns(event, args):
            return
        if self.count == self.order.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        full = 0 <= self.order.refuse_at <= self.count
        self.count += 1
        if full and event not in ("os.remove", "os.rmdir"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def concerns(self, event: str, args: tuple[Any, ...]) -> bool:
        if event == "open":
            name, _, flags = args
            changing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return bool(changing) and str(name).startswith(f"{self.order.out}/")
        # What is relative belongs to a folder that is being removed.
        return event in self.events and (
            str(args[0]).startswith(self.order.out) or not os.path.isabs(str(args[0]))
        )


# In the tests


Ask = Callable[[Order], int]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
    found = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | one | found,
    ) as server:

        def ask(order: Order) -> int:
            server.stdin.write(json.dumps(asdict(order)) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield ask
        server.stdin.close()


@pytest.fixture(scope="module")
def whole(ask, tmp_path_factory) -> Path:
    """A training that nothing happens to."""
    path = tmp_path_factory.mktemp("whole") / "r"
    assert ask(Order(out=str(path))) == FINISHED
    return path


@pytest.fixture(scope="module")
def num_changes(whole) -> int:
    return int(Path(f"{whole}.changes").read_text())


def saved_steps(path: Path) -> list[str]:
    report = Path(f"{path}.saved")
    return report.read_text().split() if report.exists() else []


def assert_sound(path: Path) -> None:
    """Asserts that every file is whole, temporary, or has but its last line torn."""
    folder = RunFolder(path)
    if folder.run_file.exists():
        folder.read()
    for lines in (folder.log, folder.events, folder.metrics):
        read_lines(lines)
    if folder.arrays.exists():
        with np.load(folder.arrays) as arrays:
            assert all(arrays[name].size for name in arrays)
    assert not folder.generator.exists() or damage(folder.generator) is None
    found = checkpoint.newest(folder.checkpoints)
    assert found.damaged == {}
    if saved := saved_steps(path):
        assert found.path is not None
        assert found.path.name >= max(saved)


def assert_same(path: Path, whole: Path) -> None:
    """Asserts that two folders hold the same training, bit for bit, and nothing else."""
    assert not list(path.rglob(f"{PARTIAL}*"))
    assert {p.name for p in path.iterdir()} == {p.name for p in whole.iterdir()}
    exact = ("*.safetensors", "config.json", "state.json", "MANIFEST.json")
    for name in (p.relative_to(whole) for each in exact for p in whole.rglob(each)):
        assert (path / name).read_bytes() == (whole / name).read_bytes()
    assert rows_of(path) == rows_of(whole)
    assert log_of(path) == log_of(whole)
    with np.load(path / "arrays.npz") as a, np.load(whole / "arrays.npz") as b:
        assert {n: a[n].tobytes() for n in a} == {n: b[n].tobytes() for n in b}


def rows_of(path: Path) -> list[str]:
    found = rowfile.read(RunFolder(path).metrics)
    return sorted(str(replace(row, provenance={})) for row in found)


def log_of(path: Path) -> list[dict[str, Any]]:
    lines = read_lines(RunFolder(path).log)
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def walk(ask: Ask, whole: Path, orders: list[Order]) -> None:
    """Carries out each order, looks at what it left, and goes on to the end."""
    for order in orders:
        path = Path(order.out)
        ending = ask(order)
        assert ending in (-signal.SIGKILL, -signal.SIGXFSZ, REFUSED), order
        assert_sound(path)
        if ending == REFUSED:
            assert "No space left on device" in Path(f"{path}.error").read_text()
            assert not list(path.rglob(f"{PARTIAL}*")), order
        assert ask(Order(out=order.out)) == FINISHED
        assert_same(path, whole)


def test_a_kill_before_some_changes_loses_no_bit(ask, whole, num_changes, tmp_path):
    assert num_changes > 50
    some = range(0, num_changes, num_changes // 8)
    walk(ask, whole, [Order(out=str(tmp_path / str(i)), die_at=i) for i in some])


@pytest.mark.slow
def test_a_kill_before_any_change_loses_no_bit(ask, whole, num_changes, tmp_path):
    walk(ask, whole, [Order(out=str(tmp_path / str(i)), die_at=i) for i in range(num_changes)])


def test_a_full_disk_from_some_change_on_loses_no_bit(ask, whole, num_changes, tmp_path):
    some = range(3, num_changes, num_changes // 4)
    walk(ask, whole, [Order(out=str(tmp_path / str(i)), refuse_at=i) for i in some])


@pytest.mark.slow
def test_a_full_disk_from_any_change_on_loses_no_bit(ask, whole, num_changes, tmp_path):
    walk(ask, whole, [Order(out=str(tmp_path / str(i)), refuse_at=i) for i in range(num_changes)])


@pytest.mark.slow
@pytest.mark.parametrize("largest", [0, 100, 500, 800, 1100, 3000, 5500, 7000, 11_000])
def test_a_kill_in_the_middle_of_a_write_loses_no_bit(ask, whole, tmp_path, largest):
    walk(ask, whole, [Order(out=str(tmp_path / "r"), largest=largest)])


@pytest.mark.slow
def test_kills_at_random_moments_lose_no_bit(ask, whole, tmp_path):
    began = time.perf_counter()
    assert ask(Order(out=str(tmp_path / "timed"))) == FINISHED
    length = time.perf_counter() - began
    chance, kills, runs = random.Random(0), 0, 0
    while kills < 20:
        order = Order(out=str(tmp_path / str(runs)), signal=signal.SIGKILL)
        endings = [ask(replace(order, delay=chance.uniform(0, length)))]
        while endings[-1] == -signal.SIGKILL:  # the training that goes on is killed as well
            assert_sound(Path(order.out))
            endings.append(ask(replace(order, delay=chance.uniform(0, 1.2 * length))))
        assert endings.pop() == FINISHED
        assert_same(Path(order.out), whole)
        kills, runs = kills + len(endings), runs + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_step_and_the_rest_loses_no_bit(ask, tmp_path, number):
    straight, path = tmp_path / "straight", tmp_path / "r"
    plan = Order(out=str(path), steps=60, every=60, keep=2)
    assert ask(replace(plan, out=str(straight))) == FINISHED
    told = replace(plan, signal=number, delay=0.1, pause=0.02)
    assert ask(told) == STOPPED
    stopped = read_lines(RunFolder(path).events)[-1]
    assert stopped["event"] == "stopped"
    assert 0 < stopped["step"] < 60
    found = checkpoint.newest(RunFolder(path).checkpoints)
    assert found.path.name == f"step-{stopped['step']:08d}"
    assert ask(plan) == FINISHED
    last = "checkpoints/step-00000060/state.safetensors"
    assert (path / last).read_bytes() == (straight / last).read_bytes()
    assert set(rows_of(straight)) <= set(rows_of(path))


@pytest.mark.slow
def test_a_kill_before_any_change_of_a_repair_loses_no_bit(ask, tmp_path):
    plan = Order(out=str(tmp_path / "whole"), steps=6, keep=2)
    assert ask(plan) == FINISHED
    for i in itertools.count():
        path = tmp_path / str(i)
        shutil.copytree(tmp_path / "whole", path)
        spoil(path)
        if ask(replace(plan, out=str(path), die_at=i)) == FINISHED:
            break
        assert ask(replace(plan, out=str(path))) == FINISHED
        assert_same(path, tmp_path / "whole")


def spoil(path: Path) -> None:
    """Leaves what a crash, a power cut and a bad disk might leave together."""
    folder = RunFolder(path)
    tensors = folder.checkpoints / "step-00000006" / "state.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1])
    shutil.rmtree(folder.generator)
    for lines in (folder.log, folder.metrics, folder.events):
        lines.write_bytes(lines.read_bytes()[:-9])
    (folder.checkpoints / f"{PARTIAL}step-1").mkdir()
    (path / f"{PARTIAL}run.json").touch()


# Files


@pytest.mark.parametrize("how", [write, write_folder])
def test_a_name_is_given_after_the_content_is_on_the_disk_and_then_is_there_too(
    tmp_path, monkeypatch, how
):
    synced, order = set[int](), list[str]()
    fsync, rename = os.fsync, os.replace

    def watched_fsync(handle: int) -> None:
        fsync(handle)
        synced.add(os.fstat(handle).st_ino)
        order.append("fsync")

    def watched_replace(source: Path, target: Path) -> None:
        parts = [Path(source), *Path(source).rglob("*")]
        assert {part.stat().st_ino for part in parts} <= synced
        synced.clear()
        rename(source, target)
        order.append("rename")

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    how(tmp_path / "x", lambda p: (p / "a" if p.is_dir() else p).write_text("content"))
    assert order[-2:] == ["rename", "fsync"]
    assert synced == {tmp_path.stat().st_ino}


if __name__ == "__main__":
    serve()
