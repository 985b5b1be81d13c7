"""What the command line shows of trainings, on a terminal and without one."""

import io
import math
import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from rich.console import Console

from iidgan.cli.training_monitor import STOPPING, TrainingMonitor, format_losses
from iidgan.engine.loop import LogRecord


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def make_record(step, *, losses=None, **changes):
    return LogRecord(step, losses or {}, seconds=1.0, **({"diverged": {}} | changes))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def create_monitor(clock):
    def create(total_steps, labels, *, width=60, is_terminal=False):
        file = io.StringIO()
        console = Console(file=file, width=width, force_terminal=is_terminal)
        monitor = TrainingMonitor(total_steps, labels, console=console, get_time=clock)
        return monitor, file

    return create


def render(monitor, width=60):
    """Returns the lines inside the panel, and its title."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(monitor.render())
    title, *lines, _ = console.file.getvalue().splitlines()
    assert all(len(line) == width for line in lines)
    return title.strip("╭╮─ "), [line.strip("│ ").rstrip() for line in lines]


@pytest.mark.parametrize(
    ("losses", "text"),
    [
        ({"D/adversarial": [1.0, 2.0], "G/adversarial": [3.0, 3.0]}, "D 1.500  G 3.000"),
        ({"D/penalty": [9.0], "D/adversarial": [1.0], "G/cycle": [8.0]}, "D 1.000  G 8.000"),
        ({"D/critic": [1.0], "D/penalty": [9.0]}, "D 1.000"),
        ({"D/adversarial": [1.0, math.nan]}, "D 1.000"),
        ({"D/adversarial": [math.nan], "D/penalty": [9.0]}, ""),
        ({}, ""),
    ],
)
def test_format_losses_shows_one_per_player(losses, text):
    assert format_losses(make_record(3, losses=losses)) == text


# Without a terminal


def test_line_is_printed_every_ten_seconds_at_most(create_monitor, clock):
    monitor, file = create_monitor([1000], ["run"])
    with monitor:
        for step in range(10, 410, 10):
            clock.now += 0.9
            monitor.show(0, "", make_record(step))
    steps = [int(line.split()[2]) for line in file.getvalue().splitlines()]
    assert steps == [120, 240, 360]  # 10.8 s apart


def test_line_has_speed_and_time_left(create_monitor, clock):
    monitor, file = create_monitor([1000], ["run"])
    losses = {"D/adversarial": [1.0, 1.0]}
    for step, coverage in ((100, ()), (200, (0.8, 0.83)), (300, (math.nan, math.nan))):
        clock.now += 11
        monitor.show(0, "", make_record(step, losses=losses, coverage=coverage))
    lines = [line.split("  ") for line in file.getvalue().splitlines()]
    assert lines[-1] == [
        "run: step 300 of 1000",
        "9.1 steps/s",
        "1 min 17 s left",
        "D 1.000",
        "coverage 0.81",  # the last one that was measured
    ]


def test_line_is_of_slowest_process(create_monitor, clock):
    """Each process of a run logs its own seeds."""
    monitor, file = create_monitor([100], ["run"])
    for step, seeds in ((10, (0, 1)), (10, (2,)), (90, (0, 1)), (50, (2,))):
        clock.now += 11
        monitor.show(0, "", make_record(step, seeds=seeds))
    assert [line.split()[2] for line in file.getvalue().splitlines()] == ["10", "10", "10", "50"]


def test_single_training_ends_with_a_line(create_monitor):
    monitor, file = create_monitor([200], ["run"])
    for step in (100, 200):
        monitor.show(0, "", make_record(step, losses={"D/adversarial": [1.5]}))
    assert file.getvalue() == "run: step 200 of 200  D 1.500\n"


def test_runs_share_the_ten_seconds(create_monitor, clock):
    monitor, file = create_monitor([100, 100], ["a", "b"])
    for _ in range(3):
        clock.now += 6
        for run_index in (0, 1):
            monitor.show(run_index, "", make_record(100 if run_index == 0 else 50))
    assert file.getvalue().startswith("1 of 2 runs trained; a: step 100 of 100")
    assert len(file.getvalue().splitlines()) == 1


def test_messages_are_printed_at_once(create_monitor):
    monitor, file = create_monitor([100], ["[run]"])
    monitor.show(0, "seed 1 diverged at step 7", None)
    assert file.getvalue() == "[run]: seed 1 diverged at step 7\n"


# On a terminal


def test_panel_of_one_run(create_monitor, clock):
    monitor, _ = create_monitor([24_000], ["runs/ring"], is_terminal=True)
    losses = {"D/adversarial": [1.0, 3.0, math.nan], "G/adversarial": [1.0, 1.0, math.nan]}
    for step in (100, 200, 1200):
        clock.now += 1
        record = make_record(
            step, losses=losses, seeds=(0, 1, 7), coverage=(0.5, 0.7, 0.6), diverged={2: 90}
        )
        monitor.show(0, "", record)
    title, (bar, *lines) = render(monitor)
    assert title == "runs/ring"
    assert bar == "━━╸"  # 5 % of 56 characters, in halves; the rest has colours alone
    assert lines == [
        "step 1,200 of 24,000  550 steps/s  42 s left",
        "D 2.000  G 1.000",
        "coverage 0.60",
        "diverged: seed 7",
    ]


def test_panel_of_seed_that_diverged_before_resuming(create_monitor):
    monitor, _ = create_monitor([100], ["run"], is_terminal=True)
    losses = {"D/adversarial": [1.0, math.nan]}
    monitor.show(0, "", make_record(50, losses=losses, seeds=(0, 1)))
    assert "diverged: seed 1" in render(monitor)[1]


def test_panel_of_several_runs(create_monitor, clock):
    labels = [f"run {i}" for i in range(12)]
    monitor, _ = create_monitor([100] * 12, labels, is_terminal=True)
    for run_index in range(11):
        record = make_record(100 if run_index == 0 else 50, losses={"D/adversarial": [1.5]})
        monitor.show(run_index, "", record)
    title, (_, steps, *lines) = render(monitor)
    assert title == "1 of 12 runs trained"
    assert steps == "600 of 1,200 steps"
    assert lines[0].split() == ["run", "1", "50", "%", "D", "1.500"]
    assert lines[-1] == "and 2 more"
    assert len(lines) == 8 + 1


@pytest.mark.parametrize("width", [40, 80, 200])
def test_panel_fits_any_width(create_monitor, width):
    label = "runs/" + "long-name-" * 20
    for labels in ([label], [label, "b"]):
        monitor, _ = create_monitor([10**7] * len(labels), labels, is_terminal=True)
        losses = {f"{player}/adversarial": [1.0] for player in "DEFGHIJK"}
        monitor.show(0, "", make_record(10**6, losses=losses))
        assert render(monitor, width)[1]


def test_panel_confirms_stop(create_monitor, capfd):
    monitor, file = create_monitor([100], ["run"], is_terminal=True)
    with monitor:
        monitor.acknowledge_stop()
        assert STOPPING in render(monitor, 80)[1]
    assert file.getvalue().endswith("\x1b[?25h" + "\r" + 6 * "\x1b[1A\x1b[2K")
    assert capfd.readouterr().err == ""


def test_stop_is_confirmed_without_a_panel(create_monitor, capfd):
    monitor, _ = create_monitor([100], ["run"])
    with monitor:
        monitor.acknowledge_stop()
    assert capfd.readouterr().err == f"\n{STOPPING}\n"


class Terminal:
    """A command in a terminal of its own.

    Arguments:
        *arguments: Words of the command line after `iidgan`.
    """

    def __init__(self, *arguments):
        self.output = ""
        self._handle, child_handle = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iidgan", *arguments],
            stdin=child_handle,
            stdout=child_handle,
            stderr=child_handle,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"},
        )
        os.close(child_handle)

    def read_until(self, text=None, *, seconds=120):
        """Reads until a text appears, or to the end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (text is None or text not in self.output):
            try:
                self.output += os.read(self._handle, 4096).decode(errors="replace")
            except OSError:  # the command has ended
                break
        assert text is None or text in self.output

    def wait(self):
        self.read_until()
        os.close(self._handle)
        return self.process.wait()


@pytest.fixture
def terminal(tmp_path):
    """A long training in a terminal."""
    terminal = Terminal(
        *("train", "ring", "--executor", "eager", "--workers", "1", "--arch.hidden", "8"),
        *("--steps", "1000000", "--checkpoint-every", "1000000", "--out", str(tmp_path / "r")),
    )
    yield terminal
    terminal.process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_command_leaves_the_terminal_whole(terminal, number):
    terminal.read_until("steps/s")
    assert "\x1b[?25l" in terminal.output  # the cursor is hidden behind the panel
    terminal.process.send_signal(number)
    assert terminal.wait() == 128 + number
    shown_at, hidden_at = terminal.output.rfind("\x1b[?25h"), terminal.output.rfind("\x1b[?25l")
    assert shown_at > hidden_at
    end = terminal.output[shown_at:]
    assert "╭" not in end
    assert "stopped and saved at step" in end
