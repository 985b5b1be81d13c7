"""Published tables, as data. `STUDIES` is the only list."""

from iidgan.bench.papers.ring import RING
from iidgan.bench.study import Study

STUDIES: dict[str, Study] = {"ring": RING}
