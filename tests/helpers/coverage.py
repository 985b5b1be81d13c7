"""Coverage during training that tests decide."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from iidgan.records import INTERIM_FAMILY

NAN = float("nan")


class ScriptedMonitor:
    """A monitor that returns given values, one row of all seeds a diagnosis, then the last row.

    Arguments:
        rows: Coverage of the seeds at each diagnosis.
    """

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        self.rows = list(rows)
        self.protocol = {"family": INTERIM_FAMILY, "extractor": "script"}

    def measure(
        self, generator: object, seeds: Sequence[int], latent_dim: int, classes: object = None
    ) -> Tensor:
        torch.randn(3)  # a diagnosis may draw numbers
        row = self.rows.pop(0) if len(self.rows) > 1 else self.rows[0]
        return torch.tensor(row, dtype=torch.float64)


def script_coverage(monkeypatch, *rows: Sequence[float]) -> None:
    """Let the coverage of the next training in this process be these rows."""
    monitor = ScriptedMonitor(rows)
    monkeypatch.setattr("iidgan.training.session.CoverageMonitor", lambda data, device: monitor)
