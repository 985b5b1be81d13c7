"""`iidgan diagnose`: whether a generator has collapsed, from its samples and the data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.console import create_console
from iidgan.cli.options import ExtractionOptions, PluginOptions, get_field_values
from iidgan.cli.parse import parse_options
from iidgan.cli.progress import count_progress, create_progress
from iidgan.cli.signals import interrupt_on_signals
from iidgan.diagnosis import Diagnosis, diagnose
from iidgan.diagnosis.compare import DiagnosisCallback
from iidgan.errors import InputError
from iidgan.sample_sets.opening import DEFAULT_NUM_SAMPLES
from iidgan.utils.files import check_writable_file

FAILURE_EXIT_CODE = 1


@dataclass(frozen=True, kw_only=True)
class DiagnoseOptions(ExtractionOptions, PluginOptions):
    """Find out whether a generator has collapsed: what it misses, repeats, copies and makes up.

    No training, and no labels needed. The samples may be of any model.
    """

    images: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGES")]
    """Generated images or points: a run directory; a folder, ZIP or TAR archive of image files; or
    a file .npz, .npy or .csv."""
    reference: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    """Real ones: any of these but a run; the name of a data set; a file of iidgan reference. By
    default, the data that the run was trained on."""
    out: Annotated[str | None, tyro.conf.arg(metavar="PAGE.html")] = None
    """Also write an HTML page with pictures of what is missing, crowded and suspicious."""
    json: bool = False
    """Print the scores as JSON instead of the verdict."""
    fail_below: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = None
    """Exit with 1 if the share of the variety that the headline names is lower, for scripts."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = DEFAULT_NUM_SAMPLES
    """Largest number of samples of each side."""
    seed: int | None = None
    """Seed of the run; by default the first that did not diverge."""


@interrupt_on_signals()
def diagnose_command(arguments: list[str]) -> int:
    """Run `iidgan diagnose` and return its exit code.

    Arguments:
        arguments: Words of the command line after `diagnose`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(DiagnoseOptions, "iidgan diagnose", arguments)
    _check_options(options)
    diagnosis = _diagnose(options)
    for note in diagnosis.notes:
        print(f"iidgan: {note}", file=sys.stderr)
    if options.out is not None:
        diagnosis.save_page(options.out)
    print(diagnosis.to_json() if options.json else diagnosis)
    if options.out is not None:
        print(f"iidgan: wrote {options.out}", file=sys.stderr)
    return _choose_exit_code(diagnosis, options.fail_below)


def _check_options(options: DiagnoseOptions) -> None:
    """Check what would otherwise be found out after minutes."""
    if options.fail_below is not None and not 0 <= options.fail_below <= 1:
        raise InputError(f"fail-below: must be a share from 0 to 1, got {options.fail_below}")
    if options.out is not None:
        check_page_path(options.out)


def check_page_path(path: str) -> None:
    """Check that a page can probably be written, before work that takes long.

    Arguments:
        path: The file of `--out`.

    Raises:
        InputError: Its name does not end in .html, or as for `check_writable_file`.
    """
    if not path.lower().endswith((".html", ".htm")):
        raise InputError(f"out: must end in .html, got {path!r}")
    check_writable_file(Path(path), field="out")


def _diagnose(options: DiagnoseOptions) -> Diagnosis:
    with monitor_reading() as show:
        return diagnose(
            options.images,
            options.reference,
            num=options.num,
            seed=options.seed,
            plugins=options.plugin,
            **get_field_values(options, ExtractionOptions),
            on_progress=show,
        )


@contextmanager
def monitor_reading() -> Iterator[DiagnosisCallback]:
    """Show how many images are read, and yield the callback of `diagnose`."""
    callbacks: dict[str, Callable[[int, int | None], None]] = {}
    with create_progress(create_console(stderr=True)) as progress:

        def show(task: str, done: int, total: int | None) -> None:
            if task not in callbacks:
                callbacks[task] = count_progress(progress, task, "images")
            callbacks[task](done, total)

        yield show


def _choose_exit_code(diagnosis: Diagnosis, min_share: float | None) -> int:
    if min_share is None or diagnosis.share >= min_share:
        return 0
    print(
        f"iidgan: clipped_coverage {diagnosis.share:.4f} is below {min_share:g} (--fail-below)",
        file=sys.stderr,
    )
    return FAILURE_EXIT_CODE
