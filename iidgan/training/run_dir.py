"""Layout and ownership of a run directory; the only reader and writer of `run.json`.

`log.jsonl` has the losses of every seed at each log interval. `events.jsonl` has what happened:
`started` (also on resume), `executor` (the planned one failed, and which one is used instead),
`lost a worker`, `diverged` (one seed, or in the end all), `coverage fell` (of one seed),
`damaged checkpoint`, `damaged file`, `stopped`, `collapsed` and `finished`. `.lock` is there while
a process trains, and one `.lock-...` for each of its worker processes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import torch

from iidgan.config.plugins import Plugin, list_types
from iidgan.config.run import Run
from iidgan.config.serialization import describe_differences
from iidgan.core import Dataset
from iidgan.engine.checkpoint import RunIdentity
from iidgan.engine.compile import Executor
from iidgan.errors import FolderInUseError, InputError, UnnamedPluginError
from iidgan.records import MetricRecord, check_record_fields, read_records
from iidgan.training.migration import VERSION, decode_run, read_facts, require_integers
from iidgan.utils.files import (
    PARTIAL_PREFIX,
    damage_as_input_error,
    oserror_as_input_error,
    read_regular_file,
    require_regular_file,
    write_text,
)
from iidgan.utils.jsonl import append_lines, read_lines, repair_lines
from iidgan.utils.locks import exclusive_lock, file_lock
from iidgan.utils.provenance import collect_provenance

LOCK_FILE = ".lock"
SAMPLES_LOCK_FILE = ".samples.lock"
MAX_WORKER_SECONDS = 60.0
"""Seconds to wait for worker processes of a training that was killed."""


@dataclass(frozen=True)
class RunDir:
    """Paths of one run.

    Arguments:
        path: The run directory.
        plugins: Classes that the run may use besides those of the package, or their names
            `module:Name`.

    Examples:
        >>> from pathlib import Path
        >>> from iidgan.training.run_dir import RunDir
        >>> RunDir(Path("runs/ring")).metrics_file.as_posix()
        'runs/ring/metrics.jsonl'
    """

    path: Path
    plugins: Sequence[Plugin] = ()

    @property
    def run_file(self) -> Path:
        """Run, seeds, and a digest of the data, as JSON."""
        return self.path / "run.json"

    @property
    def checkpoint_dir(self) -> Path:
        """Checkpoints, one folder per step."""
        return self.path / "checkpoints"

    @property
    def generator_dir(self) -> Path:
        """Trained networks of all seeds, which `iidgan.load` reads."""
        return self.path / "generator"

    @property
    def best_dir(self) -> Path:
        """Networks of each seed at its best coverage, which `iidgan.load` reads."""
        return self.path / "best"

    def best_networks_dir(self, seed: int) -> Path:
        """Return the folder of the networks of one seed at its best coverage.

        Arguments:
            seed: The seed.
        """
        return self.best_dir / f"seed-{seed}"

    @property
    def past_dir(self) -> Path:
        """Networks of each seed at all checkpoints, if they are kept, for `iidgan.load`."""
        return self.path / "past"

    def past_networks_dir(self, seed: int, step: int) -> Path:
        """Return the folder of the networks of one seed at a checkpoint.

        Arguments:
            seed: The seed.
            step: Step of the checkpoint.
        """
        return self.past_dir / f"seed-{seed}-step-{step:08d}"

    @property
    def log_file(self) -> Path:
        """Losses of every seed, one JSON object per line."""
        return self.path / "log.jsonl"

    @property
    def events_file(self) -> Path:
        """What happened in the training, one JSON object per line."""
        return self.path / "events.jsonl"

    @property
    def metrics_file(self) -> Path:
        """Metric records of checkpoints, and of diagnoses in between, one JSON object per line."""
        return self.path / "metrics.jsonl"

    @property
    def evaluations_file(self) -> Path:
        """Records measured later, with any number of samples; curves and tables ignore them."""
        return self.path / "evaluations.jsonl"

    @property
    def arrays_file(self) -> Path:
        """Samples and codes of the last checkpoint."""
        return self.path / "arrays.npz"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the directory against other trainings; it is created if it does not exist.

        Worker processes of a training that was killed save before they end: they are waited for.

        Raises:
            FolderInUseError: Another process is training in it.
        """
        refusal = (
            f"out: {self.path} is in use by another process; wait for it, or choose another folder"
        )
        with exclusive_lock(self.path / LOCK_FILE, refusal=refusal):
            for worker_lock in sorted(self.path.glob(f"{LOCK_FILE}-*")):
                with exclusive_lock(worker_lock, refusal=refusal, timeout=MAX_WORKER_SECONDS):
                    pass
            yield

    @property
    def is_in_use(self) -> bool:
        """Whether a process trains in the directory; the lock of a killed one is free."""
        if not (self.path / LOCK_FILE).exists():
            return False
        try:
            with self.lock():
                return False
        except FolderInUseError:
            return True

    def lock_for_worker(self, seeds: Sequence[int]) -> AbstractContextManager[None]:
        """Lock the directory, beside the process that holds `lock`, for a worker process.

        Arguments:
            seeds: The seeds that the worker trains.

        Raises:
            FolderInUseError: Another process is training these seeds.
        """
        return exclusive_lock(
            self.path / f"{LOCK_FILE}-{seeds[0]}",
            refusal=f"out: seed {seeds[0]} of {self.path} is trained by another process",
        )

    def lock_samples(self) -> AbstractContextManager[None]:
        """Keep other worker processes from replacing the generator and the arrays."""
        return file_lock(self.path / SAMPLES_LOCK_FILE)

    def record_execution(self, execution: Mapping[str, str]) -> None:
        """Record in `run.json` how the run is executed: executor, workers and device.

        Arguments:
            execution: Values of `executor`, `workers` and `device`, and of `processes` if several
                share the batches.
        """
        facts = read_facts(self.run_file)
        if facts.get("execution") != execution:
            self._write_facts(facts | {"execution": execution})

    def read_environment(self) -> dict[str, str]:
        """Read the versions, device and commit that the run was started with, by name."""
        facts = read_facts(self.run_file)
        with damage_as_input_error(self.run_file):
            return {str(name): str(text) for name, text in facts["environment"].items()}

    def read_execution(self) -> dict[str, str]:
        """Read how the run was executed last; empty if it has not started."""
        facts = read_facts(self.run_file)
        if "execution" not in facts:
            return self._read_last_start()
        with damage_as_input_error(self.run_file):
            execution = dict(facts["execution"])
            _check_execution(execution, "execution")
            return execution

    def _read_last_start(self) -> dict[str, Any]:
        """Read the last start from the events; `run.json` of before does not describe it."""
        try:
            events = read_lines(self.events_file)
        except InputError:
            return {}
        last_start: dict[str, Any] = {}
        for event in events:
            if event.get("event") == "started":
                last_start = event
            elif event.get("event") == "executor":  # the planned one failed
                last_start = last_start | {"executor": event["executor"]}
        return last_start

    def log_event(self, name: str, **facts: Any) -> None:  # noqa: ANN401 - JSON
        """Append an event to `events.jsonl`.

        Arguments:
            name: Name of the event, such as `started`.
            **facts: What else to say of it, as JSON values.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        append_lines(self.events_file, [{"event": name, "time": now, **facts}])

    def claim(self, run: Run, seeds: Sequence[int], device: torch.device, data: Dataset) -> None:
        """Write `run.json` unless the directory already belongs to this run.

        The caller holds `lock`: otherwise another training may claim the directory as well.

        Arguments:
            run: The run.
            seeds: Its seeds.
            device: Device that it is trained on.
            data: Its data.

        Raises:
            InputError: As for `check_free`.
        """
        self.check_free(run, seeds, data)
        if not self.run_file.exists():
            self._write_facts(
                {
                    "version": VERSION,
                    "id": run.id,
                    "run": run.to_dict(),
                    "seeds": list(seeds),
                    "data": data.compute_sha256(),
                    "environment": collect_provenance(device),
                }
            )

    def renew(self, run: Run) -> None:
        """Renew `run.json` if it is of an older version, or the data of this run have moved.

        Arguments:
            run: The run, with the present paths of its source.
        """
        stored_facts = json.loads(read_regular_file(self.run_file))
        facts = read_facts(self.run_file)
        if self._read_run_like(run)[0].to_dict() != run.to_dict():
            facts["run"] = run.to_dict()
        if facts != stored_facts:
            self._write_facts(facts)

    def check_free(self, run: Run, seeds: Sequence[int], data: Dataset) -> None:
        """Check that the directory is free, or belongs to this run.

        Arguments:
            run: The run.
            seeds: Its seeds.
            data: Its data.

        Raises:
            InputError: The directory holds a different run, of which the differing fields are
                named, or something else.
        """
        if not self._holds_run():
            return
        stored_run, stored_seeds = self._read_run_like(run)
        if stored_run.id != run.id or stored_seeds != tuple(seeds):
            changed_fields = describe_differences(
                stored_run.to_dict(include_paths=False), run.to_dict(include_paths=False)
            )
            changed_fields += describe_differences(list(stored_seeds), list(seeds), "seeds")
            raise InputError(
                f"out: {self.path} holds a different run; differing fields: "
                f"{', '.join(changed_fields)}; choose another folder"
            )

        self.check_data(data)

    def check_files(self) -> None:
        """Check that what training writes can be written: nothing special has such a name.

        Raises:
            InputError: A file is no regular file, or a folder no folder.
        """
        for path in (self.log_file, self.events_file, self.metrics_file, self.arrays_file):
            if os.path.lexists(path):
                with oserror_as_input_error(path):
                    require_regular_file(path)
        for path in (self.checkpoint_dir, self.generator_dir, self.best_dir, self.past_dir):
            if os.path.lexists(path) and not path.is_dir():
                raise InputError(f"{path}: expected a folder; remove it to go on")

    def _write_facts(self, facts: Mapping[str, Any]) -> None:
        write_text(self.run_file, json.dumps(facts, indent=1) + "\n")

    def _read_run_like(self, run: Run) -> tuple[Run, tuple[int, ...]]:
        """Read a run that may use the classes in `run`, and no others.

        Raises:
            InputError: It uses other classes, so that it is a different run.
        """
        try:
            return RunDir(self.path, list_types(run)).read_run()
        except UnnamedPluginError as error:
            raise InputError(
                f"out: {self.path} holds a different run, which uses "
                f"{', '.join(map(repr, error.names))}; choose another folder"
            ) from None

    def check_data(self, data: Dataset) -> None:
        """Check that the data are those that the run started with, whatever their path.

        Arguments:
            data: The data that the source has now.

        Raises:
            InputError: They differ.
        """
        if read_facts(self.run_file).get("data") != data.compute_sha256():
            raise InputError(
                f"source: its data differ from those that {self.path} started with; "
                "restore them, or choose another folder"
            )

    def _holds_run(self) -> bool:
        """Whether the directory holds a run; otherwise it is free.

        Raises:
            InputError: It holds something else.
        """
        with oserror_as_input_error(self.path):
            if self.run_file.exists():
                return True
            file_names = [path.name for path in self.path.iterdir()] if self.path.exists() else []
        if all(
            name == LOCK_FILE or name.startswith(PARTIAL_PREFIX) for name in file_names
        ):  # left by an interrupted claim
            return False
        raise InputError(
            f"out: {self.path} exists and does not contain a run; choose a new folder"
        )

    def read_run(self) -> tuple[Run, tuple[int, ...]]:
        """Read the run and its seeds.

        Returns:
            The run and its seeds.

        Raises:
            UnnamedPluginError: The run uses a class that is neither part of the package nor among
                `plugins`.
            InputError: There is no run here, a plug-in cannot be imported, or `run.json` is
                damaged or of a newer version.
        """
        if not self.run_file.exists():
            raise InputError(f"run: {self.path} contains no run (no run.json); train one first")
        facts = read_facts(self.run_file)
        run = decode_run(facts, self.run_file, self.plugins)
        with damage_as_input_error(self.run_file):
            if run.id != facts["id"]:
                raise ValueError(f"the run has the id {run.id}, not {facts['id']}")
            return run, require_integers(facts["seeds"], "seeds")

    def read_identity(self) -> RunIdentity:
        """Read the recorded id and seeds of the run, without its components.

        Raises:
            InputError: `run.json` is damaged, or of a newer version.
        """
        facts = read_facts(self.run_file)
        try:
            return RunIdentity(facts["id"], tuple(facts["seeds"]))
        except (KeyError, TypeError) as error:
            raise InputError(f"{self.run_file}: damaged ({error!r})") from None

    def read_metric_records(self) -> list[MetricRecord]:
        """Read the metric records of the run.

        Raises:
            InputError: A line is not a record, or a record belongs to another run.
        """
        run_id = self.read_identity().id
        records = read_records(self.metrics_file)
        for record in records:
            if record.run != run_id:
                raise InputError(
                    f"{self.metrics_file}: has records of run {record.run}, not of run {run_id}; "
                    "restore the run.json of that run, or choose another folder"
                )
        return records

    def truncate_logs(self, steps: Mapping[int, int]) -> dict[Path, str]:
        """Remove from the log and the metrics what will be written again.

        Events stay. Damaged lines are removed from all three files, after copying the file to
        `damaged-...`.

        Arguments:
            steps: The last step whose records stay, of each seed that is trained again.

        Returns:
            The files with damaged lines, each with the error of its first one.
        """

        def should_keep(record: Mapping[str, Any]) -> bool:
            step = int(record["step"])
            return step <= steps.get(record["seed"], step)

        errors = {
            self.log_file: repair_lines(self.log_file, _check_losses, should_keep),
            self.metrics_file: repair_lines(self.metrics_file, check_record_fields, should_keep),
            self.events_file: repair_lines(self.events_file, _check_event, lambda event: True),
        }
        return {path: error for path, error in errors.items() if error is not None}


def _check_losses(record: Mapping[str, Any], location: str) -> None:
    for name in ("step", "seed"):
        if type(record.get(name)) is not int:
            raise InputError(f"{location}: {name} must be an integer, got {record.get(name)!r}")


def _check_event(record: Mapping[str, Any], location: str) -> None:
    """Check what `read_execution` needs of old directories."""
    name = record.get("event")
    if type(name) is not str:
        raise InputError(f"{location}: event must be a string, got {name!r}")
    if name == "started":
        _check_execution(record, location)
    elif name == "executor":
        _check_execution({"workers": 1} | dict(record), location)


def _check_execution(execution: Mapping[str, Any], location: str) -> None:
    executor, workers = execution.get("executor"), execution.get("workers")
    if executor not in get_args(Executor):
        choices = ", ".join(get_args(Executor))
        raise InputError(f"{location}: executor must be one of {choices}, got {executor!r}")
    for name, number in {"workers": workers, "processes": execution.get("processes", 1)}.items():
        if not re.fullmatch("[1-9][0-9]{0,5}", str(number)):
            raise InputError(f"{location}: {name} must be a number >= 1, got {number!r}")
