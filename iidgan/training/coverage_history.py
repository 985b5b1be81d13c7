"""Coverage of seeds over training: its best, its falls, and when training on is hopeless."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from iidgan.core import MetricProtocol
from iidgan.evaluation.coverage_monitor import COVERAGE_METRIC
from iidgan.records import MetricRecord

FALL_SHARE = 0.5
"""Share of the best coverage below which a seed has collapsed."""
MIN_COVERAGE = 0.05
"""Coverage below which a seed has collapsed, whatever its best one, once training is underway."""
MIN_PROGRESS = 1 / 3
"""Share of the run before which no seed is given up."""
PATIENCE = 3
"""Number of diagnoses in a row that find a seed collapsed before it is given up."""


@dataclass(frozen=True)
class CoverageHistory:
    """Coverage of one seed at increasing steps, measured by one protocol.

    Arguments:
        steps: Steps of the measurements.
        values: The coverage at these steps.
        protocol: How it was measured.

    Examples:
        >>> history = CoverageHistory(steps=(100, 200, 300), values=(0.4, 0.7, 0.3))
        >>> history.best, history.has_fallen
        ((200, 0.7), True)
    """

    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    protocol: MetricProtocol = field(default_factory=dict)

    def append(self, step: int, value: float, protocol: MetricProtocol) -> CoverageHistory:
        """Return the history with one more value.

        Values of another protocol are not comparable: with one, a new history starts.

        Arguments:
            step: Step of the measurement.
            value: The coverage; NaN, of samples that are not finite, is left out.
            protocol: How it was measured.
        """
        if math.isnan(value):
            return self
        if protocol != self.protocol:
            return CoverageHistory((step,), (value,), protocol)
        return CoverageHistory((*self.steps, step), (*self.values, value), protocol)

    @property
    def last(self) -> float:
        """The last coverage; NaN if there is none."""
        return self.values[-1] if self.values else math.nan

    @property
    def best(self) -> tuple[int, float]:
        """Step and value of the first highest coverage; NaN if there is none."""
        if not self.values:
            return 0, math.nan
        position = self.values.index(max(self.values))
        return self.steps[position], self.values[position]

    @property
    def is_at_best(self) -> bool:
        """Whether the last coverage is higher than all before."""
        return bool(self.values) and self.best[0] == self.steps[-1]

    @property
    def has_fallen(self) -> bool:
        """Whether the last coverage is the first of a fall below half of the best before it.

        As long as the best is below 0.05, as in the first steps, nothing has been reached.
        """
        last = len(self.values) - 1
        has_reached = self.best[1] >= MIN_COVERAGE
        return last > 0 and has_reached and self._is_low(last) and not self._is_low(last - 1)

    def _is_low(self, position: int) -> bool:
        return self.values[position] < FALL_SHARE * max(self.values[: position + 1])

    def is_hopeless(self, num_steps: int) -> bool:
        """Return whether the seed has collapsed for so long that it is given up.

        Arguments:
            num_steps: Length of the run.

        Examples:
            >>> values = (0.6, 0.2, 0.1, 0.2)
            >>> [
            ...     CoverageHistory((100, 200, 300, 400)[:n], values[:n]).is_hopeless(900)
            ...     for n in (1, 2, 3, 4)
            ... ]
            [False, False, False, True]
        """
        if len(self.values) < PATIENCE or self.steps[-1] < MIN_PROGRESS * num_steps:
            return False
        return all(
            self._is_low(position)
            or (
                self.values[position] < MIN_COVERAGE
                and self.steps[position] >= MIN_PROGRESS * num_steps
            )
            for position in range(len(self.values) - PATIENCE, len(self.values))
        )


def collect_histories(
    records: Iterable[MetricRecord], seeds: Sequence[int], last_step: int
) -> dict[int, CoverageHistory]:
    """Collect the coverage of seeds from the metric records of a run.

    Arguments:
        records: The records, in the order in which they were measured.
        seeds: The seeds.
        last_step: Step after which records do not count.

    Returns:
        The history of each seed, which may be empty.
    """
    histories = {seed: CoverageHistory() for seed in seeds}
    for record in records:
        if record.metric != COVERAGE_METRIC or not record.is_interim:
            continue
        if record.seed in histories and record.step <= last_step:
            history = histories[record.seed]
            histories[record.seed] = history.append(record.step, record.value, record.protocol)
    return histories


def have_collapsed(
    histories: Mapping[int, CoverageHistory], diverged: Mapping[int, int], num_steps: int
) -> bool:
    """Return whether all seeds that have not diverged are given up.

    Arguments:
        histories: Coverage of each seed.
        diverged: For each seed the step at which it diverged, or -1.
        num_steps: Length of the run.

    Examples:
        >>> collapsed = CoverageHistory((100, 200, 300, 400), (0.6, 0.2, 0.1, 0.2))
        >>> have_collapsed({0: collapsed, 1: CoverageHistory()}, {0: -1, 1: 250}, 900)
        True
    """
    return all(
        history.is_hopeless(num_steps) for seed, history in histories.items() if diverged[seed] < 0
    )
