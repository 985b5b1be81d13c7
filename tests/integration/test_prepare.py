"""`prepare` and its worker processes, interrupted by signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import iidgan
from iidgan.data.prepare import prepare
from tests.helpers.images import encode_image, random_images, write_files

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(iidgan.__file__).parents[1])}

PREPARE_SLOWLY = """
import signal, sys, time
from iidgan.data.prepare import prepare

def wait(num_done, num_images):
    print("at work", flush=True)
    time.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs of a shell
prepare("faces", origin=sys.argv[1], root=sys.argv[2], size=8, on_progress=wait)
"""


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_prepare_leaves_nothing(tmp_path, signal_number):
    files = {f"{i}.png": encode_image(image) for i, image in enumerate(random_images(6))}
    folder, root = str(write_files(tmp_path / "faces", files)), tmp_path / "home"
    with subprocess.Popen(
        [sys.executable, "-c", PREPARE_SLOWLY, folder, root],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        assert process.stdout.readline() == b"at work\n"
        process.send_signal(signal_number)
        process.wait(10)
    assert not (root / "faces").exists()
    assert prepare("faces", origin=folder, root=str(root), size=8).is_new
    assert [path.name for path in root.iterdir()] == ["faces"]


CONVERT_FOREVER = """
import multiprocessing, time
from iidgan.data.prepare.pool import CHUNK_IMAGES, process_chunks
from iidgan.data.prepare.reader import SkippedImage

def endless():
    for i in range(10**9):
        yield SkippedImage("x", "gone")
        if i % CHUNK_IMAGES == 0:
            time.sleep(0.01)

def work_slowly(chunk):
    time.sleep(0.1)  # otherwise one process may do all of it
    return len(chunk)

if __name__ == "__main__":
    for _ in process_chunks(endless(), work_slowly, None, workers=2):
        workers = multiprocessing.active_children()
        if len(workers) == 2:
            print(*(worker.pid for worker in workers), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_workers_exit_with_parent(tmp_path, signal_number):
    script = tmp_path / "script.py"
    script.write_text(CONVERT_FOREVER)
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as process:
        workers = [int(word) for word in process.stdout.readline().split()]
        process.send_signal(signal_number)
        process.wait(20)
    assert len(workers) == 2
    assert all_end_soon(workers)


PREPARE_IN_PROCESSES = """
import os, sys
from iidgan.cli import main
from iidgan.data.prepare import pool

if __name__ == "__main__":
    pool.MIN_POOL_SECONDS, os.cpu_count = -1.0, lambda: 2
    sys.exit(main(["prepare", "x", "--from", "x", "--root", "home"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal_number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_signal_during_worker_import(tmp_path, signal_number, exit_code):
    """It leaves no files, no processes and no message."""
    images = {f"x/{i}.png": encode_image(random_images(1)[0]) for i in range(500)}
    write_files(tmp_path, images | {"script.py": PREPARE_IN_PROCESSES})
    with subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while process.poll() is None and len(children.read_text().split()) < 2:
            time.sleep(0.01)  # until there are a tracker and the server that forks workers
        child_ids = children.read_text().split()
        time.sleep(0.3)
        if signal_number == signal.SIGINT:  # as from a terminal, which sends it to the group
            os.killpg(process.pid, signal_number)
        else:
            process.send_signal(signal_number)
        _, error_output = process.communicate(timeout=60)
    assert (process.returncode, error_output) == (exit_code, b"")
    assert list((tmp_path / "home").iterdir()) == []
    assert all_end_soon(child_ids)


def all_end_soon(process_ids):
    deadline = time.monotonic() + 10
    while any(map(is_alive, process_ids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_alive, process_ids))


def is_alive(process_id):
    try:
        with open(f"/proc/{process_id}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
