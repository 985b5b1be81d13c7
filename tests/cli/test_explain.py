"""`iidgan why`: the runs, records and command behind a number of a table."""

from pathlib import Path

import pytest

from iidgan.cli import main
from iidgan.records import append_records, failure_record, read_all_records
from iidgan.studies.papers import TABLES


@pytest.fixture(autouse=True)
def _at_repository_root(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])


@pytest.mark.slow
def test_why_quick_profile(capsys):
    assert main(["why", "stacked", "DCGAN", "MNIST modes", "--quick"]) == 0
    output = capsys.readouterr().out
    table = TABLES["stacked"]([]).with_quick_profile()
    assert f"run {table.row_groups[0].get_run('DCGAN', 'MNIST').id}: " in output
    assert 'iidgan table stacked --quick --rows "DCGAN"' in output


@pytest.mark.slow
def test_why_values_protocol_and_command(capsys):
    assert main(["why", "ring", "GAN", "Ring quality %"]) == 0
    output = capsys.readouterr().out
    run = TABLES["ring"]([]).row_groups[0].get_run("GAN", "Ring")
    values = {
        r.seed: r.value
        for r in read_all_records(Path("results"))
        if (r.run, r.metric, r.step) == (run.id, "quality", run.steps)
    }
    assert len(values) == 5
    assert all(f"seed {seed}: {value:g}, " in output for seed, value in values.items())
    assert f"run {run.id}: " in output
    assert "num_generated 50000" in output
    mean = sum(values.values()) / 5
    assert output.startswith(f"{mean:.1f} ± ")
    assert "(paper 98.8 ± 0.6) | GAN | Ring quality %" in output
    assert output.endswith(': iidgan table ring --rows "GAN" --data "Ring"\n')


def test_why_failed_seed(capsys, tmp_path):
    run = TABLES["ring"]([]).row_groups[0].get_run("GAN", "Ring")
    append_records(tmp_path / "ring.jsonl", [failure_record(run.id, 3, "failed: out of luck")])
    assert main(["why", "ring", "GAN", "Ring quality %", "--results", str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert "seed 3: failed: out of luck" in output
    assert output.startswith("1 of 5 failed (4 of 5 missing) (paper ")


@pytest.mark.slow
def test_why_delta_names_rows(capsys):
    assert main(["why", "plug-in", "GAN, change", "Ring quality %"]) == 0
    output = capsys.readouterr().out
    assert "'GAN + IID'" in output
    assert "'GAN'" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rnig", "GAN", "Ring quality %"), "table: unknown 'rnig'; did you mean 'ring'?"),
        (("ring", "GNA", "Ring quality %"), "row: unknown 'GNA'; did you mean 'GAN'?"),
        (("ring", "GAN", "quality"), "column: unknown 'quality'; did you mean 'Ring quality"),
    ],
)
def test_why_unknown_names(capsys, arguments, message):
    assert main(["why", *arguments]) == 2
    assert message in capsys.readouterr().err
