"""Locks: `exclusive_lock` refuses at once, `file_lock` waits."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from iidgan.errors import FolderInUseError
from iidgan.utils.locks import exclusive_lock, file_lock
from tests.helpers.errors import raises_input_error


def lock(path):
    return exclusive_lock(path, refusal=f"out: {path} is in use")


def test_exclusive_lock_refuses_second(tmp_path):
    path = tmp_path / "deep" / "er" / ".lock"
    for _ in range(2):
        refusal = raises_input_error("out", path, "in use")
        with lock(path), refusal, lock(path):
            pass
    with lock(path), pytest.raises(FolderInUseError), lock(path):
        pass
    assert os.listdir(path.parent) == []


def test_exclusive_lock_after_file_was_left(tmp_path):
    path = tmp_path / ".lock"
    path.touch()
    with lock(path), pytest.raises(FolderInUseError), lock(path):
        pass
    assert not path.exists()


def test_exclusive_lock_follows_no_link(tmp_path):
    (tmp_path / "letter").write_text("mine")
    (tmp_path / ".lock").symlink_to("letter")
    with raises_input_error(str(tmp_path / ".lock")), lock(tmp_path / ".lock"):
        pass
    assert (tmp_path / "letter").read_text() == "mine"


def test_exclusive_lock_waits(tmp_path):
    path, is_held = tmp_path / ".lock", threading.Event()

    def hold_briefly():
        with lock(path):
            is_held.set()
            time.sleep(0.1)

    thread = threading.Thread(target=hold_briefly)
    thread.start()
    is_held.wait()
    with exclusive_lock(path, refusal="out: in use", timeout=60):
        thread.join()
    assert not path.exists()


HOLD_LOCK = """
import sys, time
from pathlib import Path
from iidgan.utils.locks import exclusive_lock
with exclusive_lock(Path(sys.argv[1]), refusal="in use"):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_exclusive_lock_ends_with_process(tmp_path, number):
    path = tmp_path / ".lock"
    command = [sys.executable, "-c", HOLD_LOCK, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(FolderInUseError), lock(path):
            pass
        holder.send_signal(number)
    assert path.exists()
    with lock(path):
        pass
    assert not path.exists()


def test_file_lock_waits_for_first(tmp_path):
    path, order = tmp_path / "turn.lock", []

    def lock_second():
        with file_lock(path):
            order.append("second")

    with file_lock(path):
        thread = threading.Thread(target=lock_second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert path.read_bytes() == b""
    (tmp_path / "file").touch()
    invalid = tmp_path / "file" / "turn.lock"
    with raises_input_error(), file_lock(invalid):
        pass


def test_file_lock_waits_no_longer(tmp_path):
    path = tmp_path / "turn.lock"
    with file_lock(path), raises_input_error(str(path), "0.05 s"), file_lock(path, timeout=0.05):
        pass


IMPORT_ALL = """
import importlib, pkgutil, sys, warnings
for name in ("fcntl", "resource"):
    sys.modules[name] = None
warnings.simplefilter("ignore")  # filelock's, that it has no native locks here
import iidgan
names = [module.name for module in pkgutil.walk_packages(iidgan.__path__, "iidgan.")]
names.remove("iidgan.__main__")
# On Linux, Ray brings a psutil that needs resource.
names = [name for name in names if not name.startswith("iidgan.parallel.ray_cluster.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.mark.slow
def test_package_imports_without_unix_modules():
    finished = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) > 200
