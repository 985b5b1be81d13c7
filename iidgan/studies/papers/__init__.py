"""Published tables and figures as data: runs, columns and printed values, one file per table.

`TABLES` and `FIGURES` list them by name. The results are discussed in `docs/results`.
"""

from collections.abc import Callable, Sequence

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

__all__ = ["FIGURES", "TABLES", "TUNING"]
