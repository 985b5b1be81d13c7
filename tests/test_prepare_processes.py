"""Images converted by several processes, which start only for much work and end with it."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

import iidgan
from iidgan.data.prepare import pool
from iidgan.data.prepare.pool import CHUNK, chunked, converted
from iidgan.data.prepare.reader import Item, Skip
from iidgan.data.prepare.resize import Rule
from tests.helpers.images import encoded, pixels, put


def items(number):
    return [
        Skip(f"{i}", "gone") if i % 50 == 7 else Item(f"{i}", encoded(pixels(1, 4 + i % 9)[0]))
        for i in range(number)
    ]


def test_processes_give_the_same_in_the_same_order():
    given = items(5 * CHUNK + 3)
    alone, shared = (
        list(converted(given, Rule(size=8), len(given), workers=workers)) for workers in (1, 2)
    )
    assert len(alone) == len(shared) == 6
    for a, b in zip(alone, shared):
        assert all(np.array_equal(x, y) for x, y in zip(a.pixels, b.pixels, strict=True))
        assert (a.skipped, a.enlarged) == (b.skipped, b.enlarged)


def test_processes_that_die_leave_no_gap(monkeypatch):
    """What a script without `if __name__ == "__main__":` leads to, or a machine out of memory."""

    class Dying:
        def __init__(self, *arguments, **options):
            self.left = 3

        def submit(self, call, chunk, rule):
            self.left -= 1
            return Dead() if self.left < 0 else Done(call(chunk, rule))

        def shutdown(self, **options):
            pass

    class Done:
        def __init__(self, value):
            self.result = lambda: value

    class Dead:
        def result(self):
            raise BrokenProcessPool

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Dying)
    given = items(20 * CHUNK)
    found = list(converted(given, Rule(size=8), len(given), workers=2))
    assert sum(len(part.pixels) + len(part.skipped) for part in found) == len(given)
    alone = converted(given, Rule(size=8), len(given), workers=1)
    assert [len(part.pixels) for part in found] == [len(part.pixels) for part in alone]


def test_little_work_starts_no_process(monkeypatch):
    def refuse(*arguments):
        raise AssertionError

    monkeypatch.setattr(pool, "_shared", refuse)
    assert len(list(converted(items(200), Rule(size=8), 200))) == 4
    assert list(converted([], Rule(size=8), None)) == []


def test_large_images_are_handed_over_in_small_numbers(monkeypatch):
    monkeypatch.setattr(pool, "CHUNK_BYTES", 1000)
    given = [Item(f"{i}", bytes(400)) for i in range(7)]
    assert [len(chunk) for chunk in chunked(given)] == [3, 3, 1]


SCRIPT = """
import multiprocessing, sys, time
from iidgan.data.prepare.pool import CHUNK, converted
from iidgan.data.prepare.reader import Skip
from iidgan.data.prepare.resize import Rule

def endless():
    for i in range(10**9):
        yield Skip("x", "gone")
        if i % CHUNK == 0:
            time.sleep(0.01)

if __name__ == "__main__":
    for i, _ in enumerate(converted(endless(), Rule(size=8), None, workers=2)):
        if i == 5:
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent(tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    here = os.environ | {"PYTHONPATH": str(Path(iidgan.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=here
    ) as process:
        children = [int(word) for word in process.stdout.readline().split()]
        assert len(children) == 2
        process.send_signal(number)
        process.wait(20)
    assert gone(children)


COMMAND = """
import os, sys
from iidgan.cli import main
from iidgan.data.prepare import pool

if __name__ == "__main__":
    pool.WORTH, os.cpu_count = -1.0, lambda: 2
    sys.exit(main(["prepare", "x", "--from", "x", "--root", "home"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_processes_import_leaves_nothing_and_says_nothing(tmp_path, number, code):
    put(
        tmp_path,
        {"script.py": COMMAND} | {f"x/{i}.png": encoded(pixels(1)[0]) for i in range(500)},
    )
    here = os.environ | {"PYTHONPATH": str(Path(iidgan.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=here,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while process.poll() is None and len(children.read_text().split()) < 3:  # and a tracker
            time.sleep(0.01)
        started = children.read_text().split()
        time.sleep(0.3)
        if number == signal.SIGINT:  # as from a terminal, which sends it to all
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (code, b"")
    assert list((tmp_path / "home").iterdir()) == []
    assert gone(started)


def gone(pids):
    end = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
