"""`iidgan sweep`: training and scores of the tuning trials."""

import json

import pytest

from iidgan.cli import main
from iidgan.cli import sweep as sweep_module
from iidgan.studies.tuning import TuningSpec
from tests.helpers.figures import SMALL_RUN, SMALL_RUNS


@pytest.mark.slow
def test_sweep_trains_named_rows(tmp_path, monkeypatch, capsys):
    tuning = TuningSpec(
        rows={"a": SMALL_RUN, "b": SMALL_RUNS["IID-GAN"]},
        datasets={"Ring": SMALL_RUN.source},
        num_modes={"Ring": 8},
    )
    monkeypatch.setattr(sweep_module, "TUNING", tuning)
    monkeypatch.setattr("iidgan.studies.tuning.TUNING_STEPS", 2)
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "c"]) == 2
    assert "rows: unknown 'c'" in capsys.readouterr().err
    assert main(["sweep", "a", "--format", "json"]) == 0
    cells = json.loads(capsys.readouterr().out)
    assert {(c["row"].partition(" ")[0], c["status"], c["n"]) for c in cells} == {("a", "done", 2)}
    stamp = (tmp_path / "results" / "sweep.jsonl").stat().st_mtime_ns
    assert main(["sweep", "a", "--format", "md"]) == 0
    assert (tmp_path / "results" / "sweep.jsonl").stat().st_mtime_ns == stamp
    capsys.readouterr()
    assert main(["sweep", "--no-train", "--format", "json"]) == 0
    cells = json.loads(capsys.readouterr().out)
    assert {c["row"].partition(" ")[0] for c in cells} == {"a", "b"}
