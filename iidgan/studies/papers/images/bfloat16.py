"""Networks in bfloat16: does the result change?"""

from __future__ import annotations

from dataclasses import replace

from iidgan.config.run import Run
from iidgan.studies.papers.images.five_sets import IMAGES, METRICS_NOTE
from iidgan.studies.table_spec import RowGroup, TableSpec

_COMPARED_ROWS = ("DCGAN", "IID-GAN (M-D)")
_COMPARED_DATASETS = ("stacked digits", "clothes")
_STANDARD_WIDTH = 32


def _in_both_precisions(group: RowGroup, width: int | None = None) -> RowGroup:
    rows: dict[str, Run] = {}
    for name in _COMPARED_ROWS:
        run = group.rows[name]
        assert isinstance(run, Run)
        if width is not None:
            run = replace(run, arch=replace(run.arch, width=width))  # type: ignore[type-var]
        rows[name] = run
        rows[f"{name}, bfloat16"] = replace(run, precision="bfloat16")
    return replace(group, title="", rows=rows)


_STANDARD = IMAGES.standard
assert _STANDARD is not None
_STANDARD_GROUPS = (_in_both_precisions(_STANDARD.row_groups[0], _STANDARD_WIDTH),)

BFLOAT16: TableSpec = replace(
    IMAGES,
    title="Networks in float32 and in bfloat16",
    row_groups=(_in_both_precisions(IMAGES.row_groups[0]),),
    standard=replace(_STANDARD, steps=1_000, row_groups=_STANDARD_GROUPS),
    quick=replace(IMAGES.quick, row_groups=_STANDARD_GROUPS),
    notes=(
        METRICS_NOTE,
        "In the quick and the standard profile, digits are those of mnist-5k, and networks have a "
        f"width of {_STANDARD_WIDTH}.",
    ),
).restrict_to(dataset_names=_COMPARED_DATASETS)
