"""The tables with their data, and which of their profiles can be trained here."""

from __future__ import annotations

from rich.table import Table

from iidgan.sample_sets.feature_set import DEFAULT_FEATURES
from iidgan.studies.papers import ALIASES, TABLES
from iidgan.studies.requirements import Check, Requirements
from iidgan.studies.table_spec import TableSpec


def list_tables() -> Table:
    """List all tables."""
    table = Table(box=None, pad_edge=False)
    for heading in ("table", "data", "can be trained here", "title"):
        table.add_column(heading, no_wrap=heading == "table")
    names_by_table: dict[str, list[str]] = {}
    for alias, name in ALIASES.items():
        names_by_table.setdefault(name, []).append(alias)
    results: dict[Check, str] = {}
    for name, create in TABLES.items():
        spec = create([])
        names = ", ".join([name, *names_by_table.get(name, [])])
        profiles = _list_profiles(spec, results)
        table.add_row(names, ", ".join(spec.dataset_names), profiles, spec.title)
    return table


def _list_profiles(spec: TableSpec, results: dict[Check, str]) -> str:
    """Describe which profiles can be trained, or what the full table lacks."""
    profiles = {"full": spec, "--quick": spec.with_quick_profile()}
    if spec.standard is not None:
        profiles["--standard"] = spec.with_standard_profile()
    missing = {
        name: Requirements.of_table(profile.with_features(DEFAULT_FEATURES)).list_missing(results)
        for name, profile in profiles.items()
    }
    ready = [name for name, lines in missing.items() if not lines]
    lacking = dict.fromkeys(line.partition(":")[0] for line in missing["full"])
    return ", ".join(ready) if ready else f"no: lacks {', '.join(lacking)}"
