"""Signals that end a command as Ctrl-C does."""

import os
import signal

import pytest

from iidgan.cli import Terminated, main, parse
from iidgan.cli.signals import interrupt_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_interrupt_on_signals(number):
    @interrupt_on_signals()
    def receive_two():
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # interrupts no cleanup

    handler = signal.getsignal(number)
    with pytest.raises(Terminated) as ending:
        receive_two()
    assert ending.value.exit_code == 128 + number
    assert signal.getsignal(number) == handler


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
@pytest.mark.parametrize("arguments", [["--from", "x"], ["--sise", "3"]])
def test_prepare_signal_while_parsing(monkeypatch, capsys, number, code, arguments):
    """Most of the first second: tyro ends with SystemExit, as a handler might."""
    cli = parse.tyro.cli

    def parse_and_kill(*positional, **options):
        os.kill(os.getpid(), number)
        return cli(*positional, **options)

    monkeypatch.setattr(parse.tyro, "cli", parse_and_kill)
    assert main(["prepare", "faces", *arguments]) == code
    assert capsys.readouterr().err == ""
