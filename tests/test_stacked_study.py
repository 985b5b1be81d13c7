"""The table of stacked images and the figures of digits: what they train, and what they show."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from iidgan.cli import main
from iidgan.config.run import Run
from iidgan.core import Dataset, Regularised, Samples
from iidgan.data import Mnist5k, Ring, StackedMnist
from iidgan.engine.loop import Stop
from iidgan.errors import InputError
from iidgan.evaluation import sampling as draw_module
from iidgan.evaluation.classifier.store import Judge
from iidgan.evaluation.evaluate import Stand, to_arrays
from iidgan.evaluation.sampling import draw
from iidgan.figures.comparison import images, latent_planes, training
from iidgan.functional import histogram
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN, MLP, MnistNet
from iidgan.records import Row, append
from iidgan.report import Mosaic, mosaics
from iidgan.studies import train_missing as fill
from iidgan.studies.figure_spec import Picture
from iidgan.studies.papers import PICTURES, STUDIES
from iidgan.studies.papers.stacked import ROWS, STACKED, kl_heading
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import Place
from iidgan.terms import CycleConsistency, GaussianConsistency
from iidgan.train import train
from iidgan.training.context import Game

KL = kl_heading("MNIST")
NAMES = ("mnist-training", "mnist-latent", "stacked-samples")


class TestTable:
    def test_has_the_rows_of_both_papers_and_r3gan(self):
        assert list(ROWS) == [
            "GAN (minimax)",
            *("DCGAN", "LSGAN", "VEEGAN", "Unrolled GAN", "PacGAN", "MRGAN"),
            *("IID-GAN (1-D)", "IID-GAN (M-D)", "IVGAN", "R3GAN loss"),
        ]
        assert STUDIES["stacked"]([]).names == list(ROWS)

    def test_has_the_setting_that_the_papers_give(self):
        runs = [run for _, run in STACKED.runs.values()]
        assert len(runs) == 2 * len(ROWS)
        for run in runs:
            assert (run.batch, run.arch.latent, run.arch.width) == (256, 100, 64)
            assert run.steps * run.batch == 50 * run.source.size
            assert run.source.pixels == 32
        assert {row: run.method for row, run in STACKED.blocks[0].rows.items()} == ROWS
        for row in ("IID-GAN (1-D)", "IID-GAN (M-D)"):
            assert [term.weight for term in ROWS[row].terms] == [3.0, 3.0]
            assert ROWS[row].terms[0].norm == "l1"

    def test_differs_in_the_method_alone_but_for_the_critic_of_r3gan(self):
        (block,) = STACKED.blocks
        norms = {row: run.arch.norm for row, run in block.rows.items()}
        assert {row for row, norm in norms.items() if norm == "none"} == {"R3GAN loss"}
        same = {
            replace(run, method=GAN(), arch=replace(run.arch, norm="batch"))
            for run in block.rows.values()
        }
        assert len(same) == 1

    def test_prints_what_the_papers_measured_beside_ours(self):
        cells = {(c.row, c.column): c.published for c in tabulate(STACKED, []).cells}
        assert cells["IID-GAN (M-D)", "MNIST modes"] == (999.7, None)
        assert cells["IID-GAN (M-D)", KL] == (0.101, None)
        assert cells["IID-GAN (1-D)", KL] == (0.152, None)
        for (row, column), value in cells.items():
            if column.startswith("Fashion") or "FID" in column or "training" in column:
                assert value is None, (row, column)
            if column == KL and value is not None:
                assert value[0] < math.log(1000), "more than any histogram of 1,000 modes can have"

    def test_says_the_floor_of_its_samples(self):
        floor = f"{histogram.kl_floor(1000, 26_000):.4f}"
        columns = [name for name in STACKED.columns if f"KL (floor {floor})" in name]
        assert columns == [KL, kl_heading("Fashion")]

    def test_reads_values_that_the_metrics_give(self):
        names = {column.metric for column in STACKED.columns.values()}
        assert names == {"stacked_modes", "stacked_kl", "stacked_kl_train", "classifier_fid"}


class TestQuickProfile:
    made = STACKED.shortened()

    def test_has_rows_of_its_own_which_are_rows_of_the_table(self):
        assert set(self.made.names) < set(ROWS)
        assert {"DCGAN", "IID-GAN (M-D)"} <= set(self.made.names)
        for name in self.made.names:
            assert self.made.blocks[0].rows[name].method == ROWS[name]
        assert not set(self.made.runs) & set(STACKED.runs)

    def test_has_three_seeds_and_narrow_nets_and_data_that_are_at_hand(self):
        assert self.made.seeds >= 3
        for _, run in self.made.runs.values():
            assert run.arch.width <= 16
            assert run.steps == STACKED.quick.steps
            assert getattr(run.source, "base", "") in ("", "mnist-5k")

    def test_has_the_columns_of_the_table(self):
        assert self.made.columns == STACKED.columns
        table = tabulate(self.made, [])
        assert {c.row for c in table.cells} == set(self.made.names)

    def test_without_rows_of_its_own_a_table_keeps_them(self):
        made = STUDIES["synthetic"]([])
        assert made.shortened().names == made.names
        assert made.shortened().checkpoints == made.checkpoints


RUN = Run(
    source=StackedMnist(base="mnist-5k", size=600, pixels=28),
    method=GAN(),
    arch=DCGAN(width=2, latent=3),
    steps=2,
    batch=4,
)
PLANE = replace(RUN, source=Mnist5k(), method=iid_gan(), arch=MnistNet(width=2))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = tmp_path_factory.mktemp("place")
    return Place(results=made / "results", runs=made / "runs", workers=1)


@pytest.fixture(scope="module", autouse=True)
def _few_samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StackedMnist, "num_evaluated", 60)
        patch.setattr(Mnist5k, "num_evaluated", 60)
        yield


def trained(place, run, **options):
    picture = Picture(title="t", runs={"ours": run}, draw=images, seeds=1, **options)
    for each in picture.missing(place):
        train(
            each.run,
            out=place.folder(each.run, each.seeds).path,
            checkpoint_every=1,
            executor="eager",
        )
    return picture.folders(place)


def test_a_figure_of_samples_has_the_real_ones_first(place):
    figure = images(trained(place, RUN), side=3)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["real", "ours"]
    for axis in figure.axes:
        (sheet,) = axis.get_images()
        assert sheet.get_array().shape == (3 * 30 + 2, 3 * 30 + 2, 3)


def test_a_figure_of_the_latent_plane_shows_coordinates_and_angles(place):
    figure = latent_planes(trained(place, PLANE), side=5)
    flat, polar = figure.axes
    assert (flat.get_title(), polar.get_title()) == ("ours, Cartesian", "ours, polar")
    assert [tick.get_text() for tick in flat.get_xticklabels()] == ["-2", "-1", "0", "1", "2"]
    assert [tick.get_text() for tick in flat.get_yticklabels()] == ["2", "1", "0", "-1", "-2"]
    angles = [tick.get_text() for tick in polar.get_yticklabels()]
    assert angles == ["0", "90", "180", "270", "360"]
    sheets = [np.asarray(axis.get_images()[0].get_array()) for axis in figure.axes]
    middle = sheets[0][2 + 2 * 30 : 2 + 2 * 30 + 28, 2 + 2 * 30 : 2 + 2 * 30 + 28]
    for row in range(5):  # radius 0 is the same place at every angle
        tile = sheets[1][2 + row * 30 : 2 + row * 30 + 28, 2:30]
        assert np.abs(tile.astype(int) - middle).max() <= 1
    top, bottom = sheets[1][2:30], sheets[1][2 + 4 * 30 : 2 + 4 * 30 + 28]
    assert np.abs(top.astype(int) - bottom).max() <= 1  # 360 degrees are 0


def test_a_figure_of_training_names_its_metrics(place):
    folders = trained(place, PLANE)
    rows = [
        Row(
            run=PLANE.id,
            seed=0,
            step=step,
            metric="digits_kl",
            value=value,
            diverged=-1,
            protocol={},
            provenance={},
        )
        for step, value in ((1, 2.0), (2, 0.5))
    ]
    append(folders["ours"].metrics, rows)
    metrics = ("digits_kl", "digits_bad")
    names = {"digits_kl": "KL(generated | real)"}
    figure = training(folders, metrics=metrics, names=names)
    (axis,) = figure.axes
    assert axis.get_ylabel() == "KL(generated | real)"
    np.testing.assert_array_equal(axis.get_lines()[0].get_ydata(), [2.0, 0.5])


def test_of_images_a_run_keeps_fewer_than_of_points():
    """And as many latents of either."""
    assert draw_module.KEPT == 500
    for source, arch, kept in ((Mnist5k(), MnistNet(width=2), 500), (Ring(size=50), MLP(), 600)):
        run = replace(PLANE, source=source, arch=arch)
        data = source.load()
        nets = Game.of(run, (0,), data, torch.device("cpu")).state.nets.eval()
        stand = Stand(run, (0,), 2, (-1,))
        arrays = to_arrays(draw(nets, data, stand, Judge(), 600), stand)
        assert (len(arrays["generated"][0]), len(arrays["z"][0])) == (kept, 600)
    points = Samples(torch.zeros(1, 6000, 2), torch.zeros(6000, 2))
    assert len(to_arrays(points, stand)["generated"][0]) == 5000


@pytest.mark.parametrize("name", NAMES)
def test_figures_have_a_quick_profile_of_other_runs(name):
    picture = PICTURES[name]
    quick = picture.quick
    assert quick.runs.keys() <= picture.runs.keys()
    assert not {r.id for r in quick.runs.values()} & {r.id for r in picture.runs.values()}
    assert quick.title == picture.title
    for run in (*picture.runs.values(), *quick.runs.values()):
        assert run.arch.latent == 2 or name == "stacked-samples"


def test_figures_share_the_runs_of_tables_and_of_each_other():
    latent, trained_ones = PICTURES["mnist-latent"], PICTURES["mnist-training"]
    for one, other in ((latent, trained_ones), (latent.quick, trained_ones.quick)):
        assert set(one.runs.items()) <= set(other.runs.items())
        assert one.seeds == other.seeds
    for picture, study in (
        (PICTURES["stacked-samples"], STACKED),
        (PICTURES["stacked-samples"].quick, STACKED.shortened()),
    ):
        assert {run.id for run in picture.runs.values()} <= set(study.runs)
        assert (picture.seeds, picture.checkpoints) == (study.seeds, study.checkpoints)


def test_digits_have_the_weights_of_the_paper():
    for name in ("IID-GAN (1-D)", "IID-GAN (M-D)"):
        method = PICTURES["mnist-training"].runs[name].method
        assert isinstance(method, Regularised)
        cycle, gaussian = method.terms
        assert isinstance(cycle, CycleConsistency)
        assert isinstance(gaussian, GaussianConsistency)
        assert (cycle.weight, gaussian.weight) == (0.5, 0.1)


def test_the_figures_of_a_run_have_no_profile(capsys, tmp_path):
    (tmp_path / "run").mkdir()
    assert main(["figure", str(tmp_path / "run"), "--quick"]) == 2
    assert "quick: only published figures have it" in capsys.readouterr().err


@pytest.mark.parametrize(("steps", "checkpoints", "every"), [(7, 2, 4), (7, 1, 7), (2, 12, 1)])
def test_runs_are_measured_as_often_as_they_are_asked_to(
    place, monkeypatch, steps, checkpoints, every
):
    jobs = []
    monkeypatch.setattr(fill, "train_all", lambda given, **options: jobs.extend(given) or ["ok"])
    run = Run(source=Ring(size=100), steps=steps, batch=4)
    trainings = [fill.Training("a", run, (0,))]
    fill.train_runs(trainings, place, news=lambda *_: None, stop=Stop(), checkpoints=checkpoints)
    assert [job.checkpoint_every for job in jobs] == [every]


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_not_trained_without_what_measures_its_runs(
    name, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "nothing"))
    folders = ["--results", str(tmp_path / "rows"), "--runs", str(tmp_path / "runs")]
    assert main(["figure", name, "--quick", *folders]) == 2
    assert "`iidgan prepare mnist-5k-classifier` makes it" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


class TestMosaic:
    noise = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 4, 4), np.uint8)

    def test_lays_images_out_row_by_row(self):
        figure = mosaics([Mosaic(label="a", images=self.noise)])
        (axis,) = figure.axes
        sheet = np.asarray(axis.get_images()[0].get_array())
        for row in range(2):
            for column in range(3):
                tile = sheet[2 + row * 6 : 6 + row * 6, 2 + column * 6 : 6 + column * 6]
                np.testing.assert_array_equal(tile.transpose(2, 0, 1), self.noise[row, column])
        assert not axis.get_xticks().size
        assert not axis.get_yticks().size

    def test_axes_say_where_images_are(self):
        item = Mosaic(
            label="a", images=self.noise, x="x", y="y", at_x=(0.0, 0.5, 1.0), at_y=(1.0, 0.0)
        )
        (axis,) = mosaics([item]).axes
        assert (axis.get_xlabel(), axis.get_ylabel()) == ("x", "y")
        labels = [tick.get_text() for tick in axis.get_xticklabels()]
        assert list(zip(axis.get_xticks(), labels)) == [(0, "0"), (1, "0.5"), (2, "1")]
        assert [tick.get_text() for tick in axis.get_yticklabels()] == ["1", "0"]

    def test_shapes_have_to_fit(self):
        with pytest.raises(InputError, match=r"images: shape \(3, 3, 4, 4\) does not fit"):
            Mosaic(label="a", images=self.noise[0])
        with pytest.raises(InputError, match="at_x: 2 values do not fit 3 images"):
            Mosaic(label="a", images=self.noise, at_x=(1.0, 2.0))
        with pytest.raises(InputError, match="none given"):
            mosaics([])


def test_a_data_set_without_a_view_is_what_is_stored():
    x = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    data = Dataset(torch.from_numpy(x))
    assert (len(data), data.shape) == (4, (3,))
    assert torch.equal(data.take(torch.tensor([2, 0])), data.x[[2, 0]])
