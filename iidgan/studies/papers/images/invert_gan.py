"""Table 2 of InvertGAN: CIFAR-10, CIFAR-100 and STL-10."""

from __future__ import annotations

from iidgan.config.presets import PRESETS
from iidgan.studies.columns import score_columns
from iidgan.studies.papers.images.recipes import create_image_table, take_others

_SCORES = {"IS": 2, "FID": 2, "MS": 2}

INVERT_GAN_TABLE_2 = create_image_table(
    title="CIFAR-10, CIFAR-100 and STL-10 (InvertGAN, Table 2)",
    presets={"All": PRESETS["invertgan"]},
    datasets={
        "CIFAR-10": "cifar10",
        "CIFAR-100": "cifar100",
        "STL-10": "stl10-32",
    },
    rows={
        "GAN": ("gan",),
        **take_others("BiGAN", "Unrolled GAN", "VEEGAN"),
        "InvertGAN": ("invert-gan",),
    },
    columns=score_columns("CIFAR-10", _SCORES, num_samples=10_000)
    | score_columns("CIFAR-100", _SCORES, num_samples=10_000)
    | score_columns("STL-10", _SCORES, num_samples=5_000),
    printed={
        "GAN": (1.88, 262.91, 1.86, 5.03, 74.41, 5.09, 2.28, 245.21, 2.29),
        "BiGAN": (3.30, 184.37, 3.27, 4.41, 75.27, 4.49, 1.22, 251.21, 1.22),
        "Unrolled GAN": (4.72, 74.05, 4.67, 6.15, 79.14, 6.14, 4.78, 142.16, 4.62),
        "VEEGAN": (3.71, 120.62, 3.71, 4.80, 75.86, 4.85, 1.45, 298.95, 1.46),
        "InvertGAN": (4.68, 75.80, 4.67, 5.33, 74.26, 5.30, 5.16, 139.10, 5.12),
    },
    notes=(
        "10,000 generated images of the CIFAR sets and 5,000 of STL-10 are the paper's numbers.",
    ),
)
