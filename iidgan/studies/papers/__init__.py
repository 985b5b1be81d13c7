"""Published tables and figures as data: runs, columns and printed values, one file per table.

`TABLES` and `FIGURES` list them by name. The results are discussed in `docs/results`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iidgan.records import MetricRecord
from iidgan.studies.papers.lazy import LAZY
from iidgan.studies.papers.normality import NORMALITY
from iidgan.studies.papers.plug_in import PLUG_IN
from iidgan.studies.papers.ring import RING
from iidgan.studies.papers.stacked import STACKED
from iidgan.studies.papers.synthetic import SYNTHETIC
from iidgan.studies.papers.synthetic_figures import FIGURES
from iidgan.studies.papers.tuned import TUNING, build_tuned_table
from iidgan.studies.table_spec import TableSpec

TABLES: dict[str, Callable[[Sequence[MetricRecord]], TableSpec]] = {
    "ring": lambda records: RING,
    "synthetic": lambda records: SYNTHETIC,
    "normality": lambda records: NORMALITY,
    "plug-in": lambda records: PLUG_IN,
    "tuned": build_tuned_table,
    "stacked": lambda records: STACKED,
    "lazy": lambda records: LAZY,
}
"""Tables by name, as functions of the stored records; only `tuned` depends on them."""

RECIPES: dict[str, TableSpec] = {}
"""Tables of images that the papers trained for days, by name; none is trained here so far."""

ALIASES: dict[str, str] = {"ijcai-table-3": "stacked"}
"""Other names of tables."""


@dataclass(frozen=True, kw_only=True)
class PlannedTable:
    """A published table that cannot be trained yet.

    Arguments:
        title: What it shows and where it was published.
        reason: What it lacks, as the end of a sentence about it.
    """

    title: str
    reason: str


PLANNED_TABLES: dict[str, PlannedTable] = {
    "ijcai-table-6": PlannedTable(
        title="AFHQ cats and LSUN church on StyleGAN2-ADA: FID, KID (IID-GAN, IJCAI 2023, "
        "Table 6)",
        reason="needs the backbone StyleGAN2-ADA, which this version does not have",
    ),
}

__all__ = ["ALIASES", "FIGURES", "PLANNED_TABLES", "RECIPES", "TABLES", "TUNING"]
