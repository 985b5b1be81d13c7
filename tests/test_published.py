"""Published figures and the tuning, as a user meets them; and a poor start."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from iidgan.cli import figure as figure_module
from iidgan.cli import main
from iidgan.cli import sweep as sweep_module
from iidgan.config.run import Run
from iidgan.core import Arch
from iidgan.data import Ring
from iidgan.engine.loop import Stop
from iidgan.engine.state import build
from iidgan.errors import InputError
from iidgan.figures.comparison import latents, quantiles, stages, training
from iidgan.figures.run import load_arrays
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN, MLP, Shrunk
from iidgan.records import append, failure, read_all
from iidgan.report import t_interval
from iidgan.studies import papers
from iidgan.studies.figure_spec import Picture
from iidgan.studies.papers import PICTURES, SWEEP
from iidgan.studies.table_spec import SEEDS
from iidgan.studies.train_missing import Place, Training, train_runs
from iidgan.studies.tuning import Sweep
from iidgan.testing import check_method
from iidgan.training.replay import arrays_at

RUN = Run(source=Ring(size=400), arch=MLP(hidden=(8,)), steps=12, batch=16)
RUNS = {"GAN": RUN, "IID-GAN": replace(RUN, method=iid_gan())}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = Place(
        results=tmp_path_factory.mktemp("results"),
        runs=tmp_path_factory.mktemp("runs"),
        workers=2,
    )
    picture = Picture(title="t", runs=RUNS, draw=latents, seeds=2)
    endings = train_runs(picture.missing(place), place, news=lambda *_: None, stop=Stop(), keep=12)
    assert {ending for _, ending in endings} == {"finished"}
    assert picture.missing(place) == []
    return picture.folders(place)


def test_a_look_back_at_the_last_step_finds_what_is_stored(folders):
    folder = folders["IID-GAN"]
    stored, again = load_arrays(folder), arrays_at(folder, 12)
    assert stored.keys() == again.keys()
    for name in stored:
        np.testing.assert_array_equal(stored[name], again[name], err_msg=name)


def test_a_look_back_at_an_earlier_step_finds_other_samples(folders):
    early, late = (arrays_at(folders["GAN"], step) for step in (3, 12))
    np.testing.assert_array_equal(early["z"], late["z"])
    assert not np.array_equal(early["generated"], late["generated"])
    with pytest.raises(InputError, match="keeps no checkpoint of step 13, but step-00000001"):
        arrays_at(folders["GAN"], 13)


@pytest.mark.parametrize(
    ("draw", "titles"),
    [
        (latents, 8),
        (partial(stages, shares=(0.25, 1.0)), 4),
        (partial(training, metrics=("quality",)), 1),
    ],
    ids=["latents", "stages", "training"],
)
def test_figures_have_a_panel_for_all_that_they_compare(folders, draw, titles):
    assert len(draw(folders).axes) >= titles


def test_stages_say_which_step_they_show(folders):
    titles = [axis.get_title() for axis in stages(folders, shares=(0.25, 1.0)).axes]
    assert ["GAN, step 3" in t or "GAN, step 12" in t for t in titles] == [True] * 4


def test_quantiles_are_of_runs_with_an_inverse(folders):
    assert quantiles({"IID-GAN": folders["IID-GAN"]}).axes


def test_a_published_figure_is_trained_once_and_drawn(tmp_path, monkeypatch, capsys):
    picture = Picture(title="Two methods", runs=RUNS, draw=latents, seeds=1)
    monkeypatch.setitem(PICTURES, "small", picture)
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "small", "--no-train"]) == 2
    assert "train: none of the runs is there: GAN, IID-GAN" in capsys.readouterr().err
    assert main(["figure", "small", "--out", "here"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "here/small.png\n"
    assert captured.err.endswith("Two methods\n")
    picture_bytes = (tmp_path / "here" / "small.png").read_bytes()
    assert main(["figure", "small", "--no-train", "--out", "there"]) == 0
    assert (tmp_path / "there" / "small.png").read_bytes() == picture_bytes
    assert figure_module.PICTURES is papers.PICTURES


def test_a_published_figure_shows_what_there_is_and_says_what_is_not(
    tmp_path, monkeypatch, capsys
):
    quick = Picture(title="Two methods", runs={"GAN": RUN}, draw=latents, seeds=1)
    monkeypatch.setitem(PICTURES, "small", replace(quick, runs=RUNS, quick=quick))
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "small", "--quick", "--seeds", "2"]) == 0
    assert [path.name for path in (tmp_path / "runs" / "tables").iterdir()] == [
        f"{RUN.id}-2-seeds"
    ]
    capsys.readouterr()
    assert main(["figure", "small", "--no-train", "--seeds", "2"]) == 0
    assert "not in it, for lack of a finished training: IID-GAN\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["square", "--seed", "1"], "seed: published figures show the first one, or all"),
        (["qq", "--seeds", "0"], "seeds: 0 is too small; at least 1"),
        (["runs/none", "--seeds", "2"], "seeds: only published figures have it"),
    ],
)
def test_options_that_a_figure_does_not_have_are_refused(options, message, capsys):
    assert main(["figure", *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_whatever_a_figure_trains_has_a_quick_profile(name):
    picture = PICTURES[name]
    quick = picture.quick
    assert quick is not None
    assert sum(run.steps for run in quick.runs.values()) <= sum(
        run.steps for run in picture.runs.values()
    )
    for run in quick.runs.values():
        assert quick.keep < quick.checkpoints or run.steps % quick.checkpoints == 0


def test_a_figure_shows_the_trainings_of_the_tables_where_they_are(tmp_path):
    place = Place(results=tmp_path / "results", runs=tmp_path / "runs", workers=1)
    picture = Picture(title="t", runs={"GAN": RUN}, draw=latents, seeds=1)
    assert picture.folders(place) == {}
    seeds = tuple(range(SEEDS))
    train_runs([Training("GAN", RUN, seeds)], place, news=lambda *_: None, stop=Stop())
    assert picture.missing(place) == []
    assert picture.folders(place)["GAN"] == place.folder(RUN, seeds)


def test_a_figure_without_trainings_is_drawn_at_once(tmp_path):
    assert main(["figure", "square", "--no-train", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "square.png").stat().st_size > 10_000


def test_an_unknown_figure_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "sqare"]) == 2
    assert "figure: unknown 'sqare'; did you mean 'square'?" in capsys.readouterr().err


def test_a_sweep_trains_what_is_named_and_prints_scores(tmp_path, monkeypatch, capsys):
    small = Sweep(
        rows={"a": RUN, "b": RUNS["IID-GAN"]}, data={"Ring": RUN.source}, modes={"Ring": 8}
    )
    monkeypatch.setattr(sweep_module, "SWEEP", small)
    monkeypatch.setattr("iidgan.studies.tuning.STEPS", 2)
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "c"]) == 2
    assert "rows: unknown 'c'" in capsys.readouterr().err
    assert main(["sweep", "a", "--format", "json"]) == 0
    cells = json.loads(capsys.readouterr().out)
    assert {(c["row"].partition(" ")[0], c["status"]) for c in cells} == {
        ("a", "done"),
        ("b", "missing"),
    }
    assert {c["n"] for c in cells if c["status"] == "done"} == {2}
    stamp = (tmp_path / "results" / "sweep.jsonl").stat().st_mtime_ns
    assert main(["sweep", "a", "--format", "md"]) == 0
    assert (tmp_path / "results" / "sweep.jsonl").stat().st_mtime_ns == stamp


def test_table_names_the_rows_that_there_are(capsys):
    assert main(["table", "synthetic", "--rows", "BIGAN", "--no-train"]) == 2
    assert "rows: unknown 'BIGAN'; did you mean 'BiGAN'?" in capsys.readouterr().err
    assert main(["table", "synthetic", "--data", "Rings", "--no-train"]) == 2
    assert "data: unknown 'Rings'; did you mean 'Ring'?" in capsys.readouterr().err


def test_lists_name_tables_and_figures(capsys):
    assert main(["list", "figures"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in PICTURES)
    assert main(["list", "tables"]) == 0
    assert "plug-in" in capsys.readouterr().out


def test_the_sweep_is_of_rows_of_the_table():
    assert {"GAN", "VEEGAN", "IID-GAN (M-D)", "MSGAN", "R3GAN"} <= set(SWEEP.rows)


class TestShrunk:
    def test_keeps_the_laws(self):
        arch = Arch(Shrunk(backbone=MLP(hidden=(16, 16))), (2,))
        check_method(iid_gan(), arch)

    @pytest.mark.parametrize(
        ("backbone", "shape"), [(MLP(hidden=(8,)), (2,)), (DCGAN(width=2), (1, 8, 8))]
    )
    def test_is_the_other_backbone_but_for_the_size_of_the_last_layer(self, backbone, shape):
        whole = build(GAN(), Arch(backbone, shape), [3]).state_dict()
        shrunk = build(GAN(), Arch(Shrunk(backbone=backbone, gain=0.1), shape), [3]).state_dict()
        for name, value in whole.items():
            factor = 0.1 if name.startswith("G.head") else 1.0
            torch.testing.assert_close(shrunk[name], factor * value)

    @pytest.mark.parametrize("gain", [0.0, 1.0, float("nan")])
    def test_refuses_what_does_not_shrink(self, gain):
        with pytest.raises(InputError, match=r"gain: .* does not shrink; between 0 and 1"):
            Shrunk(gain=gain)


def test_students_interval_of_known_values():
    # t(0.975; 4) = 2.7764451 (Student's table); the values have mean 3 and variance 2.5.
    low, high = t_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    reach = 2.7764451 * (2.5 / 5) ** 0.5
    assert (low, high) == (pytest.approx(3 - reach), pytest.approx(3 + reach))
    with pytest.raises(InputError, match="1 value has no interval; at least 2"):
        t_interval([1.0])


@pytest.mark.parametrize("name", [*papers.STUDIES, "sweep"])
def test_the_documents_say_what_the_rows_say(name, capsys, monkeypatch):
    root = Path(__file__).parent.parent
    monkeypatch.chdir(root)
    command = ["sweep"] if name == "sweep" else ["table", name]
    command += ["--quick"] if name == "stacked" else []  # the other profile is for an accelerator
    assert main([*command, "--no-train", "--format", "md"]) == 0
    assert capsys.readouterr().out == (root / "docs" / "results" / f"{name}.md").read_text()


def test_a_table_whose_rows_are_there_needs_no_trainings(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(Path(__file__).parent.parent)
    assert main(["table", "ring", "--runs", str(tmp_path), "--format", "md"]) == 0
    assert "IID-GAN" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


class TestWhy:
    """Every number of a table can be doubted."""

    @pytest.fixture(autouse=True)
    def at_the_root(self, monkeypatch):
        monkeypatch.chdir(Path(__file__).parent.parent)

    def test_knows_the_quick_profile(self, capsys):
        assert main(["why", "stacked", "DCGAN", "MNIST modes", "--quick"]) == 0
        shown = capsys.readouterr().out
        run = papers.STUDIES["stacked"]([]).shortened().blocks[0].run("DCGAN", "MNIST")
        assert f"run {run.id}: " in shown
        assert 'iidgan table stacked --quick --rows "DCGAN"' in shown

    def test_prints_values_protocol_and_command(self, capsys):
        assert main(["why", "ring", "GAN", "Ring quality %"]) == 0
        shown = capsys.readouterr().out
        run = papers.STUDIES["ring"]([]).blocks[0].run("GAN", "Ring")
        values = {
            r.seed: r.value
            for r in read_all(Path("results"))
            if (r.run, r.metric, r.step) == (run.id, "quality", run.steps)
        }
        assert len(values) == 5
        assert all(f"seed {seed}: {value:g}, " in shown for seed, value in values.items())
        assert f"run {run.id}: " in shown
        assert "num_generated 50000" in shown
        mean = sum(values.values()) / 5
        assert shown.startswith(f"{mean:.1f} ± ")
        assert "(paper 98.8 ± 0.6) | GAN | Ring quality %" in shown
        assert shown.endswith('trained by: iidgan table ring --rows "GAN" --data "Ring"\n')

    def test_tells_why_a_training_failed(self, capsys, tmp_path):
        run = papers.STUDIES["ring"]([]).blocks[0].run("GAN", "Ring")
        append(tmp_path / "ring.jsonl", [failure(run.id, 3, "failed: out of luck")])
        assert main(["why", "ring", "GAN", "Ring quality %", "--results", str(tmp_path)]) == 0
        shown = capsys.readouterr().out
        assert "seed 3: failed: out of luck" in shown
        assert shown.startswith("1 of 5 failed (4 of 5 missing) (paper ")

    def test_of_a_change_names_its_rows(self, capsys):
        assert main(["why", "plug-in", "GAN, change", "Ring quality %"]) == 0
        assert "'GAN + IID' less 'GAN'" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("rnig", "GAN", "Ring quality %"), "table: unknown 'rnig'; did you mean 'ring'?"),
            (("ring", "GNA", "Ring quality %"), "row: unknown 'GNA'; did you mean 'GAN'?"),
            (("ring", "GAN", "quality"), "column: unknown 'quality'; did you mean 'Ring quality"),
        ],
    )
    def test_names_what_is_wrong(self, capsys, arguments, message):
        assert main(["why", *arguments]) == 2
        assert message in capsys.readouterr().err
