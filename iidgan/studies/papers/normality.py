"""Table 2 of IID-GAN: are the codes of real data distributed as N(0, I)?"""

from __future__ import annotations

from iidgan.studies.columns import Column
from iidgan.studies.papers.common import (
    DATASETS_AS_PRINTED,
    DATASETS_AS_VARIANCES,
    OTHER_RUNS,
    QUICK_PROFILE,
    TABLE_1_RUNS,
    VARIANT_RUNS,
    full_length_runs,
)
from iidgan.studies.table_spec import PublishedValues, RowGroup, TableSpec

TESTED_ROWS = ("BiGAN", "VEEGAN", "IID-GAN (1-D)", "IID-GAN (M-D)")
_OTHER_ENCODER_ROWS = ("VAE", "AAE", "MRGAN", "MDGAN", "Dist-GAN", "IVGAN")
_PLUS_ROW = "IID-GAN+"
_SHAPIRO_WILK, _KS_DIM_1, _KS_DIM_2 = "Shapiro-Wilk", "KS, dim 1", "KS, dim 2"

# Shapiro-Wilk and Kolmogorov-Smirnov statistics of one run each (IID-GAN, IJCAI 2023, Table 2).
_PRINTED_VALUES = {
    "BiGAN": (0.8537, 0.3900, 0.1637),
    "VEEGAN": (0.9567, 0.3141, 0.2350),
    "IID-GAN (1-D)": (0.9548, 0.0882, 0.0866),
    "IID-GAN (M-D)": (0.9824, 0.1185, 0.0579),
}

_PUBLISHED_VALUES: PublishedValues = {
    (row_name, column_title): (value, None)
    for row_name, values in _PRINTED_VALUES.items()
    for column_title, value in zip((_SHAPIRO_WILK, _KS_DIM_1, _KS_DIM_2), values)
}

NORMALITY = TableSpec(
    title="Codes of real data on 2D-Ring against N(0, I) (IID-GAN, IJCAI 2023, Table 2)",
    row_groups=(
        RowGroup(
            title="Table 2",
            datasets=DATASETS_AS_PRINTED,
            rows={name: TABLE_1_RUNS[name] for name in TESTED_ROWS},
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="Table 2, standard deviations read as variances: 0.0316 and 0.05",
            datasets=DATASETS_AS_VARIANCES,
            rows={name: TABLE_1_RUNS[name] for name in TESTED_ROWS}
            | {_PLUS_ROW: VARIANT_RUNS[_PLUS_ROW]},
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="300,000 steps, deviations as printed",
            datasets=DATASETS_AS_PRINTED,
            rows=full_length_runs((*TESTED_ROWS, _PLUS_ROW)),
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(
            title="300,000 steps, deviations read as variances",
            datasets=DATASETS_AS_VARIANCES,
            rows=full_length_runs(("IID-GAN (M-D)", _PLUS_ROW)),
            published=_PUBLISHED_VALUES,
        ),
        RowGroup(title="The term, varied", datasets=DATASETS_AS_PRINTED, rows=VARIANT_RUNS),
        RowGroup(
            title="Other methods with an inverse",
            datasets=DATASETS_AS_PRINTED,
            rows={name: OTHER_RUNS[name] for name in _OTHER_ENCODER_ROWS},
        ),
    ),
    columns={
        _SHAPIRO_WILK: Column(metric="shapiro_wilk", dataset="Ring", decimals=4),
        "Shapiro-Wilk, sliced": Column(metric="shapiro_wilk_sliced", dataset="Ring", decimals=4),
        _KS_DIM_1: Column(metric="ks_1", dataset="Ring", decimals=4),
        _KS_DIM_2: Column(metric="ks_2", dataset="Ring", decimals=4),
        "covariance error": Column(metric="cov_error", dataset="Ring", decimals=3),
        "Grid Shapiro-Wilk": Column(metric="shapiro_wilk", dataset="Grid", decimals=4),
    },
    quick=QUICK_PROFILE,
    notes=(
        "Shapiro-Wilk: statistic of 5,000 codes, mean over the dimensions; sliced: mean over 32 "
        "directions. KS: Kolmogorov-Smirnov distance of all codes from N(0, 1). The same number "
        "of samples from N(0, 1) gives about 0.9996 and 0.004. Covariance error: Frobenius norm "
        "of the difference between the covariance of the codes and the identity.",
    ),
)
