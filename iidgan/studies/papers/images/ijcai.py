"""Tables 4, 5 and 6 of IID-GAN (IJCAI 2023): CIFAR-10, STL-10, CelebA, LSUN church, AFHQ cats."""

from __future__ import annotations

from dataclasses import replace

from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.nn import StyleGAN2
from iidgan.studies.columns import score_columns
from iidgan.studies.papers.images.recipes import create_image_table, take_others
from iidgan.studies.table_spec import Profile, RowGroup

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

_STYLEGAN2 = replace(PRESETS["stylegan2"], side=64)
_AUGMENTED = ("stylegan2-ada", "ada")


def _shrink(profile: Profile, group: RowGroup, arch: StyleGAN2, batch: int) -> Profile:
    """Return a profile with small networks and batches, at the rate of the paper."""
    rows = {
        name: replace(run, arch=arch, batch=batch)
        for name, run in group.rows.items()
        if isinstance(run, Run)
    }
    title = f"{arch}, batch {batch}; the paper's are larger"
    return replace(profile, row_groups=(replace(group, rows=rows, title=title),))


_TABLE_6 = create_image_table(
    title="AFHQ cats and LSUN church on StyleGAN2-ADA (IID-GAN, IJCAI 2023, Table 6)",
    presets={"AFHQ cats": _STYLEGAN2, "LSUN": _STYLEGAN2},
    datasets={"AFHQ cats": "afhq-cat", "LSUN": "lsun-church"},
    rows={"StyleGAN2-ADA": _AUGMENTED, "IID-GAN": (*_AUGMENTED, "cycle", "gaussian")},
    columns=score_columns("AFHQ cats", {"FID": 3, "KID": 3}, scale={"KID": 1000.0})
    | score_columns("LSUN", {"FID": 3, "KID": 3}, scale={"KID": 1000.0}),
    printed={
        "StyleGAN2-ADA": ((6.386, 0.503), (1.077, 0.113), (3.530, 0.021), (1.415, 0.008)),
        "IID-GAN": ((5.373, 0.142), (0.897, 0.126), (3.208, 0.111), (1.317, 0.095)),
    },
    notes=(
        "IID-GAN: the cycle and the Gaussian term on StyleGAN2-ADA. F is D without the minibatch "
        "standard deviation, inverts G from z on, and reads images without augmentation.",
    ),
)
(_GROUP_6,) = _TABLE_6.row_groups
assert _TABLE_6.standard is not None
IJCAI_TABLE_6 = replace(
    _TABLE_6,
    quick=_shrink(
        _TABLE_6.quick,
        _GROUP_6,
        StyleGAN2(latent=32, width=8, max_width=16, mapping_layers=2),
        batch=8,
    ),
    standard=_shrink(
        _TABLE_6.standard,
        _GROUP_6,
        StyleGAN2(latent=128, width=32, max_width=64, mapping_layers=4),
        batch=32,
    ),
)
