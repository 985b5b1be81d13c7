"""Disentanglement of codes on images of shapes, in Cartesian and in polar coordinates.

IID-GAN's papers say that a normal code has independent dimensions, that single latents do not
disentangle modes nonetheless, and that polar coordinates of two latents do better (arXiv 2021,
Fig. 10 and 11; IJCAI 2023, section 4 and Fig. 8). They show images of digits, and print no number.
"""

from __future__ import annotations

from collections.abc import Mapping

from iidgan.config.presets import PRESETS
from iidgan.config.run import Run
from iidgan.core import Method, Source
from iidgan.data import Shapes
from iidgan.methods import VAE, BiGAN
from iidgan.studies.columns import Column
from iidgan.studies.papers.common import with_distance
from iidgan.studies.papers.images.five_sets import standard_run
from iidgan.studies.table_spec import Profile, RowGroup, TableSpec

_PRESET = PRESETS["images"]
_IID_GAN = _PRESET.create_method("iid-gan")
_METHODS: dict[str, Method] = {
    "VAE": VAE(),
    "BiGAN": BiGAN(),
    "IID-GAN (1-D)": with_distance(_IID_GAN, "w2-1d"),
    "IID-GAN (M-D)": _IID_GAN,
}
_LATENTS = {"10 latents": 10, "2 latents": 2}
_DATASETS: dict[str, Source] = dict.fromkeys(_LATENTS, Shapes())
_SCORES = {
    "MIG": "mig",
    "disentanglement": "dci_disentanglement",
    "completeness": "dci_completeness",
    "informativeness": "dci_informativeness",
}


def _columns(dataset: str, coordinates: str = "") -> dict[str, Column]:
    """Return the columns of one number of latents, in Cartesian or `polar` coordinates."""
    return {
        " ".join(filter(None, (dataset, coordinates, title))): Column(
            metric="_".join(filter(None, (metric, coordinates))), dataset=dataset, decimals=3
        )
        for title, metric in _SCORES.items()
    }


def _row_group(rows: Mapping[str, Run]) -> RowGroup:
    return RowGroup(datasets=_DATASETS, rows=rows, latents=_LATENTS)


_NARROW_GROUP = _row_group({name: standard_run(method) for name, method in _METHODS.items()})

DISENTANGLEMENT = TableSpec(
    title="Disentanglement of codes of shapes",
    row_groups=(
        _row_group(
            {name: _PRESET.create_run(Shapes(), method) for name, method in _METHODS.items()}
        ),
    ),
    columns={
        **_columns("10 latents"),
        **_columns("2 latents"),
        **_columns("2 latents", "polar"),
    },
    num_seeds=3,
    num_checkpoints=1,
    standard=Profile(steps=5_000, num_seeds=3, row_groups=(_NARROW_GROUP,), num_checkpoints=1),
    quick=Profile(steps=500, num_seeds=2, row_groups=(_NARROW_GROUP,), num_checkpoints=1),
    notes=(
        "Of 5,000 codes F(x) of images per seed, with five factors: mutual information gap (MIG), "
        "disentanglement, completeness and informativeness, each about 1 for codes that are the "
        "factors, and about 0 for random ones. Polar: of the radius and the angle of the two "
        "latents, which can be two factors of five at most.",
        "In the quick and the standard profile, networks have a width of 16.",
    ),
)
