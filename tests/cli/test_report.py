"""`iidgan report`: runs and tables by name."""

import pytest

from iidgan.cli import main, report
from iidgan.errors import InputError
from iidgan.records import append_records
from iidgan.studies.papers import TABLES
from tests.helpers.cli import fail_command, run_main
from tests.helpers.html import assert_standalone
from tests.helpers.tables import make_record


@pytest.mark.slow
def test_run_is_reported(trained_run, capsys):
    printed = run_main(capsys, "report", "run", "--out", "page.html")
    page = (trained_run.parent / "page.html").read_text()
    assert printed == f"page.html: {len(page.encode()):,} bytes\n"
    assert_standalone(page)
    assert "<h1>Run run</h1>" in page
    assert "iidgan train points.npy --method iid-gan" in page
    assert "of the variety of the data" in page


@pytest.mark.usefixtures("without_figures")
def test_run_and_table_are_reported_together(trained_run, capsys):
    _, run = next(iter(TABLES["ring"](()).runs.values()))
    record = make_record(run, 0, 7.0, metric="modes_1", protocol={"num_generated": 50_000})
    append_records(trained_run.parent / "results" / "ring.jsonl", [record])
    run_main(capsys, "report", "run", "ring", "--no-diagnose", "--out", "page.html")
    page = (trained_run.parent / "page.html").read_text()
    assert "Report of 1 run and 1 table" in page
    assert "7.0 (4 of 5 missing) (paper 3.6 ± 0.5)" in page
    assert "<pre>iidgan table ring</pre>" in page
    assert "of the variety of the data" not in page


@pytest.mark.usefixtures("without_figures")
def test_run_without_its_data_is_reported(trained_run, capsys):
    (trained_run.parent / "points.npy").unlink()
    run_main(capsys, "report", "run")
    page = (trained_run.parent / "report.html").read_text()
    assert "<pre>iidgan train points.npy --method iid-gan" in page
    assert "of the variety of the data" in page  # the run keeps some of them


@pytest.mark.usefixtures("without_figures")
def test_reason_of_a_lacking_diagnosis_is_reported(trained_run, capsys, monkeypatch):
    def fail(*args, **options):
        raise InputError("root: <no> data here")

    monkeypatch.setattr(report, "diagnose", fail)
    assert main(["report", "run"]) == 0
    assert "run: no diagnosis: root: <no> data here" in capsys.readouterr().err
    page = (trained_run.parent / "report.html").read_text()
    assert "None could be made: root: &lt;no&gt; data here" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rink"], "did you mean 'ring'?"),
        (["runs/none"], "no run.json"),
        ([], "needs a run directory"),
        (["run", "--out", "page.pdf"], "must end in .html"),
        (["run", "--seed", "7"], "7 was not trained"),
        (["ring", "--seed", "7"], "applies to runs only"),
        (["run", "-n", "0"], "num: must be an integer >= 12"),
    ],
)
def test_errors_are_one_line(trained_run, capsys, arguments, words):
    assert words in fail_command(capsys, "report", *arguments, "--no-diagnose")
    assert not (trained_run.parent / "report.html").exists()


def test_damaged_run_is_one_line(trained_run, capsys):
    (trained_run / "arrays.npz").write_bytes(b"PK")
    assert "arrays.npz: damaged" in fail_command(capsys, "report", "run", "--no-diagnose")
