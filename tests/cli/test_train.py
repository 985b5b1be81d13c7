"""`iidgan train`: options of the chosen components, own components, repeated commands."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from iidgan.cli import main
from iidgan.config.presets import PRESETS, iid_terms
from iidgan.training.run_dir import RunDir
from tests.helpers.cli import TINY, fail_command, print_help
from tests.helpers.coverage import script_coverage
from tests.helpers.training import RandomImages, set_bfloat16_units

ROOT = Path(__file__).parents[2]


def read_run(path):
    return json.loads((path / "run.json").read_text())["run"]


def read_terms(path):
    return {term["type"]: term for term in read_run(path)["method"]["terms"]}


def test_train_help_shows_chosen_options(capsys):
    text = print_help(capsys, "train", "grid", "--method", "gan", "--term", "gaussian")
    for flag in ("--source.spacing", "--method.loss", "--gaussian.distance", "--optimiser.betas"):
        assert flag in text
    assert "--cycle.weight" not in text


def test_train_without_arguments(capsys):
    assert main(["train"]) == 2
    text = capsys.readouterr().err
    assert "usage: iidgan train SOURCE" in text
    assert "--preset names a setting" in text


@pytest.mark.parametrize(("precision", "warns"), [("float32", False), ("bfloat16", True)])
def test_train_warns_of_bfloat16_points(work_dir, capsys, precision, warns):
    command = ["train", "points.npy", "--method", "gan", "--precision", precision, *SMALL]
    assert main([*command, "--device", "cpu", "--steps", "1", "--out", "run"]) == 0
    assert ("bfloat16 is for images" in capsys.readouterr().err) == warns


IMAGES = (
    *("train", "tests.helpers.training:RandomImages", "--method", "gan", "--arch", "dcgan"),
    *("--arch.latent", "3", "--arch.width", "2", "--batch", "4", "--device", "cpu"),
    *("--executor", "eager", "--workers", "1"),
)
"""A training of images that takes a moment."""


@pytest.mark.parametrize(("units", "precision"), [((), None), (("avx512_bf16",), "bfloat16")])
@pytest.mark.usefixtures("work_dir")
def test_train_auto_precision_is_resolved_before_the_id(monkeypatch, units, precision):
    """What is stored, the id included, is that of a run in the precision chosen."""
    set_bfloat16_units(monkeypatch, *units)
    assert main([*IMAGES, "--steps", "1", "--precision", "auto"]) == 0
    (path,) = Path("runs").iterdir()
    assert read_run(path).get("precision") == precision
    assert main([*IMAGES, "--steps", "1", "--precision", precision or "float32"]) == 0
    assert list(Path("runs").iterdir()) == [path]


@pytest.mark.parametrize("out", [(), ("--out", "run")])
@pytest.mark.usefixtures("work_dir")
def test_train_auto_precision_is_kept_on_resume(monkeypatch, capsys, out):
    command = [*IMAGES, "--steps", "4", "--precision", "auto", "--checkpoint-every", "2", *out]
    set_bfloat16_units(monkeypatch, "amx_bf16")
    assert main(command) == 0
    assert "precision" not in capsys.readouterr().err
    (path,) = Path("runs").iterdir() if not out else [Path("run")]
    set_bfloat16_units(monkeypatch)
    assert main(command) == 0
    error = capsys.readouterr().err
    words = ("bfloat16", str(path), "auto chooses float32", "no units")
    assert all(word in error for word in words)
    assert read_run(path)["precision"] == "bfloat16"
    if not out:
        assert list(Path("runs").iterdir()) == [path]


@pytest.mark.usefixtures("work_dir")
def test_train_auto_precision_of_points(monkeypatch):
    set_bfloat16_units(monkeypatch, "avx512_bf16")
    command = ["train", "points.npy", "--method", "gan", *SMALL, "--precision", "auto"]
    assert main([*command, "--device", "cpu", "--steps", "1", "--out", "run"]) == 0
    assert "precision" not in read_run(Path("run"))


@pytest.mark.parametrize(("units", "warns"), [((), True), (("avx512_bf16",), False)])
@pytest.mark.usefixtures("work_dir")
def test_train_warns_of_emulated_bfloat16(monkeypatch, capsys, units, warns):
    set_bfloat16_units(monkeypatch, *units)
    assert main([*IMAGES, "--steps", "1", "--precision", "bfloat16", "--out", "run"]) == 0
    assert ("no units for bfloat16" in capsys.readouterr().err) == warns


def test_train_says_that_nothing_was_measured(work_dir, capsys):
    command = ["train", "points.npy", "--method", "gan", *SMALL, "--steps", "1", "--out", "run"]
    assert main(command) == 0
    assert "run: no metric applies" in capsys.readouterr().err


def test_train_twice_changes_nothing(work_dir):
    command = ["train", "ring", "--method", "gan", "--steps", "4", *TINY, "--out", "run"]
    checkpoints = work_dir / "run" / "checkpoints"
    assert main(command) == 0
    times_before = {path: path.stat().st_mtime_ns for path in checkpoints.rglob("*")}
    assert main(command) == 0
    times_after = {path: path.stat().st_mtime_ns for path in checkpoints.rglob("*")}
    assert times_before == times_after


def test_train_refuses_other_run(trained_run, capsys):
    command = ["train", "points.npy", "--steps", "8", "--seeds", "3", "--arch.hidden", "9"]
    error = fail_command(capsys, *command, "--batch", "16", "--out", "run")
    assert "arch.hidden" in error
    assert "seeds" in error


def test_train_all_seeds_diverged(work_dir, capsys):
    command = ["train", "ring", "--method", "gan", "--lr", "1e30", "--seeds", "2"]
    assert main([*command, "--steps", "200", *TINY, "--out", "run"]) == 3
    assert "diverged" in capsys.readouterr().err


def test_train_ends_when_collapsed(work_dir, capsys, monkeypatch):
    script_coverage(monkeypatch, [0.6], [0.1])
    command = ["train", "ring", "--method", "gan", "--steps", "12", *TINY, "--out", "run"]
    command += ["--diagnose-every", "2", "--stop-when-collapsed"]
    for _ in range(2):
        assert main(command) == 4
        error = capsys.readouterr().err
        for part in ("collapsed", "step 8", "run/best", "without --stop-when-collapsed"):
            assert part in error
    assert main(command[:-1]) == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--diagnose-every", "-1"], ["diagnose-every", "-1"]),
        (["--diagnose-every", "0", "--stop-when-collapsed"], ["stop-when-collapsed"]),
    ],
)
def test_train_refuses_diagnosis_options(tmp_path, capsys, flags, words):
    command = ["train", "ring", "--out", str(tmp_path / "run"), *flags]
    error = fail_command(capsys, *command)
    assert all(word in error for word in words)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_train_saves_after_max_time(work_dir, capsys, workers):
    command = ["train", "ring", "--method", "gan", *TINY, "--out", "run", "--seeds", "2"]
    command += ["--workers", workers, "--executor", "eager", "--steps", "100000"]
    assert main([*command, "--max-time", "1s"]) == 124
    assert "to resume, run again: iidgan" in capsys.readouterr().out
    assert list((work_dir / "run" / "checkpoints").glob("step-*"))


@pytest.mark.parametrize(
    "text", ["", "2", "h", "0s", "-1h", "1.5h", "30m2h", "2 h", "9" * 99 + "h"]
)
def test_train_refuses_max_time(tmp_path, text):
    out = tmp_path / "run"
    assert main(["train", "ring", "--max-time", text, "--out", str(out)]) == 2
    assert not out.exists()


def test_train_refuses_too_many_directions(tmp_path):
    distance = ("--gaussian.distance", "epps-pulley", "--gaussian.directions", "9")
    out = tmp_path / "run"
    assert main(["train", "ring", "--batch", "8", *distance, "--out", str(out)]) == 2
    assert not out.exists()


@pytest.mark.parametrize("flag", ["--lr", "--optimiser.lr", "--optimizer.lr"])
def test_train_flag_spellings(work_dir, flag):
    command = ["train", "ring", "--method", "gan", "--optimizer=adam", f"{flag}=0.25"]
    assert main([*command, "--steps", "1", *TINY, "--out", "run"]) == 0
    assert read_run(work_dir / "run")["optimiser"]["lr"] == 0.25


# Recommended values


@pytest.fixture
def digits_root(work_dir):
    """A folder of IDX files: 64 noisy images, which stand for Fashion-MNIST."""
    import gzip

    import numpy as np

    images = np.random.default_rng(0).integers(0, 256, (64, 28, 28), dtype=np.uint8)
    header = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in images.shape)
    labels = b"\x00\x00\x08\x01" + (64).to_bytes(4, "big") + bytes(i % 10 for i in range(64))
    for split in ("train", "t10k"):
        for name, content in (
            (f"{split}-images-idx3-ubyte.gz", header + images.tobytes()),
            (f"{split}-labels-idx1-ubyte.gz", labels),
        ):
            (work_dir / name).write_bytes(gzip.compress(content))
    return work_dir


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "weights"),
    [
        ([], {"gaussian": 3, "cycle": 3}),
        (["--gaussian.weight", "10"], {"gaussian": 10, "cycle": 3}),
        (["--gaussian.weight=10", "--cycle.weight=1"], {"gaussian": 10, "cycle": 1}),
        (["--cycle.weight", "3"], {"gaussian": 3, "cycle": 3}),
    ],
    ids=["recommended", "default of vectors", "both", "recommended, given"],
)
def test_train_flags_override_recommended(digits_root, flags, weights):
    command = ["train", "fashion-mnist", "--root", str(digits_root), "--method", "iid-gan"]
    small = ["--width", "4", "--latent", "4", "--steps", "1", "--batch", "4", "--device", "cpu"]
    assert main([*command, *flags, *small, "--out", "run"]) == 0
    terms = read_terms(digits_root / "run")
    assert {name: terms[name]["weight"] for name in weights} == weights


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "weight"), [([], 3), (["--gaussian.weight", "10"], 10)])
def test_train_recommends_added_terms(digits_root, flags, weight):
    command = ["train", "fashion-mnist", "--root", str(digits_root), "--method", "gan"]
    small = ["--width", "4", "--latent", "4", "--steps", "1", "--batch", "4", "--device", "cpu"]
    assert main([*command, "--term", "gaussian", *flags, *small, "--out", "run"]) == 0
    assert read_terms(digits_root / "run")["gaussian"]["weight"] == weight


# Presets

PICTURES = ("train", "tests.helpers.training:RandomImages", "--source.shape", "3", "32", "32")
ONE_STEP = (
    *("--width", "2", "--batch", "4", "--steps", "1", "--device", "cpu", "--out", "run"),
    *("--executor", "eager", "--workers", "1", "--diagnose-every", "0"),
)


def test_train_names_the_default_preset(work_dir, capsys):
    assert main([*PICTURES, "--latent", "2", *ONE_STEP]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "preset" in line]
    assert all(word in line for word in ("images", "--preset", "iidgan list presets"))
    run = read_run(work_dir / "run")
    assert (run["ema"], run["optimiser"]["lr"]) == (0.9956, 2e-4)
    assert read_terms(work_dir / "run")["cycle"]["ratio"] == 10


def test_train_former_default_of_images(work_dir):
    """The command in docs/images.md for runs that were started before there were presets."""
    page = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    (flags,) = re.findall(r"`(--cycle.weight [^`]* --ema 0)`", page)
    assert main([*PICTURES, *flags.split(), *ONE_STEP]) == 0
    preset = replace(PRESETS["images"], terms=iid_terms(0.5, 0.1), ema=0.0, ema_rampup=0.0)
    run = preset.create_run(RandomImages(shape=(3, 32, 32)))
    arch = replace(run.arch, width=2)
    assert read_run(work_dir / "run") == replace(run, arch=arch, batch=4, steps=1).to_dict()


def test_train_does_not_name_presets_elsewhere(work_dir, capsys):
    assert main([*PICTURES, "--preset", "images", *ONE_STEP]) == 0
    points = ("train", "ring", "--steps", "1", *TINY, "--out", "points")
    assert main([*points, "--method", "gan"]) == 0
    assert "preset" not in capsys.readouterr().err


def test_train_flags_override_preset(work_dir):
    preset = ("--preset", "ijcai-cifar10", "--term", "r1")
    flags = ("--gaussian.weight", "7", "--lr", "0.5", "--latent", "3", "--ema", "0.5")
    assert main([*PICTURES, *preset, *flags, *ONE_STEP]) == 0
    run, terms = read_run(work_dir / "run"), read_terms(work_dir / "run")
    assert (terms["cycle"]["weight"], terms["gaussian"]["weight"]) == (0.01, 7)
    assert run["arch"] == {"type": "dcgan-sn", "latent": 3, "width": 2, "norm": "none"}
    assert (run["optimiser"]["lr"], run["optimiser"]["betas"]) == (0.5, [0.5, 0.9])
    assert (run["batch"], run["ema"]) == (4, 0.5)


@pytest.mark.parametrize(
    ("flags", "rampup"),
    [
        ((), 0.05),
        (("--ema", "0"), 0.0),
        (("--ema", "0.5"), 0.0),
        (("--ema", "0.5", "--ema-rampup", "0.2"), 0.2),
    ],
)
def test_train_ramps_up_the_average_of_the_preset(work_dir, flags, rampup):
    assert main([*PICTURES, *flags, "--latent", "2", *ONE_STEP]) == 0
    assert read_run(work_dir / "run").get("ema_rampup", 0.0) == rampup


def test_train_help_shows_values_of_preset(capsys):
    text = print_help(capsys, "train", PICTURES[1], "--preset", "ijcai-mnist")
    assert "--preset NAME" in text
    assert all(f"(default: {value})" in text for value in ("70312", "256", "0.0002"))


def test_train_default_method_of_preset(work_dir):
    assert main([*PICTURES, "--preset=invertgan", *ONE_STEP]) == 0
    assert read_terms(work_dir / "run")["cycle"]["norm"] == "l2"


def test_train_error_is_one_line_without_preset(work_dir, capsys):
    error = fail_command(capsys, "train", "mnist", "--root", str(work_dir))
    assert "preset" not in error


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--preset", "ijcai-stl10"], ["'ijcai-stl10'", "48", "32"]),
        (["--preset", "ijcai-stl11"], ["'ijcai-stl11'", "'ijcai-stl10'"]),
        (["--preset", "points"], ["points", "images"]),
        (["--preset", "images", "--preset", "ivgan"], ["--preset", "once"]),
        (["--preset", "--lr"], ["--preset", "iidgan list"]),
    ],
)
def test_train_refuses_presets(work_dir, capsys, flags, words):
    error = fail_command(capsys, *PICTURES, *flags, "--out", "run")
    assert all(word in error for word in words)
    assert not (work_dir / "run").exists()


def test_train_preset_fits_the_source_with_its_flags(work_dir, capsys):
    """The size is that of the source as the flags describe it, not of its defaults."""
    small = (*PICTURES[:2], "--preset", "ijcai-cifar10", *ONE_STEP)
    assert "8 x 8" in fail_command(capsys, *small)
    assert main([*PICTURES, *small[2:]]) == 0


# Components of the user's own

PLUGINS = '''
from collections.abc import Callable
from dataclasses import dataclass

import torch

from iidgan.core import Dataset, Metric, Source, Term
from iidgan.engine.optim import Adam
from iidgan.methods import GAN
from iidgan.nn import MLP


@dataclass(frozen=True, kw_only=True)
class MySource(Source):
    """Points on the unit circle."""

    size: int = 400
    radius: float = 1.0

    def load(self):
        angles = torch.arange(self.size) / self.size * 6.2832
        return Dataset(self.radius * torch.stack([angles.cos(), angles.sin()], 1))


@dataclass(frozen=True, kw_only=True)
class MyGAN(GAN):
    slope: float = 0.1


@dataclass(frozen=True, kw_only=True)
class MyTerm(Term):
    weight: float = 1.0

    @property
    def losses(self):
        return {"G": self.penalty}

    def penalty(self, nets, batch):
        return {"size": self.weight * nets.G(batch.z).square().flatten(1).mean(1)}


@dataclass(frozen=True, kw_only=True)
class MyNet(MLP):
    depth: int = 2


@dataclass(frozen=True, kw_only=True)
class MyAdam(Adam):
    warmup: int = 0


@dataclass(frozen=True, kw_only=True)
class MyMetric(Metric):
    power: float = 2.0

    def missing(self, samples):
        return None

    def protocol(self, samples):
        return {"power": self.power}

    def __call__(self, samples):
        sizes = samples.generated.double().abs() ** self.power
        return {"my_size": sizes.flatten(1).mean(1)}


@dataclass(frozen=True, kw_only=True)
class NeedySource(MySource):
    tilt: float


@dataclass(frozen=True, kw_only=True)
class NeedyGAN(GAN):
    """A GAN that needs a slope.

    Examples:
        >>> NeedyGAN(slope=1.0)
    """

    slope: float
    power: int = 2


@dataclass(frozen=True, kw_only=True)
class NeedyTerm(MyTerm):
    limits: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class OddGAN(GAN):
    compute: Callable[[float], float]


def broken():
    raise ValueError("no luck")


def number():
    return 3
'''

SMALL = ("--arch.hidden", "8", "--batch", "16", "--steps", "8", "--checkpoint-every", "4")


@pytest.fixture
def plugins(plugin_module):
    return plugin_module("own_components", PLUGINS)


def test_train_own_components(plugins, work_dir):
    command = ["train", f"{plugins}:MySource", "--source.radius", "2"]
    command += ["--method", f"{plugins}:MyGAN", "--method.slope", "0.3"]
    command += ["--term", f"{plugins}:MyTerm", "--myterm.weight", "0.5"]
    command += ["--arch", f"{plugins}:MyNet", "--arch.depth", "3"]
    command += ["--optimizer", f"{plugins}:MyAdam", "--optimizer.warmup", "7"]
    assert main([*command, *SMALL]) == 0
    (run_dir,) = (work_dir / "runs").iterdir()
    assert run_dir.name.startswith("MySource-MyGAN-")
    run = read_run(run_dir)
    assert (run["source"]["type"], run["source"]["radius"]) == (f"{plugins}:MySource", 2)
    assert run["method"]["method"]["slope"] == 0.3
    assert read_terms(run_dir)[f"{plugins}:MyTerm"]["weight"] == 0.5
    assert run["arch"]["depth"] == 3
    assert run["optimiser"]["warmup"] == 7


def test_train_own_components_help(plugins, capsys):
    text = print_help(
        capsys,
        *("train", f"{plugins}:MySource", "--method", f"{plugins}:MyGAN"),
        *("--term", f"{plugins}:MyTerm", "--arch", f"{plugins}:MyNet"),
        *("--optimiser", f"{plugins}:MyAdam", "--metric", f"{plugins}:MyMetric"),
    )
    for flag in (
        *("--source.radius", "--method.slope", "--myterm.weight", "--arch.depth"),
        *("--optimiser.warmup", "--mymetric.power"),
    ):
        assert flag in text
    assert "MyMetric(" not in text


def test_train_required_fields(plugins, work_dir):
    command = ["train", f"{plugins}:NeedySource", "--source.tilt=2", "--source.size", "300"]
    command += ["--method", f"{plugins}:NeedyGAN", "--method.slope", "0.3", "--method.power=3"]
    command += ["--term", f"{plugins}:NeedyTerm", "--needyterm.limits", "-1", "2"]
    assert main([*command, *SMALL, "--out", "run"]) == 0
    run = read_run(work_dir / "run")
    assert (run["source"]["tilt"], run["source"]["size"]) == (2, 300)
    assert (run["method"]["method"]["slope"], run["method"]["method"]["power"]) == (0.3, 3)
    assert read_terms(work_dir / "run")[f"{plugins}:NeedyTerm"]["limits"] == [-1, 2]


def test_train_required_fields_help(plugins, capsys):
    command = ["train", "ring", "--method", f"{plugins}:NeedyGAN"]
    text = print_help(capsys, *command)
    assert "--method.slope FLOAT" in text
    assert "(required)" in text
    assert "A GAN that needs a slope." in text
    assert "Example" not in text
    assert "--arch.latent" in print_help(capsys, *command, "--method.slope", "1")


def test_train_own_metric(plugins, work_dir, capsys):
    command = ["train", "ring", "--method", "gan", "--metric", f"{plugins}:MyMetric"]
    options = ["--metric", "coverage", "--source.size", "400", "--mymetric.power", "3"]
    assert main([*command, *options, *SMALL, "--out", "run"]) == 0
    assert "my_size" in capsys.readouterr().out
    lines = (work_dir / "run" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    own = [record for record in records if record["metric"] == "my_size"]
    assert [record["step"] for record in own] == [4, 8]
    assert {record["protocol"]["power"] for record in own} == {3.0}
    assert {"quality", "modes_100"} <= {record["metric"] for record in records}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ring", "--method", "{}:broken"], ["method: ", "broken'", "no luck"]),
        (["{}:broken"], ["source: ", "broken'", "no luck"]),
        (["{}:number"], ["source: ", "number'", "Source", "int"]),
        (["{}:MyGAN"], ["source: ", "MyGAN'", "Source"]),
        (["ring", "--method", "{}:NeedyGAN"], ["missing --method.slope", "NeedyGAN --help"]),
        (["ring", "--method", "{}:NeedyGAN", "--method.slope", "x"], ["--method.slope: ", "'x'"]),
        (["ring", "--method", "{}:OddGAN", "--method.compute", "x"], ["OddGAN: ", "type"]),
        (["{}:NeedySource"], ["missing --source.tilt"]),
        (["{}:Absent"], ["source: ", "Absent"]),
        (["ring", "--metric", "{}:number"], ["metric: ", "number'", "Metric", "int"]),
        (["ring", "--metric={}:MyMetric", "--metric={}:MyMetric"], ["metric: ", "'mymetric'"]),
        (["ring", "--metric", "{}:MyMetric", "--mymetric.pow", "3"], ["--mymetric.power"]),
        (["{}:MySource", "--source.radius", "far"], ["--source.radius: ", "'far'"]),
    ],
)
def test_train_refuses_own_components(plugins, work_dir, capsys, arguments, words):
    error = fail_command(capsys, "train", *(word.format(plugins) for word in arguments))
    assert all(word in error for word in words), error
    assert not (work_dir / "runs").exists()


def test_train_refuses_duplicate_term(capsys):
    error = fail_command(capsys, "train", "ring", "--method", "iid-gan", "--term", "gaussian")
    assert "term: 'gaussian'" in error


def test_train_refuses_term_given_twice(capsys):
    error = fail_command(capsys, "train", "ring", "--method", "gan", *("--term", "r1") * 2)
    assert "term: 'r1' is given twice" in error


def test_train_help_shows_default_of_lr_factors(capsys):
    text = " ".join(print_help(capsys, "train", "ring").replace("│", " ").split())
    assert "such as D=4 G=1. (default: those of the preset, or 1)" in text


def test_train_learning_rates_of_players(work_dir):
    command = ["train", "ring", "--method", "gan", "--optimiser", "rmsprop", "--lr", "1e-3", *TINY]
    assert main([*command, "--steps", "4", "--lr-factors", "D=4", "G=1", "--out", "run"]) == 0
    run = read_run(work_dir / "run")
    assert run["lr_factors"] == [["D", 4.0]]
    assert run["optimiser"] == {
        "type": "rmsprop",
        "lr": 1e-3,
        "alpha": 0.99,
        "eps": 1e-8,
        "schedule": "constant",
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("E=4",), "iidgan: lr_factors: unknown 'E'; known: D, G"),
        (("D4",), "iidgan: --lr-factors: must be PLAYER=FACTOR, such as D=4, got 'D4'"),
        (("D=x",), "iidgan: --lr-factors: must be PLAYER=FACTOR, such as D=4, got 'D=x'"),
        (("D=0",), "iidgan: lr_factors: must be positive numbers, such as 0.5, got 0.0 for D"),
    ],
)
def test_train_refuses_learning_rates_of_players(work_dir, capsys, words, expected):
    command = ("train", "ring", "--method", "gan", *TINY, "--lr-factors")
    assert fail_command(capsys, *command, *words) == f"{expected}\n"


@pytest.mark.parametrize(
    ("flag", "meant"), [("--dim", "--source.dim"), ("--hidden", "--arch.hidden")]
)
def test_train_suggests_options_of_parts(work_dir, capsys, flag, meant):
    message = fail_command(capsys, "train", "mixture", flag, "10")
    assert message == f"iidgan: {flag}: unknown option; did you mean {meant}?\n"


def test_fine_tuning_from_run(trained_run, capsys):
    command = ["train", "points.npy", "--steps", "2", "--arch.hidden", "8", "--batch", "16"]
    assert main([*command, "--from", "run", "--from-seed", "1", "--out", "tuned"]) == 0
    assert "seed 1: F fits; G fits; D fits" in " ".join(capsys.readouterr().err.split())
    assert RunDir(Path("tuned")).read_run()[0].start.seed == 1
    for option in ("--from-seed", "--freeze-d"):
        assert "--from RUN" in fail_command(capsys, *command, option, "1")
    assert "nowhere" in fail_command(capsys, *command, "--from", "nowhere")
