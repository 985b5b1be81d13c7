"""Specification of a published table: each row is a run, each column a metric on a data set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.errors import InputError
from iidgan.records import FRESH_SUFFIX
from iidgan.studies.columns import Column, ScoreColumn, describe_reading

NUM_SEEDS = 5
"""Default number of seeds behind a mean."""

PublishedValues = Mapping[tuple[str, str], tuple[float, float | None]]
"""Printed mean and standard deviation (or None) by row name and column title."""


@dataclass(frozen=True, kw_only=True)
class Delta:
    """A row that shows the difference `after` minus `before` of two rows of the same group.

    Arguments:
        after: Name of the row with the new values.
        before: Name of the row whose values are subtracted.
    """

    after: str
    before: str


@dataclass(frozen=True, kw_only=True)
class FreshRow:
    """A row that shows what fresh samples of the true distribution score, instead of a method.

    Its values are measured with those of the runs of its group, by the metric `fresh-data`.
    """


Row = Run | Delta | FreshRow
"""What a row of a table shows."""


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """Rows that are trained on the same data sets.

    A column of a data set that a group does not have is no column of the group.

    Arguments:
        title: Heading above the rows.
        datasets: Data sets by name; every run of the group is trained on each of them.
        rows: Runs, differences between them, and fresh data, by row name.
        published: Printed mean and standard deviation by row name and column title.
        relative_steps: Steps of its runs in a shorter profile, of those of the profile.
        latents: Dimensions of the prior by data set, where they are not those of the rows.
    """

    title: str = ""
    datasets: Mapping[str, Source]
    rows: Mapping[str, Row]
    published: PublishedValues = field(default_factory=dict)
    relative_steps: float = 1.0
    latents: Mapping[str, int] = field(default_factory=dict)

    def get_run(self, row_name: str, dataset_name: str) -> Run:
        """Return the run of a row on one of the data sets.

        Arguments:
            row_name: Name of a row that is a run.
            dataset_name: Name of the data set.
        """
        run = self.rows[row_name]
        assert isinstance(run, Run), f"row {row_name!r} has no run"
        latent = self.latents.get(dataset_name, run.arch.latent)
        return replace(run, source=self.datasets[dataset_name], arch=run.arch.with_latent(latent))

    @property
    def run_ids(self) -> set[str]:
        """Ids of all runs of the group."""
        row_names = [name for name, run in self.rows.items() if isinstance(run, Run)]
        return {self.get_run(row, dataset).id for row in row_names for dataset in self.datasets}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A shorter version of a table.

    Arguments:
        steps: Training steps of every run, but for groups with other `relative_steps`.
        num_seeds: Number of seeds behind a mean.
        row_groups: Rows, if they differ from those of the table: fewer, or with smaller networks.
        num_checkpoints: How often a run is saved and evaluated during training.
        num_samples: Number of samples that scores on features read; None: as in the table.
    """

    steps: int
    num_seeds: int = NUM_SEEDS
    row_groups: tuple[RowGroup, ...] = ()
    num_checkpoints: int = 12
    num_samples: int | None = None


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """A published table to reproduce.

    Arguments:
        title: What the table shows and where it was published.
        row_groups: Groups of rows, in order.
        columns: Columns by title, in order.
        num_seeds: Number of seeds behind a mean.
        num_checkpoints: How often a run is saved and evaluated during training.
        quick: Quick profile of the table, for a first look in minutes.
        standard: Standard profile, for a machine without an accelerator; None if there is none.
        plot_runs: Whether to plot the runs side by side after training; for small tables.
        notes: Paragraphs below the table that define its columns.

    Examples:
        >>> from iidgan import GAN, Ring, iid_gan
        >>> ring = Ring(modes=16)
        >>> spec = TableSpec(
        ...     title="Ring of 16 modes",
        ...     row_groups=(
        ...         RowGroup(
        ...             datasets={"Ring": ring},
        ...             rows={
        ...                 "GAN": Run(source=ring, method=GAN()),
        ...                 "IID-GAN": Run(source=ring, method=iid_gan()),
        ...             },
        ...         ),
        ...     ),
        ...     columns={"modes": Column(metric="modes_20", dataset="Ring", decimals=1)},
        ...     quick=Profile(steps=2_000),
        ... )
        >>> [name for name, run in spec.runs.values()]
        ['GAN, Ring', 'IID-GAN, Ring']
        >>> {run.steps for name, run in spec.with_quick_profile().runs.values()}
        {2000}
    """

    title: str
    row_groups: tuple[RowGroup, ...]
    columns: Mapping[str, Column]
    num_seeds: int = NUM_SEEDS
    num_checkpoints: int = 12
    quick: Profile
    standard: Profile | None = None
    plot_runs: bool = False
    notes: tuple[str, ...] = ()

    def with_quick_profile(self) -> TableSpec:
        """Return the table of the quick profile; it shares no run with the full table.

        Groups that differ from other groups only in their number of steps are dropped.
        """
        return self._with_profile("quick", self.quick)

    def with_standard_profile(self) -> TableSpec:
        """Return the table of the standard profile, as `with_quick_profile`.

        Raises:
            InputError: The table has none.
        """
        if self.standard is None:
            raise InputError(f"standard: {self.title!r} has no standard profile; leave it out")
        return self._with_profile("standard", self.standard)

    def _with_profile(self, name: str, profile: Profile) -> TableSpec:
        shortened_groups = [
            _set_steps(group, profile.steps) for group in profile.row_groups or self.row_groups
        ]
        return replace(
            self,
            row_groups=_drop_redundant_groups(shortened_groups),
            columns={
                title: _set_num_samples(column, profile.num_samples)
                for title, column in self.columns.items()
            },
            title=f"{self.title}; {name} profile of {profile.steps:,} steps",
            num_seeds=profile.num_seeds,
            num_checkpoints=profile.num_checkpoints,
        )

    def with_features(self, features: str) -> TableSpec:
        """Return the table with its scores on the features of a network.

        Titles of columns name the features where they are not those of the paper; scores that
        are measured on certain features alone stay.

        Arguments:
            features: Name of the extractor.
        """
        columns = {
            title: column.with_features(features)
            for title, column in self.columns.items()
            if isinstance(column, ScoreColumn)
        }
        if all(column.features != features for column in columns.values()):
            return self
        titles = {title: column.title for title, column in columns.items()}
        return replace(
            self,
            title=f"{self.title}; features of {features}",
            columns={
                titles.get(title, title): columns.get(title, column)
                for title, column in self.columns.items()
            },
            row_groups=tuple(_rename_columns(group, titles) for group in self.row_groups),
        )

    def restrict_to(
        self, row_names: Collection[str] = (), dataset_names: Collection[str] = ()
    ) -> TableSpec:
        """Keep only the named rows and data sets; an empty selection keeps all.

        A difference keeps the two rows that it compares.

        Arguments:
            row_names: Names of the rows.
            dataset_names: Names of the data sets.

        Examples:
            >>> from iidgan.studies.papers import TABLES
            >>> ring_table = TABLES["ring"](())
            >>> ring_table.row_names, ring_table.restrict_to(["GAN"]).row_names
            (['GAN', 'IID-GAN (M-D)'], ['GAN'])
        """
        row_names = row_names or self.row_names
        dataset_names = dataset_names or self.dataset_names
        return replace(
            self,
            row_groups=tuple(
                replace(group, rows=_select_rows(group.rows, row_names))
                for group in self.row_groups
            ),
            columns={
                title: column
                for title, column in self.columns.items()
                if column.dataset in dataset_names
            },
        )

    @property
    def dataset_names(self) -> list[str]:
        """Names of the data sets that have columns."""
        return list(dict.fromkeys(column.dataset for column in self.columns.values()))

    @property
    def row_names(self) -> list[str]:
        """Names of the rows; groups may share them."""
        return list(dict.fromkeys(name for group in self.row_groups for name in group.rows))

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and a sentence on what scores on features read."""
        columns = [column for column in self.columns.values() if isinstance(column, ScoreColumn)]
        return (describe_reading(columns), *self.notes) if columns else self.notes

    @cached_property
    def required_metrics(self) -> dict[str, set[str]]:
        """Metrics that training measures and the columns show of each run, by run id."""
        metrics_by_id: dict[str, set[str]] = {}
        for _, dataset_name, run in self._iterate_runs():
            metrics = {
                column.metric
                for column in self.columns.values()
                if column.dataset == dataset_name and not isinstance(column, ScoreColumn)
            }
            if self._has_fresh_row:
                metrics |= {f"{metric}{FRESH_SUFFIX}" for metric in metrics}
            metrics_by_id.setdefault(run.id, set()).update(metrics)
        return metrics_by_id

    @property
    def _has_fresh_row(self) -> bool:
        rows = [row for group in self.row_groups for row in group.rows.values()]
        return any(isinstance(row, FreshRow) for row in rows)

    @cached_property
    def required_scores(self) -> dict[str, tuple[ScoreColumn, ...]]:
        """Columns of scores on features of each run, by run id."""
        return {
            run.id: tuple(
                column
                for column in self.columns.values()
                if column.dataset == dataset_name and isinstance(column, ScoreColumn)
            )
            for _, dataset_name, run in self._iterate_runs()
        }

    @cached_property
    def runs(self) -> dict[str, tuple[str, Run]]:
        """Distinct runs by id, each with a display name made of its row and data set."""
        named_runs: dict[str, tuple[str, Run]] = {}
        for row_name, dataset_name, run in self._iterate_runs():
            named_runs.setdefault(run.id, (f"{row_name}, {dataset_name}", run))
        return named_runs

    def _iterate_runs(self) -> Iterator[tuple[str, str, Run]]:
        for dataset_name in self.dataset_names:
            for group in self.row_groups:
                for row_name, run in group.rows.items():
                    if isinstance(run, Run) and dataset_name in group.datasets:
                        yield row_name, dataset_name, group.get_run(row_name, dataset_name)


def _select_rows(rows: Mapping[str, Row], row_names: Collection[str]) -> dict[str, Row]:
    selected_names = set(row_names)
    for name, row in rows.items():
        if name in row_names and isinstance(row, Delta):
            selected_names |= {row.after, row.before}
    return {name: row for name, row in rows.items() if name in selected_names}


def _drop_redundant_groups(row_groups: Sequence[RowGroup]) -> tuple[RowGroup, ...]:
    """Drop groups all of whose runs are in other groups, starting from the last."""
    remaining_groups = list(row_groups)
    for group in reversed(row_groups):
        other_groups = [other for other in remaining_groups if other is not group]
        other_ids = set().union(*(other.run_ids for other in other_groups))
        if group.run_ids <= other_ids:
            remaining_groups = other_groups
    return tuple(remaining_groups)


def _set_num_samples(column: Column, num_samples: int | None) -> Column:
    if num_samples is None or not isinstance(column, ScoreColumn):
        return column
    return replace(column, num_samples=num_samples)


def _rename_columns(group: RowGroup, titles: Mapping[str, str]) -> RowGroup:
    published = {
        (row_name, titles.get(title, title)): value
        for (row_name, title), value in group.published.items()
    }
    return replace(group, published=published)


def _set_steps(group: RowGroup, profile_steps: int) -> RowGroup:
    steps = round(group.relative_steps * profile_steps)
    rows = {
        name: replace(run, steps=steps) if isinstance(run, Run) else run
        for name, run in group.rows.items()
    }
    return replace(group, rows=rows)
