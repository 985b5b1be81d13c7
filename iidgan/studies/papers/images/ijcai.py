"""Tables 4 and 5 of IID-GAN (IJCAI 2023): CIFAR-10, STL-10, CelebA and LSUN church."""

from __future__ import annotations

from iidgan.config.presets import PRESETS
from iidgan.studies.columns import score_columns
from iidgan.studies.papers.images.recipes import create_image_table, take_others

_JSD_IS_FID, _FID_JSD = {"JSD": 2, "IS": 2, "FID": 2}, {"FID": 3, "JSD": 3}
_SCALE = {"JSD": 100.0}
_BASE_NOTE = (
    "GAN: the networks of IID-GAN without its terms, no row of the paper. It and the rows with "
    "added terms have the non-saturating loss; the paper names SNGAN as the backbone, and prints "
    "no loss but that of a GAN. Deviations are over trainings; the paper's are over three "
    "evaluations, of a number of images that it does not say."
)

IJCAI_TABLE_4 = create_image_table(
    title="CIFAR-10 and STL-10 (IID-GAN, IJCAI 2023, Table 4)",
    presets={"CIFAR-10": PRESETS["ijcai-cifar10"], "STL-10": PRESETS["ijcai-stl10"]},
    datasets={
        "CIFAR-10": "cifar10",
        "STL-10": "stl10",
    },
    rows={
        "GAN": ("gan",),
        **take_others("Unrolled GAN", "VEEGAN", "MAD-GAN"),
        "GDPP": ("gan", "gdpp"),
        "BuresGAN": ("gan", "bures"),
        "IID-GAN": ("iid-gan",),
    },
    columns=score_columns("CIFAR-10", _JSD_IS_FID, scale=_SCALE)
    | score_columns("STL-10", _JSD_IS_FID, scale=_SCALE),
    printed={
        "Unrolled GAN": (
            *((3.23, 0.36), (7.28, 0.13), (27.07, 0.74)),
            *((3.32, 0.27), (8.28, 0.03), (38.79, 0.56)),
        ),
        "VEEGAN": (
            *((4.83, 0.33), (7.12, 0.07), (26.94, 0.94)),
            *((5.23, 0.36), (8.39, 0.05), (37.25, 0.32)),
        ),
        "MAD-GAN": (
            *((7.53, 0.78), (7.00, 0.02), (29.24, 0.36)),
            *((9.15, 0.43), (7.99, 0.03), (40.03, 0.10)),
        ),
        "GDPP": (
            *((5.25, 0.29), (7.23, 0.06), (26.90, 0.15)),
            *((4.18, 0.19), (8.36, 0.02), (38.12, 0.22)),
        ),
        "BuresGAN": (
            *((6.19, 0.72), (7.22, 0.01), (28.28, 0.28)),
            *((4.33, 0.19), (8.17, 0.03), (39.22, 0.39)),
        ),
        "IID-GAN": (
            *((2.95, 0.22), (7.35, 0.03), (25.71, 0.28)),
            *((3.11, 0.25), (8.43, 0.04), (36.16, 0.51)),
        ),
    },
    notes=(_BASE_NOTE,),
)

IJCAI_TABLE_5 = create_image_table(
    title="CelebA and LSUN church (IID-GAN, IJCAI 2023, Table 5)",
    presets={"CelebA": PRESETS["ijcai-celeba"], "LSUN": PRESETS["ijcai-lsun-church"]},
    datasets={
        "CelebA": "celeba",
        "LSUN": "lsun-church",
    },
    rows={
        "GAN": ("gan",),
        **take_others("Dist-GAN", "MGGAN", "AMAT"),
        "IID-GAN": ("iid-gan",),
    },
    columns=score_columns("CelebA", _FID_JSD, scale=_SCALE)
    | score_columns("LSUN", _FID_JSD, scale=_SCALE),
    printed={
        "Dist-GAN": ((37.374, 0.994), (3.604, 0.202), (34.491, 0.487), (5.042, 0.372)),
        "MGGAN": ((19.491, 0.348), (3.507, 0.159), (13.018, 0.364), (7.464, 0.805)),
        "AMAT": ((29.720, 0.728), (4.789, 0.158), (31.585, 0.923), (4.914, 0.084)),
        "IID-GAN": ((18.715, 0.130), (3.294, 0.183), (11.755, 0.451), (4.210, 0.651)),
    },
    notes=(_BASE_NOTE,),
)
