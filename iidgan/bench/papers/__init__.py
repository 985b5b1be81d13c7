"""Published tables and figures, as data. `STUDIES` and `PICTURES` are the only lists."""

from collections.abc import Callable, Sequence

from iidgan.bench.papers.normality import NORMALITY
from iidgan.bench.papers.pictures import PICTURES
from iidgan.bench.papers.plug_in import PLUG_IN
from iidgan.bench.papers.ring import RING
from iidgan.bench.papers.stacked import STACKED
from iidgan.bench.papers.synthetic import SYNTHETIC
from iidgan.bench.papers.tuned import SWEEP, tuned
from iidgan.bench.rows import Row
from iidgan.bench.study import Study

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
