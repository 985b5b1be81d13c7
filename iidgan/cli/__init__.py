"""The command line. Commands are imported when they are used, so that `--help` answers at once."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Sequence

from iidgan.errors import InputError, unknown

# name -> (module, help)
COMMANDS = {
    "prepare": ("prepare", "make one array of images, or the classifier that measures them"),
    "train": ("train", "train a method on a source; the same command again goes on"),
    "evaluate": ("evaluate", "measure a trained run"),
    "sample": ("evaluate", "draw samples from a trained run, as arrays or as a picture"),
    "invert": ("evaluate", "map samples to their latent codes"),
    "figure": ("figure", "draw the figures of a run, or a published one"),
    "table": ("table", "train what a published table lacks, and print it"),
    "why": ("explain", "print the run, the rows and the command behind a number of a table"),
    "sweep": ("sweep", "tune the methods of the synthetic tables, with the same budget each"),
    "list": (
        "info",
        "list methods, terms, sources, ..., tables and figures",
    ),
    "cite": ("info", "print the publication of a method, term or source"),
    "doctor": ("info", "show versions, devices, free disk, and what is installed"),
}

NO_MEMORY = re.compile(
    "allocate memory|not enough memory|out of memory|size calculation overflowed", re.I
)

USAGE = """\
usage: iidgan COMMAND ...

GANs that do not drop modes, and the proof that they did not.

commands:
{commands}

`iidgan COMMAND --help` tells more.

  iidgan train ring --method iid-gan --seeds 5
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0, 2 for bad input, 3 if all seeds diverged."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(given)
        print(end="", flush=True)
        return code
    except InputError as error:
        print(f"iidgan: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _silence()
        return 141
    except OSError as error:
        _silence()
        print(f"iidgan: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not NO_MEMORY.search(str(error)):
            raise
        print("iidgan: not enough memory; ask for fewer samples or seeds", file=sys.stderr)
        return 2


def _silence() -> None:
    """Lets the interpreter end without another try at an output that takes nothing."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(given: list[str]) -> int:
    if not given or given[0] in ("-h", "--help"):
        lines = (f"  {name:10}{text}" for name, (_, text) in COMMANDS.items())
        print(USAGE.format(commands="\n".join(lines)), end="")
        return 0 if given else 2
    if given[0] == "--version":
        from iidgan._version import __version__

        print(__version__)
        return 0
    name, *rest = given
    if name not in COMMANDS:
        raise unknown("command", name, COMMANDS)
    module = importlib.import_module(f"iidgan.cli.{COMMANDS[name][0]}")
    command: Callable[[list[str]], int] = getattr(module, f"{name}_command")
    return command(rest)
