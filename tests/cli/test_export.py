"""`iidgan export`."""

import numpy as np
import pytest
import torch

from iidgan.cli import main
from iidgan.training.export import load
from tests.helpers.cli import fail_command


def test_export_programs(trained_run, capsys):
    assert main(["export", "run", "--format", "torch-export", "--seed", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("run/export/F.pt2: F of seed 1, ")
    model = load("run", 1)
    generator = torch.export.load("run/export/G.pt2").module()
    np.testing.assert_allclose(generator(model.sample_prior(3)), model.sample(3), rtol=1e-5)


@pytest.mark.slow
def test_export_onnx_by_default(trained_run):
    assert main(["export", "run", "--network", "F", "--out", "files"]) == 0
    assert [path.name for path in (trained_run.parent / "files").iterdir()] == ["F.onnx"]


def test_export_refuses_bad_input(trained_run, capsys):
    assert "'tflite'" in fail_command(capsys, "export", "run", "--format", "tflite")
    assert "nowhere" in fail_command(capsys, "export", "nowhere")
    assert main(["train", "points.npy", "--steps", "2", "--method", "gan", "--out", "gan"]) == 0
    assert "invert" in fail_command(capsys, "export", "gan", "--network", "F")
