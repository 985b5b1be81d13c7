"""Layout and ownership of a run directory; the only reader and writer of `run.json`.

`log.jsonl` has the losses of every seed at each log interval. `events.jsonl` has what happened:
`started` (also on resume), `executor` (the planned one failed, and which one is used instead),
`lost a worker`, `diverged` (one seed, or in the end all), `damaged checkpoint`, `stopped` and
`finished`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from iidgan.config.plugins import Plugin, list_types
from iidgan.config.run import Run
from iidgan.config.serialization import describe_differences
from iidgan.core import Dataset
from iidgan.errors import InputError, UnnamedPluginError
from iidgan.training.migration import VERSION, decode_run, read_facts
from iidgan.utils.files import PARTIAL_PREFIX, oserror_as_input_error, write_text
from iidgan.utils.jsonl import append_lines, keep_lines, read_lines
from iidgan.utils.provenance import collect_provenance


@dataclass(frozen=True)
class RunDir:
    """Paths of one run.

    Arguments:
        path: The run directory.
        plugins: Classes that the run may use besides those of the package, or their names
            `module:Name`.
    """

    path: Path
    plugins: Sequence[Plugin] = ()

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def checkpoint_dir(self) -> Path:
        return self.path / "checkpoints"

    @property
    def generator_dir(self) -> Path:
        return self.path / "generator"

    @property
    def log_file(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def events_file(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def metrics_file(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def evaluations_file(self) -> Path:
        """Records measured later, with any number of samples; curves and tables ignore them."""
        return self.path / "evaluations.jsonl"

    @property
    def arrays_file(self) -> Path:
        return self.path / "arrays.npz"

    def read_last_start(self) -> dict[str, Any]:
        """Read how the run was started or resumed last; empty if the file is damaged."""
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
        """Append an event to `events.jsonl`."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        append_lines(self.events_file, [{"event": name, "time": now, **facts}])

    def claim(self, run: Run, seeds: Sequence[int], device: torch.device, data: Dataset) -> None:
        """Write `run.json`, or check that the directory already belongs to this run.

        Raises:
            InputError: The directory holds a different run; the differing fields are named.
        """
        if not self._holds_run():
            facts = {
                "version": VERSION,
                "id": run.id,
                "run": run.to_dict(),
                "seeds": list(seeds),
                "data": data.compute_sha256(),
                "environment": collect_provenance(device),
            }
            write_text(self.run_file, json.dumps(facts, indent=1) + "\n")
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
            name.startswith(PARTIAL_PREFIX) for name in file_names
        ):  # left by an interrupted claim
            return False
        raise InputError(
            f"out: {self.path} exists and does not contain a run; choose a new folder"
        )

    def read_run(self) -> tuple[Run, tuple[int, ...]]:
        """Read the run and its seeds.

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
        try:
            return run, tuple(facts["seeds"])
        except (KeyError, TypeError) as error:
            raise InputError(f"{self.run_file}: damaged ({error})") from None

    def truncate_logs(self, step: int) -> None:
        """Remove records after `step` from the log and the metrics: they will be written again.

        Events stay.
        """
        for path in (self.log_file, self.metrics_file):
            keep_lines(path, lambda record: record["step"] <= step)
