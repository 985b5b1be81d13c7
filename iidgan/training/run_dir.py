"""The folder of a run: what lies where, and whose it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from iidgan.config.run import Run
from iidgan.config.serialization import difference
from iidgan.core import Dataset
from iidgan.errors import InputError
from iidgan.training.migration import VERSION, read_facts
from iidgan.utils.files import PARTIAL, explained, write_text
from iidgan.utils.jsonl import append_lines, keep_lines, read_lines
from iidgan.utils.provenance import provenance


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run."""

    path: Path

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def generator(self) -> Path:
        return self.path / "generator"

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def evaluations(self) -> Path:
        """Rows measured later, with any number of samples: no curve or table has them."""
        return self.path / "evaluations.jsonl"

    @property
    def arrays(self) -> Path:
        return self.path / "arrays.npz"

    def last_start(self) -> dict[str, Any]:
        """Reads how the run began, or went on, the last time; nothing of a damaged file."""
        try:
            found = read_lines(self.events)
        except InputError:
            return {}
        start: dict[str, Any] = {}
        for each in found:
            if each.get("event") == "started":
                start = each
            elif each.get("event") == "executor":  # another than planned: it could not be had
                start = start | {"executor": each["executor"]}
        return start

    def event(self, name: str, **facts: Any) -> None:  # noqa: ANN401 - JSON
        now = datetime.now(UTC).isoformat(timespec="seconds")
        append_lines(self.events, [{"event": name, "time": now, **facts}])

    def claim(self, run: Run, seeds: Sequence[int], device: torch.device, data: Dataset) -> None:
        """Makes the folder this run's, or sees that it is.

        Raises:
            InputError: The folder holds a different run; the differing fields are named.
        """
        if not self._holds_run():
            facts = {
                "version": VERSION,
                "id": run.id,
                "run": run.to_dict(),
                "seeds": list(seeds),
                "data": data.digest(),
                "environment": provenance(device),
            }
            write_text(self.run_file, json.dumps(facts, indent=1) + "\n")
            return
        there, seeds_there = self.read()
        if there.id != run.id or seeds_there != tuple(seeds):
            lines = difference(
                there.to_dict(include_paths=False), run.to_dict(include_paths=False)
            )
            lines += difference(list(seeds_there), list(seeds), "seeds")
            raise InputError(
                f"out: {self.path} holds a different run; differing fields: {', '.join(lines)}; "
                "choose another folder"
            )

        self.check_data(data)

    def check_data(self, data: Dataset) -> None:
        """Sees that data are those that the run began with: names and paths may hide others.

        Raises:
            InputError: They are not.
        """
        if read_facts(self.run_file).get("data") != data.digest():
            raise InputError(
                f"source: its data are not those that {self.path} began with; "
                "bring them back, or choose another folder"
            )

    def _holds_run(self) -> bool:
        """Tells a run's folder from one that is free.

        Raises:
            InputError: It is neither.
        """
        with explained(self.path):
            if self.run_file.exists():
                return True
            names = [p.name for p in self.path.iterdir()] if self.path.exists() else []
        if all(name.startswith(PARTIAL) for name in names):  # what a crash may leave of a claim
            return False
        raise InputError(f"out: {self.path} exists and holds no run; choose a new folder")

    def read(self) -> tuple[Run, tuple[int, ...]]:
        """Reads the run and its seeds.

        Raises:
            InputError: There is no run here, or `run.json` is damaged or of a newer version.
        """
        if not self.run_file.exists():
            raise InputError(f"run: {self.path} holds no run (no run.json); train one first")
        facts = read_facts(self.run_file)
        try:
            return Run.from_dict(facts["run"]), tuple(facts["seeds"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self.run_file}: damaged ({error})") from None

    def rewind(self, step: int) -> None:
        """Forgets what was logged after `step`: it is about to happen again."""
        for path in (self.log, self.metrics):
            keep_lines(path, lambda record: record["step"] <= step)
