"""Which table a command shows: its name, its profile, and the features of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iidgan.errors import InputError, unknown_name_error
from iidgan.records import MetricRecord
from iidgan.sample_sets.feature_set import DEFAULT_FEATURES
from iidgan.studies.papers import ALIASES, TABLES
from iidgan.studies.table_spec import TableSpec


@dataclass(frozen=True, kw_only=True)
class ProfileOptions:
    """Which profile of a table, and which features."""

    quick: bool = False
    """Use the quick profile, a separate table: fewer steps, seeds or rows, or smaller networks."""
    standard: bool = False
    """Use the standard profile, if the table has one: between the quick one and the full table."""
    features: str | None = None
    """Network whose features IS, FID and Mode Score read: efficientnet-lite0 (the default),
    inception (the papers'), or any that `iidgan evaluate --features` takes."""

    @property
    def flags(self) -> str:
        """The options as on the command line, each after a space."""
        profile = " --quick" * self.quick + " --standard" * self.standard
        return profile + (f" --features {self.features}" if self.features else "")


def resolve_table_name(name: str) -> str:
    """Return the name under which a table is declared, whose records have that name, too.

    Arguments:
        name: Its name, or another name of it.

    Raises:
        InputError: There is none.
    """
    name = ALIASES.get(name, name)
    if name not in TABLES:
        raise unknown_name_error("table", name, [*TABLES, *ALIASES])
    return name


def select_table(name: str, options: ProfileOptions, records: Sequence[MetricRecord]) -> TableSpec:
    """Create a table in the profile and with the features of the options.

    Arguments:
        name: Its name, as `resolve_table_name` returns it.
        options: The profile and the features.
        records: Metric records of all runs so far.

    Raises:
        InputError: The options are invalid, or the table has no such profile or no scores.
    """
    spec = TABLES[name](records)
    if options.quick and options.standard:
        raise InputError("standard: is another profile than quick; give one of them")
    if options.standard and spec.standard is None:
        raise InputError(f"standard: {name} has no standard profile; leave it out, or use --quick")
    if options.quick:
        spec = spec.with_quick_profile()
    elif options.standard:
        spec = spec.with_standard_profile()
    if options.features is not None and not any(spec.required_scores.values()):
        raise InputError(f"features: {name} has no scores on features; leave it out")
    return spec.with_features(options.features or DEFAULT_FEATURES)
