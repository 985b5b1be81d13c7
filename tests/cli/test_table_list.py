"""`iidgan list tables`: what can be trained here."""

from iidgan.cli import main
from iidgan.studies.papers import TABLES


def test_list_tables_with_what_they_lack(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    names = ("ring", "stacked", "ijcai-table-4", "arxiv-table-5")
    monkeypatch.setattr("iidgan.cli.table_list.TABLES", {name: TABLES[name] for name in names})
    assert main(["list", "tables"]) == 0
    lines = {line.split()[0].rstrip(","): line for line in capsys.readouterr().out.splitlines()}
    assert "full, --quick" in lines["ring"]
    assert "ijcai-table-3" in lines["stacked"]
    assert "no: lacks cifar10, stl10" in lines["ijcai-table-4"]
    assert "no: lacks cifar10 " in lines["arxiv-table-5"]
