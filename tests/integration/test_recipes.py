"""A table of images from published archives to the printed page, with real photos in them."""

import json
from dataclasses import replace

import pytest

from iidgan.cli import main
from iidgan.records import read_records
from iidgan.studies.papers import TABLES
from iidgan.studies.papers.images.ijcai import IJCAI_TABLE_4
from iidgan.studies.papers.images.iv_gan import IV_GAN_TABLE_1
from tests.helpers.photos import write_cifar10_archive, write_stl10_archive

NUM_IMAGES = 150
"""More than the hundred bins of JSD need, also without the sixth of them that is for testing."""


ROWS = ("GAN", "IID-GAN")


def shrink(spec):
    """Returns a recipe of few rows whose quick profile takes a moment for each run."""
    (group,) = spec.quick.row_groups
    runs = {name: group.rows[name] for name in ROWS}
    rows = {
        name: replace(run, arch=replace(run.arch, width=2, latent=8), batch=8)
        for name, run in runs.items()
    }
    tiny_group = replace(group, rows=rows)
    quick = replace(spec.quick, steps=2, num_seeds=1, num_samples=120, row_groups=(tiny_group,))
    return replace(spec, quick=quick)


@pytest.fixture
def photo_archives(tmp_path, monkeypatch):
    """A working directory with archives like those of CIFAR-10 and STL-10, and a data home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    write_cifar10_archive(tmp_path / "cifar-10-python.tar.gz", NUM_IMAGES)
    write_stl10_archive(tmp_path / "stl10_binary.tar.gz", NUM_IMAGES)
    return tmp_path


@pytest.mark.slow
def test_recipe_from_archives_to_table(photo_archives, monkeypatch, capsys):
    monkeypatch.setitem(TABLES, "ijcai-table-4", lambda records: shrink(IJCAI_TABLE_4))
    command = ["table", "ijcai-table-4", "--quick", "--format", "json"]
    assert main(command) == 2
    error = capsys.readouterr().err
    for hint in ("cifar-10-python.tar.gz", "stl10_binary.tar.gz", "iidgan prepare stl10"):
        assert hint in error
    assert not (photo_archives / "runs").exists()
    assert main(["prepare", "cifar10", "--from", "cifar-10-python.tar.gz"]) == 0
    assert main(["prepare", "stl10", "--from", "stl10_binary.tar.gz"]) == 0
    capsys.readouterr()
    assert main(command) == 0
    cells = json.loads(capsys.readouterr().out)
    assert len(cells) == len(ROWS) * 6
    assert {cell["status"] for cell in cells} == {"done"}
    assert {cell["column"] for cell in cells} == {
        *("CIFAR-10 JSD x 100", "STL-10 JSD x 100"),
        *(
            f"{dataset} {score}, efficientnet-lite0 (paper: inception)"
            for dataset in ("CIFAR-10", "STL-10")
            for score in ("IS", "FD")
        ),
    }
    records_path = photo_archives / "results" / "ijcai-table-4.jsonl"
    extractors = {record.protocol.get("extractor") for record in read_records(records_path)}
    assert {"efficientnet-lite0", "pixels"} <= extractors
    written_at = records_path.stat().st_mtime_ns
    assert main(["table", "ijcai-table-4", "--quick"]) == 0
    captured = capsys.readouterr()
    assert "training" not in captured.err
    assert "measuring" not in captured.err
    assert "features of efficientnet-lite0" in captured.out
    assert records_path.stat().st_mtime_ns == written_at


@pytest.mark.slow
def test_recipe_with_minimum_over_training(photo_archives, monkeypatch, capsys):
    quick = shrink_to_four_checkpoints(IV_GAN_TABLE_1)
    monkeypatch.setitem(TABLES, "ivgan-table-1", lambda records: quick)
    assert main(["prepare", "cifar10-64", "--from", "cifar-10-python.tar.gz"]) == 0
    capsys.readouterr()
    options = ["--quick", "--data", "CIFAR-10", "--features", "pixels", "--format", "json"]
    assert main(["table", "ivgan-table-1", *options]) == 0
    (cell,) = (cell for cell in json.loads(capsys.readouterr().out) if cell["status"] == "done")
    assert cell["row"] == "IVLSGAN"
    assert cell["column"] == "CIFAR-10 FD, minimum over training, pixels (paper: inception)"
    records = read_records(next(photo_archives.glob("results/*.jsonl")))
    fids = {record.step: record.value for record in records if record.metric == "fd_pixels"}
    assert [*fids] == [1, 2, 3, 4]
    assert cell["mean"] == pytest.approx(min(fids.values()))


def shrink_to_four_checkpoints(spec):
    """Returns a recipe of one row whose quick profile has four steps, each a checkpoint."""
    (group,) = spec.quick.row_groups
    run = group.rows["IVLSGAN"]
    run = replace(run, arch=replace(run.arch, width=2, latent=8), batch=8)
    rows = {"IVLSGAN": run}
    assert spec.quick.num_checkpoints == 4
    quick = replace(
        spec.quick,
        steps=4,
        num_seeds=1,
        num_samples=120,
        row_groups=(replace(group, rows=rows),),
    )
    return replace(spec, quick=quick)
