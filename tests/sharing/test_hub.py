"""Runs on a hub: what is pushed is what is loaded, and says nothing of the machine."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import iidgan
from iidgan.cli import main
from iidgan.errors import UnnamedPluginError
from iidgan.records import MetricRecord
from iidgan.sharing.hub import PushOptions, from_pretrained
from iidgan.sharing.model_card import ModelCard
from iidgan.sharing.repository import write_repository
from iidgan.training.export import load, load_networks
from iidgan.utils.files import DIGESTS_FILE, file_sha256
from tests.helpers.cli import TRAIN_ON_POINTS, fail_command
from tests.helpers.errors import raises_input_error
from tests.helpers.hub_server import serve_hub
from tests.helpers.training import tiny_run

pytestmark = pytest.mark.usefixtures("fast_evaluation")
TARGET = PushOptions(name="me/ring", licence="cc-by-4.0")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub on this machine, to which the package `huggingface_hub` is logged in."""
    with serve_hub() as server:
        template = f"{server.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        for name, value in {
            "ENDPOINT": server.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "HF_HUB_DISABLE_XET": True,
        }.items():
            monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
        monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
        yield server


@pytest.fixture
def run_path(completed_run):
    return completed_run(tiny_run(iidgan.iid_gan()), 2)


def test_pushed_run_is_loaded(hub, run_path, capsys):
    assert main(["push", str(run_path), "me/ring", "--license", "mit"]) == 0
    assert f"pushed to {hub.url}/me/ring" in capsys.readouterr().out
    files = hub.repositories["me/ring"]
    assert {"README.md", "config.json", "model.safetensors", "samples.png"} < files.keys()
    for seed in (0, 1):
        model = from_pretrained("me/ring", seed)
        assert torch.equal(model.sample(5), load(run_path, seed).sample(5))
    assert model.point.run.id == json.loads(files["config.json"])["id"]


def test_local_folder_is_loaded_before_hub(run_path, tmp_path, monkeypatch):
    write_repository(run_path, tmp_path / "me" / "ring", TARGET, seed=1)
    monkeypatch.chdir(tmp_path)
    model = from_pretrained("me/ring")
    assert model.point.seeds == (1,)
    assert torch.equal(model.sample(5), load(run_path, 1).sample(5))


def test_config_has_no_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32))
    assert main([*TRAIN_ON_POINTS]) == 0
    write_repository("run", tmp_path / "repository", TARGET)
    for file in ("config.json", "README.md"):
        assert str(tmp_path) not in (tmp_path / "repository" / file).read_text()
    source = load_networks(tmp_path / "repository").point.run.source
    assert source.path == "points.npy"


def test_dry_run_needs_no_hub(run_path, tmp_path, capsys):
    out = str(tmp_path / "files")
    assert main(["push", str(run_path), "me/ring", "--dry-run", "--out", out]) == 0
    printed = capsys.readouterr().out
    assert "model.safetensors: " in printed
    assert "named no licence" in printed
    assert "nothing was pushed to me/ring" in printed


def test_model_card_says_how_metrics_were_measured(run_path):
    networks = load_networks(run_path)
    record = MetricRecord(
        run=networks.point.run.id,
        seed=0,
        step=12,
        metric="modes_1",
        value=7.0,
        diverged=-1,
        protocol={"num_generated": 150},
        provenance={"torch": "2.13.0"},
    )
    records = [record, MetricRecord(**{**vars(record), "seed": 1, "value": 8.0})]
    text = ModelCard(name="me/ring", networks=networks, records=records, licence="mit").render()
    header = text.split("---\n")[1]
    assert 'license: "mit"' in header
    assert 'tags: ["gan", "mode-collapse", "cycle", "gaussian"]' in header
    assert "| modes_1 | 7.5 ± 0.71 | 2 |" in text
    assert '* modes_1: `{"num_generated": 150}`' in text
    assert "IID Sampling Perspective" in text
    assert 'iidgan.from_pretrained("me/ring")' in text


def test_repository_imports_no_code(run_path, tmp_path):
    folder = tmp_path / "repository"
    write_repository(run_path, folder, TARGET)
    config_file, digests_file = folder / "config.json", folder / DIGESTS_FILE
    config_file.write_text(config_file.read_text().replace('"gan"', '"os:system"'))
    with raises_input_error(None, "config.json", "digest"):
        from_pretrained(folder)
    digests = json.loads(digests_file.read_text()) | {"config.json": file_sha256(config_file)}
    digests_file.write_text(json.dumps(digests))
    with pytest.raises(UnnamedPluginError, match="os:system"):
        from_pretrained(folder)


def test_hub_errors_are_one_line(hub, run_path, monkeypatch, capsys):
    with raises_input_error("from_pretrained", "me/nothing"):
        from_pretrained("me/nothing")
    monkeypatch.setenv("HF_TOKEN", "")
    assert "hf auth login" in fail_command(capsys, "push", str(run_path), "me/ring")


def test_push_refuses_bad_arguments(run_path, monkeypatch):
    with raises_input_error("name", "'ring'"):
        PushOptions(name="ring")
    with raises_input_error("licence", "'all rights'"):
        PushOptions(name="me/ring", licence="all rights")
    with raises_input_error("run", "nowhere"):
        from_pretrained("nowhere")
    monkeypatch.setattr("iidgan.utils.extras.util.find_spec", lambda name: None)
    with raises_input_error("from_pretrained", "needs huggingface_hub: pip install 'iidgan[hub]'"):
        from_pretrained("me/ring")
