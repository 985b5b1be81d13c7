"""Commands that go on in the background, when the terminal has gone."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from iidgan.cli.options import TrainMissingOptions
from iidgan.errors import InputError
from iidgan.utils.files import oserror_as_input_error


def detach_command(command: str, arguments: Sequence[str], options: TrainMissingOptions) -> int:
    """Start a command again in the background, without `--detach`, and return the exit code.

    What it prints goes to a file in the folder of the runs. It has no terminal, and a session of
    its own, so that neither Ctrl-C here nor the end of the terminal reaches it.

    Arguments:
        command: Name of the command, such as `table`.
        arguments: Words of the command line after it.
        options: What they say.

    Raises:
        InputError: There is nothing to train, or the file cannot be written.
    """
    if not options.train:
        raise InputError("detach: there is nothing to wait for with --no-train; leave one out")
    options.create_workspace()  # checks the options while somebody reads the message
    options.create_stop_request()
    words = [command, *(word for word in arguments if word != "--detach")]
    log_file = Path(options.runs, f"{command}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.log")
    with oserror_as_input_error(log_file):
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("x") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "iidgan", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    print(
        f"process {process.pid} goes on in the background: tail -f {shlex.quote(str(log_file))} "
        f"shows what it prints, kill -INT {process.pid} saves and ends it, and "
        f"iidgan {shlex.join(words)} waits for it, or goes on where it has ended"
    )
    return 0
