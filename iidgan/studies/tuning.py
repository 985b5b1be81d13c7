"""The same tuning budget for every method: as many trials, on seeds that no table uses."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from iidgan.config.run import Run
from iidgan.core import Method, Regularised, Source
from iidgan.engine.optim import Adam
from iidgan.records import Row, by_run
from iidgan.report import Cell, Table, measured, stats

_ByRun = Mapping[str, Sequence[Row]]
SEEDS = (100, 101)
STEPS = 6_000
MODES, QUALITY = "modes_100", "quality"

# Factors of the common learning rate and of the method's weights. A method without weights gets
# two more rates in their place.
RATES = (0.25, 0.5, 1.0, 2.0)
WEIGHTS = (1 / 3, 3.0)
MORE_RATES = (0.7, 1.4)
AS_IT_IS = "rate 1"
HEADINGS = (
    *(f"rate {factor:g}" for factor in RATES),
    *(f"weight {w:.2g}, else rate {rate:g}" for w, rate in zip(WEIGHTS, MORE_RATES)),
)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A tuning of several methods.

    Arguments:
        rows: The setting that each is tuned from, by the name of its row.
        data: Data sets by name; a trial is made on each.
        modes: Number of modes of each data set.
        findings: Sentences below the table, on what came out.
    """

    rows: Mapping[str, Run]
    data: Mapping[str, Source]
    modes: Mapping[str, int]
    findings: tuple[str, ...] = ()

    @property
    def runs(self) -> dict[str, tuple[str, Run]]:
        """Lists all trials by id, each with a name."""
        return {
            run.id: (f"{row}, {label}, {data}", run)
            for row in self.rows
            for label in trials(self.rows[row])
            for data, run in self.trial(row, label).items()
        }

    @property
    def asked(self) -> dict[str, tuple[str, ...]]:
        """Lists by a trial's id the names of the numbers that its score is made of."""
        return dict.fromkeys(self.runs, (MODES, QUALITY))

    def trial(self, row: str, label: str) -> dict[str, Run]:
        """The runs of one trial, by data set."""
        made = replace(trials(self.rows[row])[label], steps=STEPS)
        return {data: replace(made, source=source) for data, source in self.data.items()}

    def scores(self, row: str, label: str, rows: Sequence[Row]) -> list[float]:
        """Computes share of modes times share of good samples, for each data set and seed.

        A mode counts with at least 100 samples. A seed that diverged, or whose training failed,
        scores 0; one that has not been trained is NaN.
        """
        return self._scores(row, label, by_run(rows))

    def _scores(self, row: str, label: str, rows: _ByRun) -> list[float]:
        return [
            self._score(run, seed, self.modes[data], rows.get(run.id, ()))
            for data, run in self.trial(row, label).items()
            for seed in SEEDS
        ]

    def _score(self, run: Run, seed: int, modes: int, rows: Sequence[Row]) -> float:
        of_seed = [row for row in rows if row.seed == seed]
        values = {row.metric: row for row in of_seed if row.is_final(run.steps)}
        if values.keys() >= {MODES, QUALITY}:
            alive = values[QUALITY].diverged < 0
            share = values[MODES].value / modes * values[QUALITY].value / 100
            return share if alive else 0.0
        return 0.0 if any(row.is_failure for row in of_seed) else math.nan

    def best(self, row: str, rows: Sequence[Row]) -> str | None:
        """Names the trial with the greatest mean score, or None until all are done.

        Of equals, the one that changes nothing wins, or else the first.
        """
        return self._best(row, by_run(rows))

    def _best(self, row: str, rows: _ByRun) -> str | None:
        labels = trials(self.rows[row])
        scores = {label: stats.mean(self._scores(row, label, rows)) for label in labels}
        if any(math.isnan(score) for score in scores.values()):
            return None
        return max(scores, key=lambda label: (scores[label], label == AS_IT_IS))

    def only(self, names: Collection[str]) -> Sweep:
        """Leaves out all rows but those of these names."""
        return replace(self, rows={n: run for n, run in self.rows.items() if n in names})

    def table(self, rows: Sequence[Row]) -> Table:
        """Tabulates the scores; rows are methods."""
        there = by_run(rows)
        return Table(
            title=f"Tuning: share of modes x share of good samples after {STEPS:,} steps",
            cells=tuple(cell for row in self.rows for cell in self._cells(row, there)),
            notes=(
                f"Seeds {' and '.join(map(str, SEEDS))}, {' and '.join(self.data)}. A mode counts "
                "with 100 samples. rate: factor of the learning rate 2e-3. weight: factor of "
                "what a method weighs its parts with, or bounds and perturbs its networks by "
                "(clipping, look-ahead, noise).",
                *self.findings,
            ),
        )

    def _cells(self, row: str, rows: _ByRun) -> list[Cell]:
        best = self._best(row, rows)
        name = f"{row} ({best})" if best else row
        return [
            self._cell(name, heading, self._scores(row, label, rows))
            for heading, label in zip(HEADINGS, trials(self.rows[row]), strict=True)
        ]

    def _cell(self, name: str, heading: str, scores: Sequence[float]) -> Cell:
        scored = list(zip(SEEDS * len(self.data), scores))
        there = [(seed, score) for seed, score in scored if not math.isnan(score)]
        return measured(
            name,
            heading,
            [score for _, score in there],
            seeds=[seed for seed, _ in there],
            fates=[(seed, "missing") for seed, score in scored if math.isnan(score)],
            decimals=3,
        )


def trials(run: Run) -> dict[str, Run]:
    """Varies a setting: six trials, whatever it has to vary."""
    made = {f"rate {factor:g}": _rated(run, factor) for factor in RATES}
    for weight, rate in zip(WEIGHTS, MORE_RATES):
        weighted = replace(run, method=scaled(run.method, weight))
        if weighted != run:
            made[f"weight {weight:.2g}"] = weighted
        else:
            made[f"rate {rate:g}"] = _rated(run, rate)
    return made


def _rated(run: Run, factor: float) -> Run:
    assert isinstance(run.optimiser, Adam)
    return replace(run, optimiser=replace(run.optimiser, lr=run.optimiser.lr * factor))


def scaled(method: Method, factor: float) -> Method:
    """Multiplies what weighs the parts of a method's losses against each other."""
    if isinstance(method, Regularised):
        terms = tuple(_scaled(term, factor) for term in method.terms)
        return replace(method, method=scaled(method.method, factor), terms=terms)
    return _scaled(method, factor)


def _scaled(thing: Any, factor: float) -> Any:  # noqa: ANN401 - of the same type
    return replace(thing, **{name: getattr(thing, name) * factor for name in thing.strengths})
