"""Exit codes, cores and blocked signals."""

import os
import signal

import pytest

from iidgan.utils.processes import blocked_signals, describe_exit, num_cores


@pytest.mark.parametrize(
    ("exit_code", "description"),
    [(0, "ended with 0"), (3, "ended with 3"), (-9, "was killed by SIGKILL"), (None, "None")],
)
def test_describe_exit_names_signal(exit_code, description):
    assert describe_exit(exit_code).endswith(description)


def test_num_cores_is_positive():
    assert 1 <= num_cores() <= (os.cpu_count() or 1)


def test_blocked_signals_arrive_later():
    received = []
    previous_handler = signal.signal(signal.SIGUSR1, lambda number, frame: received.append(number))
    try:
        with blocked_signals([signal.SIGUSR1]):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert received == []
        assert received == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, previous_handler)
