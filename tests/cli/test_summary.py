"""The summary after a training: values of fresh data are beside those of the run."""

from iidgan.cli.summary import print_summary
from iidgan.config.run import Run
from tests.helpers.tables import make_record


def list_rows(output):
    """Lists the cells of the lines of a table on the terminal."""
    lines = [line.replace("┃", "│") for line in output.splitlines()]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if "│" in line]


def test_summary_has_column_of_fresh_data(capsys):
    values = {"quality": 80.0, "quality_fresh": 98.9, "x_error": 0.1}
    records = [make_record(Run(), 0, value, metric=name) for name, value in values.items()]
    print_summary(records, title="runs/x")
    header, *rows = list_rows(capsys.readouterr().out)
    assert header == ["metric", "mean ± std", "fresh data", "seeds", "diverged"]
    assert rows == [["quality", "80", "98.9", "1", ""], ["x_error", "0.1", "", "1", ""]]


def test_summary_without_fresh_data(capsys):
    print_summary([make_record(Run(), 0, 0.1, metric="x_error")], title="runs/x")
    header, *_ = list_rows(capsys.readouterr().out)
    assert header == ["metric", "mean ± std", "seeds", "diverged"]
