"""Table 1 of IID-GAN (and of InvertGAN), and all other methods in the same setting."""

from __future__ import annotations

from dataclasses import replace

from iidgan.studies.papers.common import (
    DATASETS_AS_PRINTED,
    DATASETS_AS_VARIANCES,
    OTHER_RUNS,
    QUICK_PROFILE,
    TABLE_1_RUNS,
    VARIANT_RUNS,
    coverage_columns,
    full_length_runs,
    printed_coverage,
)
from iidgan.studies.table_spec import RowGroup, TableSpec

_PUBLISHED_VALUES = printed_coverage("Ring") | printed_coverage("Grid")

SYNTHETIC = TableSpec(
    title="2D-Ring and 2D-Grid, mode coverage (IID-GAN, IJCAI 2023, Table 1)",
    row_groups=(
        RowGroup(
            title="Table 1: standard deviations 0.001 and 0.0025, as printed",
            datasets=DATASETS_AS_PRINTED,
            rows=TABLE_1_RUNS,
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="The terms otherwise",
            datasets=DATASETS_AS_PRINTED,
            rows=VARIANT_RUNS,
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="The other methods, same data", datasets=DATASETS_AS_PRINTED, rows=OTHER_RUNS
        ),
        RowGroup(
            title="Standard deviations read as variances: 0.0316 and 0.05",
            datasets=DATASETS_AS_VARIANCES,
            rows=TABLE_1_RUNS | {"IID-GAN+": VARIANT_RUNS["IID-GAN+"]},
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="Four times as long, 96,000 steps, deviations as printed",
            datasets=DATASETS_AS_PRINTED,
            rows={
                name: replace(TABLE_1_RUNS[name], steps=96_000)
                for name in ("GAN", "IID-GAN (M-D)")
            },
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="300,000 steps, as many as the paper's, deviations as printed",
            datasets=DATASETS_AS_PRINTED,
            rows=full_length_runs((*TABLE_1_RUNS, "IID-GAN+")),
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="300,000 steps, deviations read as variances",
            datasets=DATASETS_AS_VARIANCES,
            rows=full_length_runs(("IID-GAN (M-D)", "IID-GAN+")),
            published=_PUBLISHED_VALUES,
        ),
    ),
    columns=coverage_columns("Ring") | coverage_columns("Grid"),
    quick=QUICK_PROFILE,
    notes=(
        "50,000 (Ring) and 100,000 (Grid) samples per seed. A sample is good within 3 std of a "
        "mode centre; a mode counts with at least 1, 20 or 100 good samples. Reverse KL: over the "
        "normalised shares of good samples, undefined without any.",
    ),
)
