"""Options out of range, foreign modules and full outputs get one line."""

import subprocess
import sys

import pytest

import iidgan
from iidgan.cli import main
from iidgan.config.registry import ensure_named, find
from iidgan.errors import InputError
from iidgan.terms import ZDiscriminator
from iidgan.utils.device import device_from


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: iidgan.GaussianConsistency(distance="w3"), "distance: unknown 'w3'.*'w2'"),
        (lambda: iidgan.GaussianConsistency(p=0.5), "p: 0.5"),
        (lambda: iidgan.GaussianConsistency(eps=-1.0), "eps: -1.0"),
        (lambda: iidgan.GaussianConsistency(directions=0), "directions: 0"),
        (lambda: iidgan.GaussianConsistency(weight=float("nan")), "weight: nan"),
        (lambda: iidgan.CycleConsistency(norm="l3"), "norm: unknown 'l3'"),
        (lambda: iidgan.CycleConsistency(weight=float("inf")), "weight: inf"),
        (lambda: ZDiscriminator(weight=float("nan")), "weight: nan"),
        (lambda: iidgan.Adam(eps=float("nan")), "eps: nan"),
        (lambda: iidgan.Adam(betas=(0.5, float("nan"))), "betas"),
        (lambda: iidgan.Adam(betas=(0.5,)), "betas"),
        (
            lambda: iidgan.Adam(schedule="linar"),
            "schedule: unknown 'linar'; did you mean 'linear'",
        ),
        (lambda: device_from("hpu"), "device: 'hpu'"),
        (lambda: device_from("meta"), "device: 'meta'"),
    ],
)
def test_options_out_of_range(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_more_directions_than_samples_are_refused_before_anything_is_written(tmp_path):
    distance = ("--gaussian.distance", "epps-pulley", "--gaussian.directions", "9")
    out = tmp_path / "run"
    assert main(["train", "ring", "--batch", "8", *distance, "--out", str(out)]) == 2
    assert not out.exists()


@pytest.fixture
def module(tmp_path, monkeypatch):
    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    return write


@pytest.mark.parametrize(
    "text", ["1 / 0", "def f(:", "import no_such_module_at_all", "raise SystemExit(4)"]
)
def test_a_module_that_does_not_import_gets_one_line(module, text):
    name = module(f"broken_{abs(hash(text))}", text)
    with pytest.raises(InputError, match=f"method: cannot import '{name}:X'"):
        find("methods", f"{name}:X")


def test_a_class_in_the_working_directory_is_found_also_inside_another(module):
    text = "from iidgan import GAN\nclass Outer:\n    class Inner(GAN):\n        pass\n"
    name = module("own_methods", text)
    made = find("methods", f"{name}:Outer.Inner")()
    assert type(made).__qualname__ == "Outer.Inner"
    ensure_named(iidgan.Run(method=made))


def test_a_class_that_no_name_leads_to_is_refused():
    class Local(iidgan.GAN):
        pass

    with pytest.raises(InputError, match="Local"):
        ensure_named(iidgan.Run(method=Local()))


@pytest.mark.parametrize("command", [["--help"], ["list"], ["cite", "gan"]])
def test_an_output_that_is_full_gets_one_line(command):
    with open("/dev/full", "w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "iidgan", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "No space left" in answer.stderr


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't allocate memory: 8 bytes")])
def test_too_much_memory_gets_one_line(monkeypatch, capsys, error):
    def fail(given):
        raise error

    monkeypatch.setattr("iidgan.cli._dispatch", fail)
    assert main(["list"]) == 2
    assert "not enough memory" in capsys.readouterr().err


def test_other_errors_of_ours_keep_their_traceback(monkeypatch):
    def fail(given):
        raise RuntimeError("a bug")

    monkeypatch.setattr("iidgan.cli._dispatch", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["list"])
