"""Tables 2, 4 and 5 of IID-GAN's first version (arXiv 2021): CIFAR-10, CIFAR-100 and STL-10."""

from __future__ import annotations

from dataclasses import replace

from iidgan.config.presets import PRESETS
from iidgan.nn import DCGAN
from iidgan.studies.columns import score_columns
from iidgan.studies.papers.common import with_distance
from iidgan.studies.papers.images.recipes import create_image_table, take_others

_CIFAR, _STL = PRESETS["arxiv-cifar"], PRESETS["arxiv-stl10"]
_NUM_NOTE = "This version does not say how many images are compared; the numbers are InvertGAN's."

ARXIV_TABLE_2 = create_image_table(
    title="CIFAR-10 and CIFAR-100 (IID-GAN, arXiv 2021, Table 2)",
    presets={"CIFAR-10, CIFAR-100": _CIFAR},
    datasets={
        "CIFAR-10": "cifar10",
        "CIFAR-100": "cifar100",
    },
    rows={
        "GAN": ("gan",),
        **take_others("Unrolled GAN", "VEEGAN"),
        "GDPP": ("gan", "gdpp"),
        "IID-GAN (1-D)": (with_distance(_CIFAR.create_method("iid-gan"), "w2-1d"),),
        "IID-GAN (M-D)": ("iid-gan",),
    },
    columns=score_columns("CIFAR-10", {"IS": 2, "FID": 1}, num_samples=10_000)
    | score_columns("CIFAR-100", {"IS": 2, "FID": 1}, num_samples=10_000),
    printed={
        "GAN": (4.84, 78.4, 4.79, 85.6),
        "Unrolled GAN": (4.65, 76.2, 4.96, 83.1),
        "VEEGAN": (3.56, 161.1, 4.34, 88.6),
        "GDPP": (4.43, 80.4, 4.87, 82.8),
        "IID-GAN (1-D)": (4.89, 65.4, 5.05, 84.5),
        "IID-GAN (M-D)": (5.00, 76.9, 5.27, 82.1),
    },
    notes=(_NUM_NOTE,),
)

ARXIV_TABLE_4 = create_image_table(
    title="STL-10 (IID-GAN, arXiv 2021, Table 4)",
    presets={"STL-10": _STL},
    datasets={"STL-10": "stl10-32"},
    rows={
        "GAN": ("gan",),
        **take_others("BiGAN", "Unrolled GAN", "VEEGAN"),
        "IID-GAN (M-D)": ("iid-gan",),
    },
    columns=score_columns("STL-10", {"IS": 2, "FID": 2, "MS": 2}, num_samples=5_000),
    printed={
        "GAN": (2.28, 245.21, 2.29),
        "BiGAN": (1.22, 251.21, 1.22),
        "Unrolled GAN": (4.78, 142.16, 4.62),
        "VEEGAN": (1.45, 298.95, 1.46),
        "IID-GAN (M-D)": (5.16, 139.10, 5.12),
    },
    notes=(
        "Images of 32 pixels, as the printed networks make; the text says 64.",
        _NUM_NOTE,
    ),
)

_DCGAN = replace(
    _CIFAR,
    arch=DCGAN(latent=100),
    origins={**_CIFAR.origins, "arch": "section 5.2: DCGAN; ours: of width 64"},
)

ARXIV_TABLE_5 = create_image_table(
    title="WGAN-GP and SNGAN with and without the IID terms on CIFAR-10 (IID-GAN, arXiv 2021, "
    "Table 5)",
    presets={"CIFAR-10": _DCGAN},
    datasets={"CIFAR-10": "cifar10"},
    rows={
        "WGAN-GP": ("wgan-gp",),
        "IID-GAN (WGAN-GP)": ("wgan-gp", "cycle", "gaussian"),
        "SNGAN": ("sngan",),
        "IID-GAN (SNGAN)": ("sngan", "cycle", "gaussian"),
    },
    columns=score_columns("CIFAR-10", {"IS": 3, "JSD": 4}),
    printed={
        "WGAN-GP": (7.343, 0.00339),
        "IID-GAN (WGAN-GP)": (7.443, 0.00326),
        "SNGAN": (7.255, 0.0327),
        "IID-GAN (SNGAN)": (7.350, 0.0219),
    },
    notes=(
        "The caption also names STL-10; the columns are of CIFAR-10 alone. The printed JSD of "
        "WGAN-GP is a tenth of that of SNGAN: one of them may be in another unit. The "
        "paper does not say how many images are compared.",
    ),
)
