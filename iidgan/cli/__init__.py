"""The command line: commands in files that are imported on use, so that `--help` answers at once.

Parsing options, printing and exit codes belong here; whatever Python users need as well is in the
packages below.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence

from iidgan.cli.encoding import replace_unencodable
from iidgan.cli.streams import discard_stream, lossy_stderr, reserve_standard_descriptors
from iidgan.errors import InputError, unknown_name_error
from iidgan.utils.memory import is_out_of_memory
from iidgan.utils.processes import num_launched_processes

# name -> (module, help)
COMMANDS = {
    "prepare": ("prepare", "convert images to one array, or train a classifier of them"),
    "train": ("train", "train a method on a source; rerunning the command resumes"),
    "evaluate": ("evaluate", "measure a trained run, or anybody's images against real ones"),
    "diagnose": ("diagnose", "find out whether a generator of images or points has collapsed"),
    "reference": ("reference", "write features of real images to a file, to compare with"),
    "sample": ("latent.sample", "draw samples from a trained run, as arrays or as a picture"),
    "invert": (
        "latent.invert",
        "map images or points to codes, and say how well G reproduces them",
    ),
    "traverse": ("latent.traverse", "show what single latents, or two in a plane, control"),
    "interpolate": ("latent.interpolate", "show samples between two images, or two of the prior"),
    "directions": (
        "latent.directions",
        "find directions of the latent space, and show them",
    ),
    "explore": ("explore", "explore trained generators on a page in the browser"),
    "export": ("export", "write G and F to ONNX files, or for torch.export"),
    "push": ("push", "share a run on the Hugging Face Hub, with a model card"),
    "figure": ("figure", "draw the figures of a run, or a published figure"),
    "report": ("report", "write runs and tables as one HTML page, to send or to print"),
    "table": ("table", "train what a published table lacks, and print it"),
    "why": ("explain", "print the run, the records and the command behind a number of a table"),
    "sweep": ("sweep", "tune the methods of the synthetic tables, each with the same budget"),
    "list": ("info", "list methods, terms, sources, data sets, presets, tables, ..."),
    "cite": ("info", "print the publication of a method, term, source, preset, ..."),
    "doctor": ("info", "show versions, devices, free disk space and installed extras"),
}

USAGE = """\
usage: iidgan COMMAND ...

GANs against mode collapse, with metrics that show mode coverage.

commands:
{commands}

`iidgan COMMAND --help` shows the options of a command. An example:

  iidgan train ring --method iid-gan --seeds 5
"""


class Terminated(KeyboardInterrupt):
    """A signal that ends the command as Ctrl-C does.

    It is no `SystemExit`, which libraries that parse arguments catch.

    Arguments:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for bad input, 3 if all seeds diverged.

    Arguments:
        arguments: Words of the command line after `iidgan`; by default those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    reserve_standard_descriptors()
    replace_unencodable()
    with lossy_stderr():
        return _run_to_exit_code(words)


def _run_to_exit_code(words: list[str]) -> int:
    try:
        exit_code = run_command(words)
        print(end="", flush=True)
        return exit_code
    except InputError as error:
        print(f"iidgan: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except Terminated as ending:
        return ending.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _discard_output()
        return 141
    except OSError as error:
        _discard_output()
        file_name = error.filename or "output"
        print(f"iidgan: {file_name}: {error.strerror or error}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        print("iidgan: not enough memory; use fewer samples or seeds", file=sys.stderr)
        return 2


def _discard_output() -> None:
    if sys.stdout is not None:
        discard_stream(sys.stdout)


def run_command(words: list[str]) -> int:
    """Run the command that the first word names, and return its exit code.

    Arguments:
        words: Words of the command line after `iidgan`.

    Raises:
        InputError: The command is unknown, or as for the command.

    Examples:
        >>> run_command(["tran"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        iidgan.errors.InputError: command: unknown 'tran'; did you mean 'train'? known: cite, ...
    """
    if not words or words[0] in ("-h", "--help"):
        command_lines = (f"  {name:12}{summary}" for name, (_, summary) in COMMANDS.items())
        print(USAGE.format(commands="\n".join(command_lines)), end="")
        return 0 if words else 2
    if words[0] == "--version":
        from iidgan._version import __version__

        print(__version__)
        return 0
    command_name, *command_arguments = words
    if command_name not in COMMANDS:
        raise unknown_name_error("command", command_name, COMMANDS)
    if num_launched_processes() > 1 and command_name != "train":
        raise InputError(
            f"torchrun: starts several processes of one training, iidgan train, got iidgan "
            f"{command_name}; start it without torchrun"
        )
    command_module = importlib.import_module(f"iidgan.cli.{COMMANDS[command_name][0]}")
    command_function: Callable[[list[str]], int] = getattr(
        command_module, f"{command_name}_command"
    )
    return command_function(command_arguments)
