"""`iidgan figure`: published figures and those of a run."""

import json
from dataclasses import replace

import pytest

from iidgan.cli import figure as figure_module
from iidgan.cli import main
from iidgan.figures.comparison import plot_latents
from iidgan.records import read_records
from iidgan.studies import papers
from iidgan.studies.figure_spec import FigureSpec
from iidgan.studies.papers import FIGURES, TABLES
from iidgan.studies.papers.images.figures import IMAGE_FIGURES
from iidgan.utils.files import PARTIAL_PREFIX
from tests.helpers.figures import SMALL_RUN, SMALL_RUNS
from tests.helpers.score_tables import make_score_figure

DIGIT_NAMES = ("mnist-training", "mnist-codes", "mnist-latent", "stacked-samples")


@pytest.mark.slow
def test_figure_trains_once_and_draws(tmp_path, monkeypatch, capsys):
    figure = FigureSpec(title="Two methods", runs=SMALL_RUNS, draw=plot_latents, num_seeds=1)
    monkeypatch.setitem(FIGURES, "small", figure)
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "small", "--no-train"]) == 2
    error = capsys.readouterr().err
    assert "train: " in error
    assert "GAN, IID-GAN" in error
    assert main(["figure", "small", "--out", "first"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "first/small.png\n"
    assert captured.err.endswith("Two methods\n")
    image_bytes = (tmp_path / "first" / "small.png").read_bytes()
    assert main(["figure", "small", "--no-train", "--out", "second"]) == 0
    assert (tmp_path / "second" / "small.png").read_bytes() == image_bytes
    assert figure_module.FIGURES is papers.FIGURES


@pytest.mark.slow
def test_figure_names_missing_runs(tmp_path, monkeypatch, capsys):
    quick = FigureSpec(
        title="Two methods", runs={"GAN": SMALL_RUN}, draw=plot_latents, num_seeds=1
    )
    monkeypatch.setitem(FIGURES, "small", replace(quick, runs=SMALL_RUNS, quick=quick))
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "small", "--quick", "--seeds", "2"]) == 0
    run_names = [path.name for path in (tmp_path / "runs" / "tables").iterdir()]
    assert run_names == [f"{SMALL_RUN.id}-2-seeds"]
    capsys.readouterr()
    assert main(["figure", "small", "--no-train", "--seeds", "2"]) == 0
    assert capsys.readouterr().err.endswith(": IID-GAN\n")


@pytest.mark.parametrize("command", ["figure", "evaluate"])
def test_command_removes_partial_figures(trained_run, command):
    (trained_run / f"{PARTIAL_PREFIX}losses-abc.png").touch()
    other_folder = trained_run.parent / f"{PARTIAL_PREFIX}mine"
    other_folder.mkdir()
    assert main([command, str(trained_run)]) == 0
    assert not list(trained_run.glob(f"{PARTIAL_PREFIX}*"))
    assert other_folder.exists()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["square", "--seed", "1"], "seed"),
        (["qq", "--seeds", "0"], "seeds"),
        (["runs/none", "--seeds", "2"], "seeds"),
        (["runs/none", "--features", "pixels"], "features"),
        (["qq", "--features", "pixels"], "features"),
    ],
)
def test_figure_refuses_options(options, field, capsys):
    assert main(["figure", *options]) == 2
    assert capsys.readouterr().err.startswith(f"iidgan: {field}: ")


def test_figure_quick_needs_published_figure(capsys, tmp_path):
    (tmp_path / "run").mkdir()
    assert main(["figure", str(tmp_path / "run"), "--quick"]) == 2
    assert capsys.readouterr().err.startswith("iidgan: quick: ")


@pytest.mark.slow
def test_figure_without_runs(tmp_path):
    assert main(["figure", "square", "--no-train", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "square.png").stat().st_size > 10_000


def test_figure_unknown_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "sqare"]) == 2
    assert "figure: unknown 'sqare'; did you mean 'square'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", DIGIT_NAMES)
def test_figure_needs_classifier(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr("iidgan.evaluation.classifier.store.PRETRAINED_DIR", tmp_path / "none")
    folders = ["--results", str(tmp_path / "rows"), "--runs", str(tmp_path / "runs")]
    assert main(["figure", name, "--quick", *folders]) == 2
    assert "`iidgan prepare mnist-5k-classifier`" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", IMAGE_FIGURES)
def test_figure_lists_what_is_missing(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)
    assert main(["figure", name]) == 2
    captured = capsys.readouterr()
    first, *lines = captured.err.splitlines()
    assert first == f"iidgan: figure: {name} cannot be trained yet; it lacks:"
    sources = {run.source.name for run in IMAGE_FIGURES[name].runs.values()}
    assert {line.split()[1].rstrip(":") for line in lines} == sources
    assert len(lines) == len(sources)
    assert all(f"run `iidgan prepare {source} --from PATH`" in captured.err for source in sources)
    assert captured.out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_figure_and_table_share_trainings_and_scores(tiles, monkeypatch, capsys):
    monkeypatch.chdir(tiles)
    figure = make_score_figure()
    monkeypatch.setitem(FIGURES, "tiles", replace(figure, quick=figure))
    monkeypatch.setitem(TABLES, "ring", lambda records: figure.table)
    options = ["--features", "pixels", "--device", "cpu", "--executor", "eager"]
    command = ["figure", "tiles", *options]
    assert main([*command, "--no-train"]) == 2
    assert "not measured yet" in capsys.readouterr().err
    assert main([*command, "--seeds", "1", "--out", "first"]) == 0
    captured = capsys.readouterr()
    assert "measuring scores on features of 1 seed" in captured.err
    assert captured.err.endswith("\ntiles\n")
    (records_file,) = tiles.glob("results/*.jsonl")
    assert records_file.name == "tiles.jsonl"
    fids = [record for record in read_records(records_file) if record.metric == "fd_pixels"]
    assert [(record.seed, record.step) for record in fids] == [(0, 1), (0, 2)]
    assert main([*command, "--no-train", "--out", "second"]) == 0
    assert capsys.readouterr().err.endswith("not measured for all seeds and checkpoints: GAN\n")

    assert main(["table", "ring", *options, "--format", "json"]) == 0  # trains the other seed
    (cell,) = json.loads(capsys.readouterr().out)
    assert (cell["n"], cell["status"]) == (2, "done")
    records = records_file.read_bytes()
    assert main([*command, "--out", "third"]) == 0
    assert not {"training", "measuring"} & {*capsys.readouterr().err.split()}
    assert records_file.read_bytes() == records
    images = {(tiles / out / "tiles.png").read_bytes() for out in ("first", "second", "third")}
    assert len(images) == 2  # of one seed, and of both
