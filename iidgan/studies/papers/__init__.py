"""Published tables and figures, as data. `STUDIES` and `PICTURES` are the only lists."""

from collections.abc import Callable, Sequence

from iidgan.records import Row
from iidgan.studies.papers.normality import NORMALITY
from iidgan.studies.papers.pictures import PICTURES
from iidgan.studies.papers.plug_in import PLUG_IN
from iidgan.studies.papers.ring import RING
from iidgan.studies.papers.stacked import STACKED
from iidgan.studies.papers.synthetic import SYNTHETIC
from iidgan.studies.papers.tuned import SWEEP, tuned
from iidgan.studies.table_spec import Study

STUDIES: dict[str, Callable[[Sequence[Row]], Study]] = {
    "ring": lambda rows: RING,
    "synthetic": lambda rows: SYNTHETIC,
    "normality": lambda rows: NORMALITY,
    "plug-in": lambda rows: PLUG_IN,
    "tuned": tuned,
    "stacked": lambda rows: STACKED,
}
"""Tables by name; each is made of the rows that there are, on which only `tuned` depends."""

__all__ = ["PICTURES", "STUDIES", "SWEEP"]
