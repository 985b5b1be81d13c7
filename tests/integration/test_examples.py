"""The example scripts run, in a few steps each, and print what their docstrings promise."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import iidgan

EXAMPLES = Path(__file__).parents[2] / "examples"
OUTPUTS = {
    "folder_of_pictures": ("prepared 400 images", "finished at step 2", "samples.png"),
    "own_method": ("code-gan: modes", "code-gan-gaussian: modes"),
    "own_source_and_metric": ("gan: ", "iid-gan: ", "of 9 modes", "have a neighbour"),
    "own_table": ("| GAN |", "| IID-GAN |", "| change |"),
    "plain_loop": ("GAN: ", "GAN with both losses: ", "of 25 modes"),
    "read_records": ("modes_20", "IID-GAN", "num_generated"),
}
DISTRIBUTED = "distributed_loop"
MAX_LINES = 80
MAX_NOTEBOOK_BYTES = 100_000


@pytest.fixture
def run_example(monkeypatch, capsys, tmp_path):
    """Runs a script as a user does, in this process, and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(iidgan.Ring, "num_evaluated", 200)
    monkeypatch.setattr(iidgan.Prepared, "num_evaluated", 20)

    def run(name, *arguments):
        path = EXAMPLES / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), "--steps", "2", *arguments])
        runpy.run_path(str(path), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_all_examples_are_listed():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {DISTRIBUTED, *OUTPUTS}
    readme = (EXAMPLES / "README.md").read_text()
    assert all(f"({path.name})" in readme for path in EXAMPLES.glob("*.[!m]*"))


@pytest.mark.parametrize("name", [DISTRIBUTED, *OUTPUTS])
def test_examples_are_short_and_documented(name):
    text = (EXAMPLES / f"{name}.py").read_text()
    assert len(text.splitlines()) < MAX_LINES
    assert f" examples/{name}.py --steps" in text.split('"""')[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTPUTS)
def test_example_prints(name, run_example):
    if name == "read_records":
        pytest.importorskip("pandas")
    output = run_example(name)
    for text in OUTPUTS[name]:
        assert text in output


@pytest.mark.slow
def test_distributed_example_in_two_processes():
    path = EXAMPLES / f"{DISTRIBUTED}.py"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", "2", str(path), "--steps", "2"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.count("of 25 modes") == 1


def test_notebook_is_executed():
    path = EXAMPLES / "ring.ipynb"
    assert path.stat().st_size < MAX_NOTEBOOK_BYTES
    code_cells = [
        cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"
    ]
    assert [cell["execution_count"] for cell in code_cells] == [*range(1, len(code_cells) + 1)]
    outputs = [output for cell in code_cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"stream", "display_data"}
    text = "".join(line for output in outputs for line in output.get("text", ()))
    assert "IID-GAN: finished at step" in text
