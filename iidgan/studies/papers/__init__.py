"""Published tables and figures as data: runs, columns and printed values, one file per table.

`TABLES` and `FIGURES` list them by name. The results are discussed in `docs/results`.
"""

from collections.abc import Callable, Sequence
from functools import partial

from iidgan.records import MetricRecord
from iidgan.studies.papers.author_recipes import AUTHORS
from iidgan.studies.papers.hard import HARD
from iidgan.studies.papers.images.arxiv import ARXIV_TABLE_2, ARXIV_TABLE_4, ARXIV_TABLE_5
from iidgan.studies.papers.images.bfloat16 import BFLOAT16
from iidgan.studies.papers.images.conditional import CONDITIONAL, CONDITIONAL_CIFAR10
from iidgan.studies.papers.images.disentanglement import DISENTANGLEMENT
from iidgan.studies.papers.images.few_images import FEW_IMAGES
from iidgan.studies.papers.images.five_sets import IMAGES
from iidgan.studies.papers.images.ijcai import IJCAI_TABLE_4, IJCAI_TABLE_5, IJCAI_TABLE_6
from iidgan.studies.papers.images.invert_gan import INVERT_GAN_TABLE_2
from iidgan.studies.papers.images.iv_gan import IV_GAN_TABLE_1, IV_GAN_TABLE_2, IV_GAN_TABLE_3
from iidgan.studies.papers.images.stacked import STACKED
from iidgan.studies.papers.lazy import LAZY, LAZY_IMAGES
from iidgan.studies.papers.normality import NORMALITY
from iidgan.studies.papers.plug_in import PLUG_IN
from iidgan.studies.papers.ring import RING
from iidgan.studies.papers.synthetic import SYNTHETIC
from iidgan.studies.papers.synthetic_figures import FIGURES
from iidgan.studies.papers.tuned import TUNING, build_tuned_table
from iidgan.studies.table_spec import TableSpec


def _return_spec(spec: TableSpec, records: Sequence[MetricRecord]) -> TableSpec:
    return spec


RECIPES: dict[str, TableSpec] = {
    "ijcai-table-4": IJCAI_TABLE_4,
    "ijcai-table-5": IJCAI_TABLE_5,
    "ijcai-table-6": IJCAI_TABLE_6,
    "arxiv-table-2": ARXIV_TABLE_2,
    "arxiv-table-4": ARXIV_TABLE_4,
    "arxiv-table-5": ARXIV_TABLE_5,
    "invertgan-table-2": INVERT_GAN_TABLE_2,
    "ivgan-table-1": IV_GAN_TABLE_1,
    "ivgan-table-2": IV_GAN_TABLE_2,
    "ivgan-table-3": IV_GAN_TABLE_3,
    "conditional-cifar10": CONDITIONAL_CIFAR10,
}
"""Tables of images that need an accelerator and data sets, and have no results here so far."""

TABLES: dict[str, Callable[[Sequence[MetricRecord]], TableSpec]] = {
    "ring": partial(_return_spec, RING),
    "synthetic": partial(_return_spec, SYNTHETIC),
    "normality": partial(_return_spec, NORMALITY),
    "plug-in": partial(_return_spec, PLUG_IN),
    "tuned": build_tuned_table,
    "hard": partial(_return_spec, HARD),
    "author-recipes": partial(_return_spec, AUTHORS),
    "stacked": partial(_return_spec, STACKED),
    "lazy": partial(_return_spec, LAZY),
    "lazy-images": partial(_return_spec, LAZY_IMAGES),
    "images": partial(_return_spec, IMAGES),
    "few-images": partial(_return_spec, FEW_IMAGES),
    "bfloat16": partial(_return_spec, BFLOAT16),
    "conditional": partial(_return_spec, CONDITIONAL),
    "disentanglement": partial(_return_spec, DISENTANGLEMENT),
    **{name: partial(_return_spec, spec) for name, spec in RECIPES.items()},
}
"""Tables by name, as functions of the stored records; only `tuned` depends on them."""

ALIASES: dict[str, str] = {"ijcai-table-3": "stacked", "images-here": "images"}
"""Other names of tables."""

__all__ = ["ALIASES", "FIGURES", "RECIPES", "TABLES", "TUNING"]
