"""The command line as a user meets it: what it prints, what it leaves, how it ends."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from iidgan.cli import COMMANDS, main
from iidgan.studies.papers import STUDIES

TINY = ("--arch.hidden", "8", "--source.size", "400", "--batch", "16", "--checkpoint-every", "4")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("points.npy", rng.normal(size=(300, 2)).astype(np.float32))
    return tmp_path


@pytest.fixture
def trained(here):
    command = ["train", "points.npy", "--steps", "8", "--seeds", "2", "--arch.hidden", "8"]
    assert main([*command, "--batch", "16", "--checkpoint-every", "4", "--out", "run"]) == 0
    return here / "run"


def complaint(capsys, *arguments, code=2):
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.err.count("\n") == 1
    return captured.err


def test_help_names_every_command_without_importing_torch():
    script = (
        "import sys; from iidgan.cli import main; main(['--help']); "
        "assert not {'torch', 'numpy', 'tyro', 'matplotlib'} & set(sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert all(name in answer.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    assert "usage: iidgan" in capsys.readouterr().out


def test_train_help_shows_the_options_of_the_choice(capsys):
    with pytest.raises(SystemExit):
        main(["train", "grid", "--method", "gan", "--term", "gaussian", "--help"])
    text = capsys.readouterr().out
    for flag in ("--source.spacing", "--method.loss", "--gaussian.distance", "--optimiser.betas"):
        assert flag in text
    assert "--cycle.weight" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], ["command", "'trian'", "'train'"]),
        (["train", "rin"], ["source", "'rin'", "'ring'"]),
        (["train", "--seeds", "2"], ["source", "missing"]),
        (["train", "none.npy"], ["none.npy", "No such file"]),
        (["train", "ring", "--method", "idi-gan"], ["method", "'idi-gan'", "'iid-gan'"]),
        (["train", "ring", "--method", "os:path"], ["method", "'os:path'"]),
        (["train", "ring", "--method", "no_such_module:X"], ["no_such_module"]),
        (["train", "ring", "--method"], ["--method", "name"]),
        (["train", "ring", "--term", "gausian"], ["term", "'gausian'", "'gaussian'"]),
        (["train", "ring", "--arch", "dcgan"], ["arch", "dcgan", "mlp"]),
        (["train", "ring", "--stepz", "3"], ["--stepz", "--steps"]),
        (["train", "ring", "--steps", "x"], ["--steps: 'x' is not a whole number"]),
        (["train", "ring", "--lr", "high"], ["lr: 'high' is not a number"]),
        (["table", "ring", "--seeds", "x"], ["--seeds: 'x' is not a whole number"]),
        (["train", "ring", "--steps", "0"], ["steps", "0", "at least 1"]),
        (["train", "ring", "--seeds", "0"], ["seeds: 0 is too small"]),
        (["train", "ring", "--batch", "200000"], ["batch", "200000", "100000"]),
        (["train", "ring", "--lr", "-1"], ["lr", "-1"]),
        (["train", "ring", "--lr", "nan"], ["lr", "nan"]),
        (["train", "ring", "--ema", "1"], ["ema", "1"]),
        (["train", "ring", "--source.modes", "0"], ["modes", "0"]),
        (["train", "ring", "--gaussian.distance", "w3"], ["--gaussian.distance", "w2"]),
        (["train", "ring", "--device", "tpu9"], ["device", "'tpu9'", "cpu"]),
        (["train", "fashion-mnist", "--root", "."], ["fashion-mnist"]),
        (["evaluate", "none"], ["none", "train"]),
        (["sample", "none"], ["none"]),
        (["figure", "none"], ["none"]),
        (["table", "rang"], ["table", "'rang'", "'ring'"]),
        (["list", "method"], ["method"]),
        (["cite", "ring"], ["ring"]),
        (["cite", "iid"], ["'iid'", "iid-gan"]),
        (["table", "ring", "--no-trian"], ["--no-trian", "did you mean --train?"]),
    ],
)
def test_bad_input_gets_one_line_and_nothing_is_written(here, capsys, arguments, words):
    before = sorted(os.listdir())
    message = complaint(capsys, *arguments)
    assert message.startswith("iidgan: ")
    assert all(word in message for word in words), message
    assert sorted(os.listdir()) == before


def test_train_evaluate_sample_invert_figure(trained, capsys):
    capsys.readouterr()
    assert main(["evaluate", "run", "-n", "200", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["metric"] for row in rows} >= {"shapiro_wilk", "ks", "x_error", "z_error"}
    assert {row["seed"] for row in rows} == {0, 1}

    assert main(["sample", "run", "-n", "50", "--out", "x.npz", "--seed", "1"]) == 0
    with np.load("x.npz") as drawn:
        assert drawn["x"].shape == drawn["z"].shape == (50, 2)
        x = drawn["x"]
    assert main(["invert", "run", "--input", "x.npz", "--out", "z.npz"]) == 0
    with np.load("z.npz") as codes:
        assert codes["z"].shape == (50, 2)
    assert main(["sample", "run", "-n", "50", "--out", "again.npz", "--seed", "1"]) == 0
    with np.load("again.npz") as drawn:
        np.testing.assert_array_equal(drawn["x"], x)

    capsys.readouterr()
    assert main(["figure", "run"]) == 0
    figures = capsys.readouterr().out.split()
    assert {os.path.basename(path) for path in figures} == {
        "samples.png",
        "qq.png",
        "losses.png",
        "metrics.png",
    }
    assert all(os.path.getsize(path) > 1000 for path in figures)


def test_the_same_command_again_does_nothing(here, capsys):
    command = ["train", "ring", "--method", "gan", "--steps", "4", *TINY, "--out", "run"]
    assert main(command) == 0
    before = {p: p.stat().st_mtime_ns for p in (here / "run" / "checkpoints").rglob("*")}
    assert main(command) == 0
    after = {p: p.stat().st_mtime_ns for p in (here / "run" / "checkpoints").rglob("*")}
    assert before == after


def test_another_run_in_the_same_folder_is_refused_with_the_fields(trained, capsys):
    capsys.readouterr()
    command = ["train", "points.npy", "--steps", "8", "--seeds", "3", "--arch.hidden", "9"]
    message = complaint(capsys, *command, "--batch", "16", "--out", "run")
    assert "arch.hidden" in message
    assert "seeds" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sample", "run", "--out", "x.txt"], ["x.txt", ".npz", ".png"]),
        (["sample", "run", "-n", "0"], ["num", "0"]),
        (["sample", "run", "--seed", "7"], ["seed", "7", "0, 1"]),
        (["invert", "run", "--input", "none.npz"], ["none.npz", "does not exist"]),
        (["invert", "run", "--input", "run/run.json"], ["run.json", "file; samples are an array"]),
        (["invert", "run", "--input", "wide.npy"], ["(3,)", "(2,)"]),
        (["invert", "run", "--input", "broken.npz"], ["broken.npz"]),
        (["figure", "run", "--seed", "7"], ["seed", "7"]),
    ],
)
def test_bad_requests_of_a_trained_run(trained, capsys, arguments, words):
    np.save("wide.npy", np.zeros((4, 3)))
    np.savez("whole.npz", x=np.zeros((400, 2)))
    with open("whole.npz", "rb") as whole, open("broken.npz", "wb") as broken:
        broken.write(whole.read()[:200])
    capsys.readouterr()
    message = complaint(capsys, *arguments)
    assert all(word in message for word in words), message


def test_all_seeds_diverged_is_exit_code_3(here, capsys):
    command = ["train", "ring", "--method", "gan", "--lr", "1e30", "--seeds", "2"]
    assert main([*command, "--steps", "200", *TINY, "--out", "run"]) == 3
    assert "diverged" in capsys.readouterr().err


def test_the_quick_profile_has_other_runs():
    study = STUDIES["ring"]([])
    assert {run.steps for _, run in study.shortened().runs.values()} == {study.quick.steps}
    assert set(study.shortened().runs) & set(study.runs) == set()


@pytest.mark.parametrize("field", ["results", "runs"])
def test_a_folder_that_cannot_be_made_is_named_before_anything_is_trained(here, capsys, field):
    (here / "file").touch()
    where = {"results": "rows", "runs": "runs"} | {field: "file/folder"}
    options = [word for name, value in where.items() for word in (f"--{name}", value)]
    assert main(["table", "ring", "--quick", *options]) == 2
    told = capsys.readouterr().err.strip()
    assert told.startswith(f"iidgan: {field}: file/folder cannot be made (")
    assert told.endswith(f"--{field}")


@pytest.mark.parametrize(
    "command", [["sweep", "GAN", "--no-train"], ["why", "ring", "GAN", "Ring quality %"]]
)
def test_a_folder_without_rows_is_told(here, capsys, command):
    assert main([*command, "--results", "nowhere"]) == 0
    told = capsys.readouterr().err
    assert told == "no rows in nowhere: --results names their folder\n"


def test_a_table_is_trained_once_and_printed_in_every_format(here, capsys, monkeypatch):
    from dataclasses import replace

    from iidgan.config.run import Run
    from iidgan.data import Ring
    from iidgan.nn import MLP

    study = STUDIES["ring"]([])
    rows = {
        name: Run(method=run.method, arch=MLP(hidden=(8,)), steps=6, batch=16)
        for name, run in study.blocks[0].rows.items()
    }
    block = replace(study.blocks[0], rows=rows, data={"Ring": Ring(size=400)})
    small = replace(study, blocks=(block,), seeds=2)
    monkeypatch.setitem(STUDIES, "ring", lambda rows: small)
    assert main(["table", "ring", "--no-train", "--format", "json"]) == 0
    captured = capsys.readouterr()
    cells = json.loads(captured.out)
    assert {cell["status"] for cell in cells} == {"missing"}
    assert captured.err == "no rows in results: --results names their folder\n"
    assert main(["table", "ring", "--format", "json"]) == 0
    captured = capsys.readouterr()
    cells = json.loads(captured.out)
    quality = next(c for c in cells if (c["row"], c["column"]) == ("GAN", "Ring quality %"))
    assert quality["n"] == 2
    assert quality["published"] == [98.8, 0.6]
    assert "latent.png" in captured.err
    stamp = (here / "results" / "ring.jsonl").stat().st_mtime_ns
    assert main(["table", "ring", "--format", "md"]) == 0
    assert "paper 98.8 ± 0.6" in capsys.readouterr().out
    assert (here / "results" / "ring.jsonl").stat().st_mtime_ns == stamp


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(here, sent, code):
    command = [sys.executable, "-m", "iidgan", "train", "ring", "--method", "gan"]
    command += [*TINY[:-2], "--checkpoint-every", "100000", "--steps", "100000", "--out", "run"]
    command += ["--executor", "eager"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not (here / "run" / "log.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    child.send_signal(sent)
    out, err = child.communicate(timeout=90)
    assert child.returncode == code, err
    assert "the same command again goes on" in out
    assert err.count("stopping as soon as all is saved; once more to stop at once") == 1
    assert len(list((here / "run" / "checkpoints").glob("step-*"))) == 1


def test_a_method_that_cannot_be_made_is_named(here, capsys, monkeypatch):
    (here / "own.py").write_text(
        "class Bad:\n    def __init__(self):\n        raise ValueError('no luck')\n"
    )
    monkeypatch.syspath_prepend(here)
    assert "method: 'own:Bad' fails (no luck)" in complaint(
        capsys, "train", "ring", "--method", "own:Bad"
    )
