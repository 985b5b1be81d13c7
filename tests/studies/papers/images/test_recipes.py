"""Laws of the tables of images, and the printed values of each paper."""

import pytest

from iidgan.config.presets import PRESETS
from iidgan.data import Prepared
from iidgan.data.prepare import DATASETS
from iidgan.methods import GAN
from iidgan.studies.columns import ScoreColumn
from iidgan.studies.papers import RECIPES
from iidgan.studies.tabulate import tabulate

SETTINGS = {
    "ijcai-table-4": {"CIFAR-10": "ijcai-cifar10", "STL-10": "ijcai-stl10"},
    "ijcai-table-5": {"CelebA": "ijcai-celeba", "LSUN": "ijcai-lsun-church"},
    "arxiv-table-2": dict.fromkeys(("CIFAR-10", "CIFAR-100"), "arxiv-cifar"),
    "arxiv-table-4": {"STL-10": "arxiv-stl10"},
    "invertgan-table-2": dict.fromkeys(("CIFAR-10", "CIFAR-100", "STL-10"), "invertgan"),
    "ivgan-table-1": dict.fromkeys(("MNIST", "CIFAR-10", "STL-10", "LSUN church"), "ivgan"),
    "ivgan-table-2": {"MNIST": "ivgan"},
    "ivgan-table-3": {"CIFAR-10": "ivgan"},
}
"""The preset of each data set; Table 5 of the first version has other networks."""


@pytest.mark.parametrize("name", SETTINGS)
def test_recipes_have_settings_of_presets(name):
    (group,) = RECIPES[name].row_groups
    plain_name = next(row for row in group.rows if row in ("GAN", "DCGAN", "LSGAN"))
    plain_method = GAN(loss="pearson") if plain_name == "LSGAN" else "gan"
    assert SETTINGS[name].keys() == group.datasets.keys()
    for dataset_name, preset_name in SETTINGS[name].items():
        preset, source = PRESETS[preset_name], group.datasets[dataset_name]
        expected_run = preset.create_run(source, plain_method)
        assert group.get_run(plain_name, dataset_name) == expected_run
        if isinstance(source, Prepared):
            assert source.expected_size == preset.side


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_read_sets_of_the_catalog(name):
    for source in RECIPES[name].row_groups[0].datasets.values():
        if isinstance(source, Prepared):
            size = DATASETS[source.name].resize_rule.size
            assert size in (None, source.expected_size)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_train_with_and_without_the_term(name):
    (group,) = RECIPES[name].row_groups
    methods = [run.method for run in group.rows.values()]
    pairs = [
        (plain, method)
        for plain in methods
        for method in methods
        if plain != method and plain.base_and_terms[0] == method.base_and_terms[0]
    ]
    assert pairs
    settings = {(run.optimiser, run.batch, run.steps, run.ema) for run in group.rows.values()}
    assert len(settings) == 1


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_profiles_are_separate_and_narrow(name):
    full = RECIPES[name]
    quick, standard = full.with_quick_profile(), full.with_standard_profile()
    assert not full.runs.keys() & quick.runs.keys()
    assert not full.runs.keys() & standard.runs.keys()
    assert not quick.runs.keys() & standard.runs.keys()
    assert quick.row_names == standard.row_names == full.row_names
    for profile, width, steps in ((quick, 8, 200), (standard, 32, 5_000)):
        for _, run in profile.runs.values():
            assert (run.arch.width, run.steps) == (width, steps)
        scores = [c for c in profile.columns.values() if isinstance(c, ScoreColumn)]
        assert all(column.num_samples <= 5_000 for column in scores)


def test_iv_gan_shows_minimum_of_every_tenth_epoch_over_five_seeds():
    table = RECIPES["ivgan-table-1"]
    assert table.num_seeds == 5
    assert all(column.over_training for column in table.columns.values())
    _, run = next(iter(table.runs.values()))
    (column, *_) = table.columns.values()
    epochs = [step * run.batch / 50_000 for step in column.list_steps(run.steps, 12)]
    assert epochs[0] == pytest.approx(10.67, abs=0.01)
    assert epochs[-1] == 128
    quick = table.with_quick_profile()
    assert len(column.list_steps(200, quick.num_checkpoints)) == 4


@pytest.mark.parametrize(
    ("name", "row", "column", "printed"),
    [
        ("ijcai-table-4", "IID-GAN", "CIFAR-10 JSD x 100", (2.95, 0.22)),
        ("ijcai-table-4", "IID-GAN", "STL-10 FID", (36.16, 0.51)),
        ("ijcai-table-4", "MAD-GAN", "STL-10 JSD x 100", (9.15, 0.43)),
        ("ijcai-table-4", "BuresGAN", "CIFAR-10 IS", (7.22, 0.01)),
        ("ijcai-table-5", "IID-GAN", "CelebA FID", (18.715, 0.13)),
        ("ijcai-table-5", "MGGAN", "LSUN JSD x 100", (7.464, 0.805)),
        ("arxiv-table-2", "IID-GAN (1-D)", "CIFAR-10 FID", (65.4, None)),
        ("arxiv-table-2", "GDPP", "CIFAR-100 IS", (4.87, None)),
        ("arxiv-table-4", "IID-GAN (M-D)", "STL-10 MS", (5.12, None)),
        ("arxiv-table-5", "IID-GAN (SNGAN)", "CIFAR-10 JSD", (0.0219, None)),
        ("invertgan-table-2", "InvertGAN", "CIFAR-100 FID", (74.26, None)),
        ("invertgan-table-2", "GAN", "STL-10 MS", (2.29, None)),
        ("ivgan-table-1", "IVLSGAN", "LSUN church FID, minimum over training", (18.99, None)),
        ("ivgan-table-2", "IVDCGAN", "MNIST modes", (1000.0, None)),
        (
            "ivgan-table-3",
            "10 blocks, mu 0.5",
            "CIFAR-10 FID, minimum over training",
            (55.81, None),
        ),
    ],
)
def test_recipes_print_published_values(name, row, column, printed):
    cells = {(cell.row, cell.column): cell for cell in tabulate(RECIPES[name], []).cells}
    assert cells[row, column].published == printed


def test_recipes_name_features_beside_published_values():
    table = RECIPES["ijcai-table-4"].with_features("efficientnet-lite0")
    (cell,) = (
        cell
        for cell in tabulate(table, []).cells
        if (cell.row, cell.column[:11]) == ("IID-GAN", "CIFAR-10 FD")
    )
    assert cell.column == "CIFAR-10 FD, efficientnet-lite0 (paper: inception)"
    assert cell.published == (25.71, 0.28)


def test_ablation_changes_one_number():
    rows = RECIPES["ivgan-table-3"].row_groups[0].rows
    values = {
        name: (run.method.terms[0].blocks, run.method.terms[0].classify)
        for name, run in rows.items()
        if name != "LSGAN"
    }
    assert values == {
        **{f"{blocks} blocks, mu 0.5": (blocks, 0.5) for blocks in (2, 4, 10, 20)},
        **{f"4 blocks, mu {mu:g}": (4, mu) for mu in (0, 0.1, 0.25, 1)},
    }
