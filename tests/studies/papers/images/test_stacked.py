"""The table of stacked images, in full and in its quick profile."""

import math
from dataclasses import replace

from iidgan.functional import histogram
from iidgan.methods import GAN
from iidgan.studies.papers import TABLES
from iidgan.studies.papers.images.stacked import STACKED, STACKED_METHODS, kl_column_title
from iidgan.studies.tabulate import tabulate

KL_TITLE = kl_column_title("MNIST")
QUICK_TABLE = STACKED.with_quick_profile()


def test_stacked_rows_of_both_papers():
    assert list(STACKED_METHODS) == [
        "GAN (minimax)",
        *("DCGAN", "LSGAN", "VEEGAN", "Unrolled GAN", "PacGAN", "MRGAN"),
        *("IID-GAN (1-D)", "IID-GAN (M-D)", "IVGAN", "R3GAN loss"),
    ]
    assert TABLES["stacked"]([]).row_names == list(STACKED_METHODS)


def test_stacked_setting_of_papers():
    runs = [run for _, run in STACKED.runs.values()]
    assert len(runs) == 2 * len(STACKED_METHODS)
    for run in runs:
        assert (run.batch, run.arch.latent, run.arch.width) == (256, 100, 64)
        assert run.steps * run.batch == 50 * run.source.size
        assert run.source.pixels == 32
    rows = STACKED.row_groups[0].rows
    assert {row_name: run.method for row_name, run in rows.items()} == STACKED_METHODS
    for row_name in ("IID-GAN (1-D)", "IID-GAN (M-D)"):
        terms = STACKED_METHODS[row_name].terms
        assert [term.weight for term in terms] == [3.0, 3.0]
        assert terms[0].norm == "l1"


def test_stacked_rows_differ_in_method():
    (group,) = STACKED.row_groups
    norms = {row_name: run.arch.norm for row_name, run in group.rows.items()}
    assert {name for name, norm in norms.items() if norm == "none"} == {"R3GAN loss"}
    settings = {
        replace(run, method=GAN(), arch=replace(run.arch, norm="batch"))
        for run in group.rows.values()
    }
    assert len(settings) == 1


def test_stacked_printed_values():
    cells = {(c.row, c.column): c.published for c in tabulate(STACKED, []).cells}
    assert cells["IID-GAN (M-D)", "MNIST modes"] == (999.7, None)
    assert cells["IID-GAN (M-D)", KL_TITLE] == (0.101, None)
    assert cells["IID-GAN (1-D)", KL_TITLE] == (0.152, None)
    for (row_name, column_title), value in cells.items():
        is_ours = "FID" in column_title or "training" in column_title
        if column_title.startswith("Fashion") or is_ours:
            assert value is None, (row_name, column_title)
        if column_title == KL_TITLE and value is not None:
            assert value[0] < math.log(1000), "no histogram of 1,000 modes has a larger KL"


def test_kl_column_title_states_floor():
    floor = f"{histogram.kl_floor(1000, 26_000):.4f}"
    titles = [title for title in STACKED.columns if f"KL (floor {floor})" in title]
    assert titles == [KL_TITLE, kl_column_title("Fashion")]


def test_stacked_metrics():
    names = {column.metric for column in STACKED.columns.values()}
    assert names == {"stacked_modes", "stacked_kl", "stacked_kl_train", "classifier_fid"}


def test_quick_profile_rows_and_runs():
    assert set(QUICK_TABLE.row_names) < set(STACKED_METHODS)
    assert {"DCGAN", "IID-GAN (M-D)"} <= set(QUICK_TABLE.row_names)
    for name in QUICK_TABLE.row_names:
        assert QUICK_TABLE.row_groups[0].rows[name].method == STACKED_METHODS[name]
    assert not set(QUICK_TABLE.runs) & set(STACKED.runs)


def test_quick_profile_is_small():
    assert QUICK_TABLE.num_seeds >= 3
    for _, run in QUICK_TABLE.runs.values():
        assert run.arch.width <= 16
        assert run.steps == STACKED.quick.steps
        assert getattr(run.source, "base", "") in ("", "mnist-5k")


def test_quick_profile_keeps_columns():
    assert QUICK_TABLE.columns == STACKED.columns
    table = tabulate(QUICK_TABLE, [])
    assert {cell.row for cell in table.cells} == set(QUICK_TABLE.row_names)
