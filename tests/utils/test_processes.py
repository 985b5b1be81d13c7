"""Exit codes, cores, signals and the guard of the main script."""

import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest

from iidgan.utils.processes import (
    NO_MAIN_GUARD_EXIT_CODE,
    STOP_SIGNALS,
    blocked_signals,
    check_main_guard,
    check_main_script,
    describe_exit,
    drop_ignored_hangup,
    exit_without_main_guard,
    num_cores,
)
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize(
    ("exit_code", "description"),
    [(0, "ended with 0"), (3, "ended with 3"), (-9, "was killed by SIGKILL"), (None, "None")],
)
def test_describe_exit_names_signal(exit_code, description):
    assert describe_exit(exit_code).endswith(description)


def test_num_cores_is_positive():
    assert 1 <= num_cores() <= (os.cpu_count() or 1)


def test_exit_without_main_guard(monkeypatch):
    exit_without_main_guard()
    process = multiprocessing.current_process()
    monkeypatch.setattr(process, "_inheriting", True, raising=False)
    exit_codes = []
    monkeypatch.setattr(os, "_exit", exit_codes.append)
    exit_without_main_guard()
    with raises_input_error("workers", 'if __name__ == "__main__":'):
        check_main_guard(*exit_codes)


def test_check_main_script(monkeypatch):
    check_main_script()
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "<stdin>", raising=False)
    with raises_input_error("workers", "<stdin>"):
        check_main_script()


@pytest.mark.parametrize("exit_code", [None, 0, 1, -9])
def test_check_main_guard_accepts_others(exit_code):
    assert exit_code != NO_MAIN_GUARD_EXIT_CODE
    check_main_guard(exit_code)


def test_drop_ignored_hangup(monkeypatch):
    assert drop_ignored_hangup(STOP_SIGNALS) == [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    previous_handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert drop_ignored_hangup(STOP_SIGNALS) == [signal.SIGINT, signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, previous_handler)


@pytest.fixture
def received():
    """Numbers of SIGUSR1 as this process's handler receives them."""
    numbers = []
    previous_handler = signal.signal(signal.SIGUSR1, lambda number, frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGUSR1, previous_handler)


@pytest.fixture
def other_thread():
    """A thread that blocks no signal, as those of numerical libraries."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    yield thread
    done.set()
    thread.join()


def test_blocked_signals_arrive_later(received):
    with blocked_signals([signal.SIGUSR1]):
        os.kill(os.getpid(), signal.SIGUSR1)
        assert received == []
    deadline = time.monotonic() + 10
    while not received and time.monotonic() < deadline:  # any thread may receive it
        time.sleep(0.01)
    assert received == [signal.SIGUSR1]


def test_blocked_signals_of_other_thread_arrive_later(received, other_thread):
    with blocked_signals([signal.SIGUSR1]):
        signal.pthread_kill(other_thread.ident, signal.SIGUSR1)
        time.sleep(0.1)  # the handler would run in this thread
        assert received == []
    assert received == [signal.SIGUSR1]


def test_blocked_signals_restore_handler(received):
    handler = signal.getsignal(signal.SIGUSR1)
    with blocked_signals([signal.SIGUSR1]):
        pass
    assert signal.getsignal(signal.SIGUSR1) is handler


def test_blocked_signals_in_other_thread(received):
    def block():
        with blocked_signals([signal.SIGUSR1]):
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
            counts.append(len(received))

    counts = []
    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert counts == [0]
    assert received == [signal.SIGUSR1]
