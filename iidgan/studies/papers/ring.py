"""Two rows of Table 1 of IID-GAN on 2D-Ring: do the IID terms keep all modes?

Training its ten seeds for 24,000 steps takes about 12 minutes on two idle cores.
"""

from __future__ import annotations

from iidgan.studies.columns import Column
from iidgan.studies.papers.common import (
    BASE_RUN,
    DATASETS_AS_PRINTED,
    IID_GAN_MD,
    coverage_columns,
    printed_coverage,
)
from iidgan.studies.table_spec import Profile, RowGroup, TableSpec

RING_ROWS = {"GAN": BASE_RUN, "IID-GAN (M-D)": IID_GAN_MD}
RAW_COLUMN = {"Ring reverse KL, raw": Column(metric="reverse_kl_raw", dataset="Ring", decimals=3)}

RING = TableSpec(
    title="2D-Ring, mode coverage (IID-GAN, IJCAI 2023, Table 1)",
    row_groups=(
        RowGroup(
            datasets={"Ring": DATASETS_AS_PRINTED["Ring"]},
            rows=RING_ROWS,
            published=printed_coverage("Ring"),
        ),
    ),
    columns=coverage_columns("Ring") | RAW_COLUMN,
    quick=Profile(steps=8_000),
    plot_runs=True,
    notes=(
        "50,000 samples per seed. A sample is good within 3 std (0.001) of a mode centre; a mode "
        "counts with at least 1, 20 or 100 good samples. Reverse KL: over the normalised shares "
        "of good samples; raw: over shares of all samples, as the paper defines it.",
    ),
)
