"""`iidgan report`: runs and tables as one HTML file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from iidgan.cli.diagnose import check_page_path, monitor_reading
from iidgan.cli.options import PluginOptions
from iidgan.cli.parse import parse_options
from iidgan.cli.signals import interrupt_on_signals
from iidgan.cli.table_selection import ProfileOptions, resolve_table_name, select_table
from iidgan.cli.train_command import format_train_command, format_train_script
from iidgan.diagnosis import Diagnosis, diagnose
from iidgan.diagnosis.compare import check_num_samples
from iidgan.errors import InputError, unknown_name_error
from iidgan.records import MetricRecord, read_all_records
from iidgan.report_page import MAX_BYTES, Command, RunSection, TableSection, write_report
from iidgan.report_page.section import Section
from iidgan.sample_sets.opening import DEFAULT_NUM_SAMPLES
from iidgan.studies.papers import ALIASES, TABLES
from iidgan.training.run_dir import RunDir


@dataclass(frozen=True, kw_only=True)
class ReportOptions(ProfileOptions, PluginOptions):
    """Write runs and tables as one HTML page: what was trained, curves, samples, numbers, sources.

    The page contains all its pictures, and asks for nothing else. Nothing is trained.
    """

    subjects: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN|TABLE ...")
    ]
    """Run directories, and names of tables (iidgan list tables)."""
    out: Annotated[str, tyro.conf.arg(metavar="PAGE.html")] = "report.html"
    """The page; an existing one is replaced."""
    diagnose: bool = True
    """Diagnose each run, as iidgan diagnose does; its data must be here."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = DEFAULT_NUM_SAMPLES
    """Largest number of samples of each side of a diagnosis."""
    seed: int | None = None
    """Seed whose samples are shown and diagnosed; by default the first that did not diverge."""
    results: str = "results"
    """Folder of the metric records of tables."""


@interrupt_on_signals()
def report_command(arguments: list[str]) -> int:
    """Run `iidgan report` and return its exit code.

    Arguments:
        arguments: Words of the command line after `report`.

    Raises:
        InputError: The arguments or the files that they name are invalid.
    """
    options = parse_options(ReportOptions, "iidgan report", arguments)
    if not options.subjects:
        raise InputError("report: needs a run directory, or the name of a table")
    check_page_path(options.out)
    check_num_samples(options.num)
    run_paths = [name for name in options.subjects if _is_run(name)]
    if not run_paths and options.seed is not None:
        raise InputError("seed: applies to runs only, and the report has none; leave it out")
    has_tables = len(run_paths) < len(options.subjects)
    records = read_all_records(Path(options.results)) if has_tables else []
    sections: list[Section] = [
        _create_run_section(name, options)
        if name in run_paths
        else _create_table_section(name, options, records)
        for name in options.subjects
    ]
    size = write_report(options.out, sections)
    print(f"{options.out}: {size:,} bytes")
    if size > MAX_BYTES:
        print(
            f"iidgan: {options.out} has more than {MAX_BYTES:,} bytes, which mail may refuse; "
            "--no-diagnose, or a report for each run, makes it smaller",
            file=sys.stderr,
        )
    return 0


def _is_run(name: str) -> bool:
    """Return whether a subject is a path of a run, rather than the name of a table.

    Raises:
        InputError: It is neither.
    """
    table_names = {*TABLES, *ALIASES}
    if name in table_names:
        return False
    if not Path(name).exists() and "/" not in name:
        error = unknown_name_error("report", name, sorted(table_names))
        raise InputError(f"{error}; or give a run directory")
    return True


def _create_run_section(name: str, options: ReportOptions) -> RunSection:
    run_dir = RunDir(Path(name), options.plugin)
    run_dir.read_run()
    diagnosis, no_diagnosis = None, ""
    if options.diagnose:
        try:
            diagnosis = _diagnose(name, options)
        except InputError as error:
            no_diagnosis = f"None could be made: {error}"
            print(f"iidgan: {name}: no diagnosis: {error}", file=sys.stderr)
    return RunSection(
        run_dir=run_dir,
        commands=list_run_commands(run_dir),
        diagnosis=diagnosis,
        no_diagnosis=no_diagnosis,
        seed=options.seed,
    )


def _diagnose(name: str, options: ReportOptions) -> Diagnosis:
    with monitor_reading() as show:
        return diagnose(
            name, num=options.num, seed=options.seed, plugins=options.plugin, on_progress=show
        )


def list_run_commands(run_dir: RunDir) -> list[Command]:
    """List commands that train and examine a run again.

    Arguments:
        run_dir: The run directory.

    Raises:
        InputError: There is no run, or `run.json` is damaged.
    """
    run, seeds = run_dir.read_run()
    command = format_train_command(run, seeds)
    training = (
        Command("Train it again", command)
        if command is not None
        else Command("Train it again, in Python", format_train_script(run, seeds))
    )
    path = shlex.quote(str(run_dir.path))
    return [
        training,
        Command("Draw samples", f"iidgan sample {path} -n 1000 --out samples.npz"),
        Command("Diagnose it", f"iidgan diagnose {path} --out diagnosis.html"),
        Command("Write this report", f"iidgan report {path} --out report.html"),
    ]


def _create_table_section(
    name: str, options: ReportOptions, records: Sequence[MetricRecord]
) -> TableSection:
    table_name = resolve_table_name(name)
    spec = select_table(table_name, options, records)
    words = f"{table_name}{options.flags}"
    return TableSection(
        name=table_name,
        spec=spec,
        records=records,
        commands=[
            Command("Train what is missing, and print it", f"iidgan table {words}"),
            Command("Show the run and the records of a number", f"iidgan why {words} ROW COLUMN"),
            Command("Write this report", f"iidgan report {words} --out report.html"),
        ],
    )
