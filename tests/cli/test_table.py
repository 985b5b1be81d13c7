"""`iidgan table`: published tables beside the values trained here."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from iidgan.cli import main
from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.nn import MLP
from iidgan.studies.papers import TABLES
from tests.helpers.cli import fail_command
from tests.helpers.score_tables import make_score_table

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_table_unknown_rows_and_data(capsys):
    assert main(["table", "synthetic", "--rows", "BIGAN", "--no-train"]) == 2
    assert "rows: unknown 'BIGAN'; did you mean 'BiGAN'?" in capsys.readouterr().err
    assert main(["table", "synthetic", "--data", "Rings", "--no-train"]) == 2
    assert "data: unknown 'Rings'; did you mean 'Ring'?" in capsys.readouterr().err


@pytest.mark.slow
def test_table_from_stored_results(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["table", "ring", "--runs", str(tmp_path), "--format", "md"]) == 0
    assert "IID-GAN" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_table_names_discussion(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["table", "ring", "--no-train"]) == 0
    assert "docs/results/ring.md" in capsys.readouterr().err


@pytest.mark.parametrize("field", ["results", "runs"])
def test_table_checks_folders_first(work_dir, capsys, field):
    (work_dir / "file").touch()
    folders = {"results": "rows", "runs": "runs"} | {field: "file/folder"}
    options = [word for name, value in folders.items() for word in (f"--{name}", value)]
    error = fail_command(capsys, "table", "ring", "--quick", *options)
    assert error.startswith(f"iidgan: {field}: ")
    assert "file/folder" in error
    assert f"--{field}" in error


@pytest.mark.slow
def test_table_trains_once_all_formats(work_dir, capsys, monkeypatch):
    spec = TABLES["ring"]([])
    rows = {
        name: Run(method=run.method, arch=MLP(hidden=(8,)), steps=6, batch=16)
        for name, run in spec.row_groups[0].rows.items()
        if name in ("GAN", "IID-GAN")
    }
    group = replace(spec.row_groups[0], rows=rows, datasets={"Ring": Ring(size=400)})
    small_spec = replace(spec, row_groups=(group,), num_seeds=2)
    monkeypatch.setitem(TABLES, "ring", lambda records: small_spec)
    assert main(["table", "ring", "--no-train", "--format", "json"]) == 0
    captured = capsys.readouterr()
    cells = json.loads(captured.out)
    assert {cell["status"] for cell in cells} == {"missing"}
    assert "no records in results: --results" in captured.err
    assert main(["table", "ring", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert "training 1 run of 6 steps, 2 seeds in all" in captured.err
    cells = json.loads(captured.out)
    quality = next(c for c in cells if (c["row"], c["column"]) == ("GAN", "Ring quality %"))
    assert quality["n"] == 2
    assert quality["published"] == [98.8, 0.6]
    assert "latent.png" in captured.err
    written_at = (work_dir / "results" / "ring.jsonl").stat().st_mtime_ns
    assert main(["table", "ring", "--format", "md"]) == 0
    captured = capsys.readouterr()
    assert "paper 98.8 ± 0.6" in captured.out
    assert "training" not in captured.err
    assert (work_dir / "results" / "ring.jsonl").stat().st_mtime_ns == written_at


@pytest.mark.parametrize(
    "command",
    [
        ["sweep", "GAN", "--no-train", "--format", "md"],
        ["why", "ring", "GAN", "Ring quality %"],
        ["table", "ring", "--no-train", "--format", "md"],
    ],
)
def test_commands_warn_without_records(work_dir, capsys, command):
    assert main([*command, "--results", "nowhere"]) == 0
    assert capsys.readouterr().err.startswith("no records in nowhere: --results")


def test_table_quick_profile_is_separate():
    spec = TABLES["ring"]([])
    quick_runs = spec.with_quick_profile().runs
    assert {run.steps for _, run in quick_runs.values()} == {spec.quick.steps}
    assert set(quick_runs) & set(spec.runs) == set()


def test_table_lists_what_is_missing(work_dir, monkeypatch, capsys):
    monkeypatch.setenv("IIDGAN_DATA", str(work_dir / "home"))
    assert main(["table", "ijcai-table-5", "--standard", "--features", "pixels"]) == 2
    captured = capsys.readouterr()
    first, *lines = captured.err.splitlines()
    assert first == "iidgan: table: ijcai-table-5 cannot be trained yet; it lacks:"
    assert [line.partition(":")[0] for line in lines] == ["  * celeba", "  * lsun-church"]
    assert "img_align_celeba.zip" in lines[0]
    assert captured.out == ""
    assert not (work_dir / "runs").exists()


def test_table_lacks_only_selected_data(work_dir, monkeypatch, capsys):
    monkeypatch.setenv("IIDGAN_DATA", str(work_dir / "home"))
    arguments = ["--data", "LSUN", "--rows", "IID-GAN", "--features", "pixels"]
    assert main(["table", "ijcai-table-5", *arguments]) == 2
    assert "celeba" not in capsys.readouterr().err


@pytest.mark.slow
def test_table_measures_scores_once(trained_tiles, monkeypatch, capsys):
    monkeypatch.setitem(TABLES, "ring", lambda records: make_score_table())
    folders = ("--results", str(trained_tiles.results_dir), "--runs", str(trained_tiles.runs_dir))
    command = ["table", "ring", "--features", "pixels", "--format", "json", *folders]
    assert main(command) == 0
    captured = capsys.readouterr()
    (cell,) = json.loads(captured.out)
    assert (cell["n"], cell["published"]) == (2, [25.0, 0.5])
    assert "measuring scores on features of 2 seeds" in captured.err
    assert "training" not in captured.err
    assert main(command) == 0
    assert "measuring" not in capsys.readouterr().err
    why = ["why", "ring", "GAN", cell["column"], "--features", "pixels", *folders[:2]]
    assert main(why) == 0
    explained = capsys.readouterr().out
    assert explained.count("  seed ") == 2
    assert "iidgan table ring --features pixels --rows" in explained


@pytest.mark.slow
def test_table_stops_measuring_after_max_time(trained_tiles, monkeypatch, capsys):
    monkeypatch.setitem(TABLES, "ring", lambda records: make_score_table())
    monkeypatch.setattr("iidgan.cli.options.parse_duration", lambda name, text: 0.0)
    folders = ("--results", str(trained_tiles.results_dir), "--runs", str(trained_tiles.runs_dir))
    command = ["table", "ring", "--features", "pixels", "--max-time", "1s", *folders]
    assert main(command) == 124
    assert "run the same command again to resume" in capsys.readouterr().err
    assert trained_tiles.load_records() == []
