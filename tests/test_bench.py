"""Runs, folders and training as a whole: exact resume, divergence, damage, wrong input."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import signal
import subprocess
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iidgan import records as rowfile
from iidgan.config.defaults import recommended
from iidgan.config.registry import KINDS, class_of, find, name_of
from iidgan.config.run import Run
from iidgan.config.serialization import difference
from iidgan.core import (
    Arch,
    Batch,
    Dataset,
    Loss,
    Losses,
    Method,
    Nets,
    Player,
    Regularised,
    Samples,
    Shapes,
    Source,
)
from iidgan.data import SOURCES, ArrayFile, FashionMnist, Grid, Mnist, Prepared, Ring, array
from iidgan.engine import checkpoint
from iidgan.engine.inference import prior
from iidgan.engine.loop import Stop
from iidgan.engine.optim import OPTIMISERS, Adam
from iidgan.engine.sampling import Batches
from iidgan.engine.state import init
from iidgan.engine.step import Move
from iidgan.errors import InputError
from iidgan.methods import GAN, METHODS, iid_gan
from iidgan.metrics import ModeCoverage
from iidgan.nn import ARCHS, DCGAN, MLP
from iidgan.terms import TERMS, CycleConsistency, GaussianConsistency
from iidgan.train import train
from iidgan.training.model import load as load_model
from iidgan.training.run_dir import RunFolder
from iidgan.training.session import Result
from iidgan.utils import provenance
from iidgan.utils.files import MANIFEST, PARTIAL, damage
from iidgan.utils.jsonl import append_lines, read_lines
from iidgan.utils.locks import locked

STEPS, EVERY = 12, 4


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few samples for the metrics, and no look at the version control."""
    monkeypatch.setattr(Ring, "num_evaluated", 150)
    monkeypatch.setattr("iidgan.utils.provenance.commit", lambda: "some-commit")


def tiny(method: Method | None = None, **changes: Any) -> Run:
    small = {"source": Ring(size=200), "arch": MLP(hidden=(8,)), "steps": STEPS, "batch": 16}
    return Run(method=method or GAN(), **(small | changes))


def teach(run: Run, out: Path, **options: Any) -> Result:
    return train(run, out=out, device="cpu", **({"checkpoint_every": EVERY} | options))


def stopping_at(step: int) -> dict[str, Any]:
    """Makes the options of a training that is told to stop at the tick of `step`."""
    stop = Stop()

    def listener(news, tick):
        if tick is not None and tick.step == step:
            stop.signal = signal.SIGTERM

    return {"listener": listener, "stop": stop}


def tensors_of(path: Path) -> dict[str, Tensor]:
    found = checkpoint.newest(RunFolder(path).checkpoints)
    assert found.path is not None
    return checkpoint.read(found.path)


def bits(value: Tensor) -> tuple[Any, ...]:
    return value.dtype, tuple(value.shape), value.numpy().tobytes()


def different(left: dict[str, Tensor], right: dict[str, Tensor]) -> list[str]:
    """Lists the names of tensors that are not the same bit for bit."""
    assert left.keys() == right.keys()
    return [name for name in left if bits(left[name]) != bits(right[name])]


def rows_of(path: Path, **wanted: Any) -> list[str]:
    """Lists all rows but for their provenance; as text, since NaN equals nothing."""
    found = (replace(row, provenance={}) for row in rowfile.read(RunFolder(path).metrics))
    return [str(row) for row in found if all(getattr(row, k) == v for k, v in wanted.items())]


def log_of(path: Path) -> list[dict[str, Any]]:
    lines = read_lines(RunFolder(path).log)
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def events_of(path: Path) -> list[str]:
    return [line["event"] for line in read_lines(RunFolder(path).events)]


def contents(path: Path) -> dict[str, tuple[int, bytes]]:
    files = (p for p in sorted(path.rglob("*")) if p.is_file())
    return {str(p.relative_to(path)): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}


def assert_same(left: Path, right: Path) -> None:
    """Asserts that two folders hold the same training, bit for bit."""
    assert different(tensors_of(left), tensors_of(right)) == []
    assert sorted(rows_of(left)) == sorted(rows_of(right))
    assert log_of(left) == log_of(right)
    for name in ("config.json", "model.safetensors"):
        assert (left / "generator" / name).read_bytes() == (
            right / "generator" / name
        ).read_bytes()
    with np.load(left / "arrays.npz") as a, np.load(right / "arrays.npz") as b:
        assert {n: a[n].tobytes() for n in a} == {n: b[n].tobytes() for n in b}
    assert not list(left.rglob(f"{PARTIAL}*"))


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """Expects an input error of one line that has all the words."""
    with pytest.raises(InputError) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


# Methods and sources of a stranger


class NoisyGenerator(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, z: Tensor) -> Tensor:
        return self.inner(z + 0.1 * torch.randn_like(z))


@dataclass(frozen=True, kw_only=True)
class Noisy(Method):
    """A GAN that draws from the default generator, in its loss and inside G."""

    amount: float = 0.1

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", GAN().loss_G, trains=("G",))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        made = GAN().networks(arch)
        return made | {"G": NoisyGenerator(made["G"])}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        noise = torch.randn_like(batch.x)
        return GAN().loss_D(nets, replace(batch, x=batch.x + self.amount * noise))


@dataclass(frozen=True, kw_only=True)
class Sick(Method):
    """A method whose losses are NaN for a seed when one of its spare uniforms is large."""

    inner: Method
    above: float = 2.0  # never

    @property
    def players(self) -> tuple[Player, ...]:
        return tuple(replace(p, loss=partial(self.spoil, p.loss)) for p in self.inner.players)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return self.inner.networks(arch)

    def noise(self, arch: Arch) -> Shapes:
        return self.inner.noise(arch)

    def spoil(self, loss: Loss, nets: Nets, batch: Batch) -> Losses:
        factor = torch.where(batch.u.amax(1) > self.above, torch.nan, 1.0)
        return {name: value * factor for name, value in loss(nets, batch).items()}


@dataclass(frozen=True, kw_only=True)
class Phased(Method):
    """A GAN whose D first learns alone, from pairs of batches and with noise that fades."""

    until: float = 0.5

    @property
    def players(self) -> tuple[Player, ...]:
        D, G = GAN().players
        W = Player("W", self.loss_W, ("D",), repeat=2, batches=2, during=(0.0, self.until))
        return W, *(replace(player, during=(self.until, 1.0)) for player in (D, G))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return GAN().networks(arch)

    def noise(self, arch: Arch) -> Shapes:
        return {"blur": arch.shape}

    def loss_W(self, nets: Nets, batch: Batch) -> Losses:
        x = batch.x + (1 - batch.t) * batch.noise["blur"]
        return {"warm": GAN().loss_D(nets, replace(batch, x=x))["adversarial"]}


@dataclass(frozen=True, kw_only=True)
class Squares(Source):
    """Small random images."""

    images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 20
    size: int = 40

    def load(self) -> Dataset:
        generator = torch.Generator().manual_seed(0)
        shape = (self.size, 1, 8, 8)
        return Dataset(torch.randint(256, shape, generator=generator).to(torch.uint8))


# Run


NEEDY = {"array": ArrayFile(path="x.npy"), "prepared": Prepared(name="x")}


def registered() -> Iterator[tuple[str, Run]]:
    """Makes a run with each thing that has a name."""
    for name, make in METHODS.items():
        yield name, Run(method=make())
    for name, term in TERMS.items():
        yield name, Run(method=Regularised(method=GAN(), terms=(term(),)))
    for name, source in SOURCES.items():
        yield name, Run(source=NEEDY[name] if name in NEEDY else source())
    for name, arch in ARCHS.items():
        yield name, Run(arch=arch())
    for name, optimiser in OPTIMISERS.items():
        yield name, Run(optimiser=optimiser())
    nested = Regularised(method=iid_gan(), terms=(TERMS["z-discriminator"](),))
    yield "nested", Run(method=nested, source=Squares(), arch=DCGAN())
    yield "stranger", Run(method=Sick(inner=Noisy()), source=Squares())


RUNS = dict(registered())


def other(value: Any, hint: Any) -> Any:
    """Finds another valid value of an option."""
    if typing.get_origin(hint) is Literal:
        return next(choice for choice in typing.get_args(hint) if choice != value)
    if value is None and "float" in str(hint):
        return 0.5
    if value is None and int in typing.get_args(hint):
        return 1
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return 0.9 * value or 0.5
    if isinstance(value, tuple):
        return (other(value[0], None), *value[1:])
    return f"{value or ''}x"


def edits(thing: Any) -> Iterator[tuple[str, Any, bool]]:
    """Changes each option in turn: where, the changed thing, and whether it is a mere place."""
    hints = typing.get_type_hints(type(thing))
    for f in fields(thing):
        value = getattr(thing, f.name)
        if is_dataclass(value):
            for name, edited, place in edits(value):
                yield f"{f.name}.{name}", replace(thing, **{f.name: edited}), place
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            for i, item in enumerate(value):
                for name, edited, place in edits(item):
                    changed = (*value[:i], edited, *value[i + 1 :])
                    yield f"{f.name}[{i}].{name}", replace(thing, **{f.name: changed}), place
        else:
            changed = other(value, hints[f.name])
            yield f.name, replace(thing, **{f.name: changed}), bool(f.metadata.get("path"))


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_option_but_places_is_in_the_id_and_survives_json(run):
    seen = {run.id}
    for name, edited, place in edits(run):
        assert (edited.id in seen) == place, name
        seen.add(edited.id)
        again = Run.from_dict(json.loads(json.dumps(edited.to_dict())))
        assert again == edited
        assert again.id == edited.id
        lines = difference(run.to_dict(include_paths=False), edited.to_dict(include_paths=False))
        assert [line[: len(name)] for line in lines] == ([] if place else [name])


def test_only_paths_are_places():
    places = {
        f"{label}.{name}" for label, run in RUNS.items() for name, _, place in edits(run) if place
    }
    stacked = ("stacked-mnist", "stacked-fashion")
    named = ("mnist", "mnist-5k", "fashion-mnist", "prepared", *stacked)
    images = {f"{name}.source.root" for name in named}
    assert places == images | {"array.source.path"}


def test_equal_runs_have_equal_ids():
    whole = Run(optimiser=Adam(lr=1, betas=(0, 0.9)), source=Ring(radius=2), ema=0)
    exact = Run(optimiser=Adam(lr=1.0, betas=(0.0, 0.9)), source=Ring(radius=2.0), ema=0.0)
    assert whole == exact
    assert whole.id == exact.id
    assert Run(arch=MLP(hidden=[8, 8])).id == Run(arch=MLP(hidden=(8, 8))).id


def test_the_id_is_a_dozen_hexadecimal_digits_that_a_name_does_not_change():
    assert len(Run().id) == 12
    assert int(Run().id, 16) >= 0
    assert Run(source=Mnist(root="/a")).id == Run(source=Mnist(root="/b")).id
    assert Run(source=Mnist()).id != Run(source=FashionMnist()).id


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"source": {"type": "rign"}}, ["type", "'rign'", "did you mean 'ring'"]),
        ({"source": {"type": "ring", "radus": 1.0}}, ["Ring", "'radus'", "did you mean 'radius'"]),
        ({"stepz": 3}, ["Run", "'stepz'", "did you mean 'steps'"]),
        ({"source": {"modes": 3}}, ["type", "known: "]),
        ({"source": {"type": None}}, ["type", "'None'"]),
        ({"source": {"type": "no_such_module:Thing"}}, ["no_such_module"]),
        ({"source": {"type": "iidgan.data:Rign"}}, ["Rign"]),
        ({"source": {"type": "builtins:int"}}, ["builtins:int"]),
        ({"steps": 0}, ["steps", "0", "at least 1"]),
    ],
)
def test_decoding_names_what_it_does_not_know(data, words):
    with refused(*words):
        Run.from_dict(data)


@pytest.mark.parametrize(
    ("field", "value"), [("steps", 0), ("batch", -1), ("ema", 1.0), ("ema", -0.1)]
)
def test_numbers_out_of_range_are_refused(field, value):
    with refused(field, str(value)):
        Run(**{field: value})


def test_vectors_get_the_synthetic_setting():
    assert recommended(Grid(), iid_gan()) == Run(source=Grid(), method=iid_gan())


def test_images_get_a_convolutional_setting():
    run = recommended(Mnist(), GAN())
    assert isinstance(run.arch, DCGAN)
    expected = Run(source=Mnist(), arch=run.arch, optimiser=Adam(lr=2e-4), batch=64, steps=20_000)
    assert run == expected


@pytest.mark.parametrize("name", ["gan", "iid-gan", "sngan", "wgan-gp", "r3gan"])
def test_recommended_critics_whose_slope_is_penalised_have_no_batch_norm(name):
    penalised = name in ("wgan-gp", "r3gan")
    assert recommended(Mnist(), METHODS[name]()).arch.norm == ("none" if penalised else "batch")


@pytest.mark.parametrize("method", [iid_gan(), METHODS["iid-gan+"]()])
def test_images_change_only_weights_that_are_at_their_defaults(method):
    cycle, gaussian, *_ = recommended(Mnist(), method).method.terms
    means = CycleConsistency(norm="l1", weight=0.5)
    assert (cycle, gaussian) == (means, GaussianConsistency(weight=0.1))
    own = iid_gan(cycle=CycleConsistency(weight=7.0), gaussian=GaussianConsistency(distance="w2"))
    assert recommended(Mnist(), own).method == own


def test_differences_show_both_values():
    old = Run(method=iid_gan())
    new = Run(method=GAN(), source=Grid(), steps=5)
    lines = difference(old.to_dict(), new.to_dict())
    assert lines == [
        "source (ring there, grid here)",
        "method (regularised there, gan here)",
        "steps (24000 there, 5 here)",
    ]
    assert difference([1, 2], [1], "seeds") == ["seeds ([1, 2] there, [1] here)"]


@pytest.mark.parametrize("kind", KINDS)
def test_registered_names_and_imports_are_found(kind):
    for name, made in KINDS[kind].items():
        assert find(kind, name) is made
    with refused(kind.removesuffix("s"), "nonsense", "known: "):
        find(kind, "nonsense")
    with refused("nonsense"):
        find(kind, "nonsense.module:Name")


def test_classes_without_a_name_are_found_by_import():
    assert name_of(Squares) == f"{__name__}:Squares"
    assert class_of(name_of(Squares)) is Squares


# RunFolder


CPU = torch.device("cpu")


def claim(path: Path, run: Run, seeds: tuple[int, ...] = (0,)) -> None:
    RunFolder(path).claim(run, seeds, CPU, Dataset(torch.zeros(2, 2)))


def test_a_run_claims_its_folder_again_and_again(tmp_path):
    claim(tmp_path / "deep" / "r", tiny())
    before = contents(tmp_path)
    claim(tmp_path / "deep" / "r", tiny())
    assert contents(tmp_path) == before
    assert RunFolder(tmp_path / "deep" / "r").read() == (tiny(), (0,))


@pytest.mark.parametrize(
    ("run", "seeds", "difference"),
    [
        (tiny(optimiser=Adam(lr=1e-3)), (0,), "optimiser.lr (0.002 there, 0.001 here)"),
        (tiny(), (0, 1), "seeds ([0] there, [0, 1] here)"),
        (tiny(), (3,), "seeds[0] (0 there, 3 here)"),
        (tiny(iid_gan()), (0,), "method (gan there, regularised here)"),
        (tiny(batch=8, steps=13), (0,), "steps (12 there, 13 here), batch (16 there, 8 here)"),
        (tiny(arch=MLP(hidden=(8, 9))), (0,), "arch.hidden ([8] there, [8, 9] here)"),
        (
            tiny(precision="bfloat16"),
            (0,),
            'precision (the default there, "bfloat16" here)',
        ),
    ],
)
def test_a_folder_of_a_different_run_names_exactly_what_differs(tmp_path, run, seeds, difference):
    claim(tmp_path, tiny())
    before = contents(tmp_path)
    with refused(f"{tmp_path} holds a different run; differing fields: {difference}; choose"):
        claim(tmp_path, run, seeds)
    assert contents(tmp_path) == before


def test_a_folder_that_moved_data_still_fits(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((20, 2)))
    shutil.copy(tmp_path / "a.npy", tmp_path / "b.npy")
    claim(tmp_path / "r", tiny(source=array(tmp_path / "a.npy")))
    claim(tmp_path / "r", tiny(source=array(tmp_path / "b.npy")))
    np.save(tmp_path / "b.npy", np.zeros((20, 2)))
    with refused("source.sha256 ("):
        claim(tmp_path / "r", tiny(source=array(tmp_path / "b.npy")))


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    with refused(str(tmp_path), "holds no run"):
        teach(tiny(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letters"]


def test_a_file_in_the_way_is_left_alone(tmp_path):
    (tmp_path / "r").write_text("mine")
    for out in (tmp_path / "r", tmp_path / "r" / "below"):
        with refused(str(tmp_path / "r")):
            teach(tiny(), out)
    assert (tmp_path / "r").read_text() == "mine"


def test_an_impossible_name_is_one_line(tmp_path):
    with refused("File name too long"):
        teach(tiny(), tmp_path / ("x" * 300))


def test_an_empty_folder_and_the_rest_of_an_interrupted_claim_are_free(tmp_path):
    (tmp_path / f"{PARTIAL}run-abc.json").write_text('{"id"')
    claim(tmp_path, tiny())
    assert RunFolder(tmp_path).read() == (tiny(), (0,))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"run": {}}',
        b'{"run": [], "seeds": 3}',
        b'{"run": {"steps": "many"}, "seeds": [0]}',
        b'{"run": {"source": {"type": "ring", "modes": []}}, "seeds": [0]}',
        b'{"run": {"nonsense": 1}, "seeds": [0]}',
    ],
)
def test_a_damaged_run_file_is_named(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with refused(str(tmp_path / "run.json"), "damaged"):
        teach(tiny(), tmp_path)
    assert (tmp_path / "run.json").read_bytes() == content


def test_a_folder_as_run_file_is_named(tmp_path):
    (tmp_path / "run.json").mkdir()
    with refused(str(tmp_path / "run.json")):
        teach(tiny(), tmp_path)


def test_rewinding_forgets_only_what_came_later(tmp_path):
    folder = RunFolder(tmp_path)
    for path in (folder.log, folder.metrics):
        append_lines(path, [{"step": step} for step in (4, 8, 12, 8)])
    folder.rewind(8)
    for path in (folder.log, folder.metrics):
        assert [line["step"] for line in read_lines(path)] == [4, 8, 8]


@pytest.mark.parametrize("line", [b"[1]\n", b"{\n", b"\xff\n"])
def test_a_damaged_log_is_named_with_its_line(tmp_path, line):
    teach(tiny(), tmp_path, **stopping_at(4))
    path = RunFolder(tmp_path).log
    path.write_bytes(path.read_bytes() + line)
    with refused(f"{path}: line 2 "):
        teach(tiny(), tmp_path)


# Training and resuming


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Callable[..., Path]:
    """Trains without interruption, each run once."""
    made: dict[Any, Path] = {}

    def trained(run: Run, seeds: int | tuple[int, ...] = 1) -> Path:
        key = run.id, seeds
        if key not in made:
            made[key] = tmp_path_factory.mktemp("whole") / "r"
            assert teach(run, made[key], seeds=seeds).ending == "finished"
        return made[key]

    return trained


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("name", METHODS)
def test_stopping_and_going_on_changes_no_bit(tmp_path, whole, name, seeds):
    run = tiny(METHODS[name]())
    first = teach(run, tmp_path / "r", seeds=seeds, **stopping_at(8))
    assert (first.ending, first.step) == ("stopped", 8)
    last = teach(run, tmp_path / "r", seeds=seeds)
    assert (last.ending, last.step, last.diverged) == ("finished", STEPS, (-1,) * seeds)
    assert events_of(tmp_path / "r") == ["started", "stopped", "started", "finished"]
    assert_same(tmp_path / "r", whole(run, seeds))


VARIANTS = {
    "average": tiny(iid_gan(), ema=0.5),
    "noise": tiny(Noisy()),
    "images": tiny(
        iid_gan(), source=Squares(), arch=DCGAN(latent=3, width=2, spectral_norm=True), batch=8
    ),
    "cosine": tiny(optimiser=Adam(schedule="cosine")),
    "phases": tiny(Phased(), ema=0.5),
}


@pytest.mark.parametrize("run", VARIANTS.values(), ids=VARIANTS)
def test_stopping_changes_no_bit_of_averages_noise_buffers_or_schedules(tmp_path, whole, run):
    teach(run, tmp_path / "r", seeds=2, **stopping_at(4))
    teach(run, tmp_path / "r", seeds=2)
    assert_same(tmp_path / "r", whole(run, 2))


@pytest.mark.parametrize("step", [5, 6, 7])
def test_a_stop_around_a_change_of_players_changes_no_bit(tmp_path, whole, step):
    """The change is after step 6; the log has each player's losses where it moved."""
    run = tiny(Phased())
    teach(run, tmp_path / "r", checkpoint_every=step, **stopping_at(step))
    assert teach(run, tmp_path / "r").step == STEPS
    assert different(tensors_of(tmp_path / "r"), tensors_of(whole(run))) == []
    names = {line["step"]: line.keys() - {"step", "seed"} for line in log_of(whole(run))}
    first, then = {"W/warm"}, {"D/adversarial", "G/adversarial"}
    assert names == {4: first, 6: first, 8: then, 12: then}


@pytest.mark.parametrize("step", [1, 5, 11])
def test_a_stop_between_checkpoints_saves_the_step_it_came_in(tmp_path, whole, monkeypatch, step):
    stop, run = Stop(), tiny(iid_gan())

    class Watched(Batches):
        def at(self, number: int) -> list[Batch]:
            if number + 1 == step:
                stop.signal = signal.SIGINT
            return super().at(number)

    with monkeypatch.context() as patch:
        patch.setattr("iidgan.training.context.Batches", Watched)
        first = teach(run, tmp_path, seeds=2, stop=stop)
    assert (first.ending, first.step) == ("stopped", step)
    teach(run, tmp_path, seeds=2)
    straight = whole(run, 2)
    assert different(tensors_of(tmp_path), tensors_of(straight)) == []
    for measured in (4, 8, 12):
        assert rows_of(tmp_path, step=measured) == rows_of(straight, step=measured)
    assert totals(tmp_path) == pytest.approx(totals(straight), abs=1e-4)


def totals(path: Path) -> dict[str, float]:
    """Sums the logged losses over all steps, whatever the ticks were."""
    found: dict[str, float] = {}
    before = 0
    for line in log_of(path):
        if line["seed"] == 0:
            for name in line.keys() - {"step", "seed"}:
                found[name] = found.get(name, 0.0) + (line["step"] - before) * line[name]
            before = line["step"]
    return found


def test_a_stop_in_the_last_step_is_an_end(tmp_path, whole):
    assert teach(tiny(), tmp_path, **stopping_at(STEPS)).ending == "finished"
    assert_same(tmp_path, whole(tiny()))


def test_looking_more_often_changes_no_training(tmp_path, whole):
    run = tiny(Noisy())
    teach(run, tmp_path, checkpoint_every=100)
    assert [p.name for p in RunFolder(tmp_path).checkpoints.iterdir()] == ["step-00000012"]
    assert different(tensors_of(tmp_path), tensors_of(whole(run))) == []


def test_the_default_generator_of_the_caller_neither_matters_nor_changes(tmp_path, whole):
    run = tiny(Noisy())
    torch.manual_seed(4)
    before = torch.get_rng_state()
    teach(run, tmp_path)
    assert torch.equal(before, torch.get_rng_state())
    assert_same(tmp_path, whole(run))


def test_the_same_command_on_a_finished_run_does_nothing(tmp_path):
    run = tiny(iid_gan())
    first = teach(run, tmp_path, seeds=2)
    before = contents(tmp_path)
    again = teach(run, tmp_path, seeds=2)
    assert contents(tmp_path) == before
    assert (again.ending, again.step, again.diverged) == (first.ending, STEPS, (-1, -1))
    assert again.rows == first.rows


def test_as_many_checkpoints_are_kept_as_asked_for(tmp_path):
    for keep in (1, 2, 5):
        teach(tiny(), tmp_path / str(keep), keep=keep)
        names = sorted(p.name for p in RunFolder(tmp_path / str(keep)).checkpoints.iterdir())
        assert names == ["step-00000004", "step-00000008", "step-00000012"][-keep:]
        assert all(damage(RunFolder(tmp_path / str(keep)).checkpoints / n) is None for n in names)


def test_seeds_can_be_named_and_are_what_they_are_alone(tmp_path):
    run = tiny(iid_gan())
    pair, alone = teach(run, tmp_path / "a", seeds=[3, 5]), teach(run, tmp_path / "b", seeds=[3])
    assert {row.seed for row in pair.rows} == {3, 5}
    for name, value in alone.model(3).nets.state_dict().items():
        torch.testing.assert_close(pair.model(3).nets.state_dict()[name], value)
    torch.testing.assert_close(pair.model(3).sample(50), alone.model().sample(50))
    assert pair.model().stand.seeds == (3,)
    assert (pair.model(5).sample(50) - alone.model().sample(50)).abs().max() > 0.01


def test_going_on_with_other_seeds_is_refused(tmp_path):
    teach(tiny(), tmp_path, seeds=2, **stopping_at(4))
    before = contents(tmp_path)
    with refused("seeds ([0, 1] there, [0, 1, 2] here)"):
        teach(tiny(), tmp_path, seeds=3)
    assert contents(tmp_path) == before


def test_a_folder_in_use_is_refused_until_it_is_free(tmp_path, whole):
    teach(tiny(), tmp_path, **stopping_at(4))
    before = contents(tmp_path)
    with locked(tmp_path), refused(str(tmp_path), "in use by another process"):
        teach(tiny(), tmp_path)
    assert contents(tmp_path) == before
    teach(tiny(), tmp_path)
    assert_same(tmp_path, whole(tiny()))


def test_news_of_a_resume_is_told(tmp_path):
    teach(tiny(), tmp_path, **stopping_at(4))
    heard = []
    teach(tiny(), tmp_path, listener=lambda news, tick: heard.append((news, tick and tick.step)))
    assert heard == [("going on from step 4", None), ("", 8), ("", 12)]


# What a training leaves


def test_rows_say_how_they_were_made(whole):
    run = tiny(iid_gan())
    found = rowfile.read(RunFolder(whole(run, 3)).metrics)
    assert {(row.run, row.diverged) for row in found} == {(run.id, -1)}
    assert {(row.seed, row.step) for row in found} == {
        (s, t) for s in range(3) for t in (4, 8, 12)
    }
    assert {row.protocol["family"] for row in found} == {"coverage", "normality", "reconstruction"}
    assert all(row.protocol["ema"] == 0.0 for row in found)
    modes = next(row for row in found if row.metric == "modes_1")
    assert modes.protocol["num_generated"] == 150
    assert modes.protocol["std"] == 0.001
    assert modes.provenance["commit"] == "some-commit"
    assert {"iidgan", "torch", "numpy", "python", "device", "date"} <= modes.provenance.keys()


def test_a_row_can_be_computed_again_from_the_generator(tmp_path):
    run = tiny(iid_gan(), source=Ring(size=200, std=0.5))
    result, data = teach(run, tmp_path, seeds=np.arange(2)), run.source.load()
    for seed in (0, 1):
        generated = result.model(seed).generate(prior([seed], 150, 2)[0])[None]
        expected = ModeCoverage()(Samples(generated, data.x, truth=data.truth))
        found = {r.metric: r.value for r in result.rows if (r.seed, r.step) == (seed, STEPS)}
        assert expected["quality"].item() > 0
        for name, value in expected.items():
            assert found[name] == pytest.approx(value.item(), nan_ok=True)


def test_the_averaged_weights_are_what_is_sampled(tmp_path):
    result = teach(tiny(ema=0.5), tmp_path)
    saved = tensors_of(tmp_path)
    for name, value in result.model().nets.state_dict().items():
        assert torch.equal(value, saved[f"average.{name}"])
        assert not torch.equal(value, saved[f"nets.{name}"])


def test_samples_are_reproducible_and_of_the_right_shape(tmp_path):
    model = teach(tiny(iid_gan()), tmp_path / "a").model()
    assert model.sample(7).shape == (7, 2)
    assert model.sample(0).shape == (0, 2)
    assert torch.equal(model.sample(7), load_model(tmp_path / "a" / "generator").sample(7))
    assert not torch.equal(model.sample(7), model.sample(7, stream=2))
    assert torch.equal(model.generate(model.prior(7)), model.sample(7))
    assert model.invert(torch.zeros(5, 2)).shape == (5, 2)
    assert "seed=0" in repr(model)
    images = tiny(source=Squares(), arch=DCGAN(latent=3, width=2), batch=8)
    assert teach(images, tmp_path / "b").model().sample(3).shape == (3, 1, 8, 8)


def test_samples_do_not_depend_on_the_chunks(tmp_path, monkeypatch):
    model = teach(tiny(iid_gan()), tmp_path).model()
    expected, codes = model.sample(100), model.invert(torch.ones(100, 2))
    for size in (1, 7, 99, 100):
        monkeypatch.setattr("iidgan.engine.inference.CHUNK", size)
        torch.testing.assert_close(model.sample(100), expected)
        torch.testing.assert_close(model.invert(torch.ones(100, 2)), codes)


def test_a_model_refuses_what_it_cannot_map(whole):
    plain, inverting = load_model(whole(tiny())), load_model(whole(tiny(iid_gan())))
    with refused("invert", "no inverse"):
        plain.invert(torch.zeros(3, 2))
    with refused("(3,)", "(2,)"):
        inverting.invert(torch.zeros(5, 3))
    with refused("(2, 2)", "(2,)"):
        plain.generate(torch.zeros(5, 2, 2))


def test_loading_refuses_what_is_not_there(tmp_path, whole):
    path = whole(tiny(), 3)
    with refused("seed", "7", "0, 1, 2"):
        load_model(path, 7)
    for missing in (tmp_path, tmp_path / "nowhere", path / "run.json"):
        with refused(str(missing), "no generator"):
            load_model(missing)
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)
    flip(copy / "generator" / "model.safetensors")
    with refused(str(copy / "generator"), "damaged", "model.safetensors"):
        load_model(copy)


def test_of_rows_that_are_the_same_the_last_counts(tmp_path):
    row = rowfile.Row(
        run="a", seed=0, step=4, metric="m", value=1.0, diverged=-1, protocol={}, provenance={}
    )
    other = replace(row, protocol={"k": 3.0})
    nothing = replace(row, seed=1, value=float("inf"))
    rowfile.append(tmp_path / "rows.jsonl", [row, other, nothing, replace(row, value=2.0)])
    first, second, third = rowfile.read(tmp_path / "rows.jsonl")
    assert (first, second) == (replace(row, value=2.0), other)
    assert math.isnan(third.value)
    append_lines(tmp_path / "rows.jsonl", [{"run": "a", "sead": 0}])
    with refused(str(tmp_path / "rows.jsonl"), "sead"):
        rowfile.read(tmp_path / "rows.jsonl")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", "abc"),
        ("value", True),
        ("seed", "zero"),
        ("seed", -1),
        ("seed", 0.5),
        ("step", "24000"),
        ("protocol", None),
        ("diverged", None),
        ("provenance", []),
    ],
)
def test_a_row_of_other_types_is_named_with_its_line(tmp_path, field, value):
    row = {"run": "a", "seed": 0, "step": 4, "metric": "m", "value": 1, "diverged": -1}
    row |= {"protocol": {}, "provenance": {}}
    append_lines(tmp_path / "rows.jsonl", [row, row | {field: value}])
    with refused("rows.jsonl: line 2: ", f"{field} is {value!r}"):
        rowfile.read(tmp_path / "rows.jsonl")


@pytest.mark.parametrize("nested", [{"a": 1}, [1]])
def test_a_row_whose_protocol_nests_is_named_with_its_line(tmp_path, nested):
    row = {"run": "a", "seed": 0, "step": 4, "metric": "m", "value": 1, "diverged": -1}
    row |= {"protocol": {"k": nested}, "provenance": {}}
    append_lines(tmp_path / "rows.jsonl", [row])
    with refused("rows.jsonl: line 1: protocol has k "):
        rowfile.read(tmp_path / "rows.jsonl")


def test_rows_are_in_a_folder_and_of_json_that_can_be_read(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("[" * 100_000 + "\n")
    with refused("results: ", "is a file; name the folder that it lies in"):
        rowfile.read_all(path)
    with refused("rows.jsonl: line 1 is not JSON"):
        rowfile.read_all(tmp_path)


# Where a number comes from


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(
    ("package", "known"), [("iidgan", True), ("venv/lib/site-packages/iidgan", False)]
)
def test_the_commit_is_of_the_checkout_and_not_of_a_repository_around_it(
    tmp_path, monkeypatch, package, known
):
    monkeypatch.undo()  # the fixture's constant commit
    file = tmp_path / package / "bench" / "provenance.py"
    file.parent.mkdir(parents=True)
    file.write_text("")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (["init"], ["add", "."], [*who, "commit", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)
    monkeypatch.setattr(provenance, "__file__", str(file))
    clean = provenance.commit()
    file.write_text("changed = True")
    assert len(clean) == (12 if known else len("unknown"))
    assert provenance.commit() == (f"{clean}+" if known else "unknown")


# Damage


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a byte of the tensors": lambda path: flip(path / "state.safetensors"),
    "a byte of the facts": lambda path: flip(path / "state.json"),
    "a byte of the manifest": lambda path: flip(path / MANIFEST),
    "truncated tensors": lambda path: truncate(path / "state.safetensors"),
    "no tensors": lambda path: (path / "state.safetensors").unlink(),
    "no manifest": lambda path: (path / MANIFEST).unlink(),
    "an empty manifest": lambda path: (path / MANIFEST).write_bytes(b""),
    "an empty folder": lambda path: (shutil.rmtree(path), path.mkdir()),
}


@pytest.mark.parametrize("spoil", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_costs_steps_but_no_bit(tmp_path, whole, spoil):
    run, heard = tiny(), []
    teach(run, tmp_path, **stopping_at(8))
    spoil(tmp_path / "checkpoints" / "step-00000008")
    teach(run, tmp_path, listener=lambda news, tick: heard.append(news))
    assert "step-00000008 is damaged (" in heard[0]
    assert heard[1] == "going on from step 4"
    event = read_lines(RunFolder(tmp_path).events)[2]
    assert (event["event"], event["path"]) == ("damaged checkpoint", "step-00000008")
    assert_same(tmp_path, whole(run))
    assert events_of(tmp_path)[3:] == ["started", "finished"]


def test_without_a_whole_checkpoint_it_starts_over(tmp_path, whole):
    run, heard = tiny(), []
    teach(run, tmp_path)
    for path in RunFolder(tmp_path).checkpoints.iterdir():
        flip(path / "state.safetensors")
    teach(run, tmp_path, listener=lambda news, tick: heard.append(news))
    assert heard[3] == "no whole checkpoint is left; starting anew"
    assert_same(tmp_path, whole(run))


def test_a_damaged_checkpoint_is_none_of_those_that_are_kept(tmp_path, whole):
    run = tiny()
    teach(run, tmp_path, checkpoint_every=8, keep=2)
    for path in RunFolder(tmp_path).checkpoints.iterdir():
        flip(path / "state.safetensors")
    teach(run, tmp_path, keep=1, checkpoint_every=3, **stopping_at(6))
    found = checkpoint.newest(RunFolder(tmp_path).checkpoints)
    assert found.path is not None
    assert found.path.name == "step-00000006"
    for path in RunFolder(tmp_path).checkpoints.glob("step-*"):
        flip(path / "state.safetensors")
    teach(run, tmp_path, keep=1)  # sets aside what has the name of one that is aside
    assert different(tensors_of(tmp_path), tensors_of(whole(run))) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: shutil.rmtree(path),
        lambda path: flip(path / "model.safetensors"),
        lambda path: truncate(path / "config.json"),
        lambda path: (path / "model.safetensors").unlink(),
    ],
)
def test_a_damaged_generator_is_made_again(tmp_path, whole, spoil):
    run = tiny()
    teach(run, tmp_path)
    spoil(tmp_path / "generator")
    assert teach(run, tmp_path).ending == "finished"
    assert_same(tmp_path, whole(run))


@pytest.mark.parametrize("step", [4, 12])
@pytest.mark.parametrize("part", ["draw", "append", "store", "export"])
def test_a_measurement_that_failed_is_made_up_for(tmp_path, whole, monkeypatch, step, part):
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    def listener(news, tick):
        if tick is not None and tick.step == step:
            patch.setattr(f"iidgan.training.session.{part}", fail)

    run = tiny()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        teach(run, tmp_path, listener=listener)
    assert checkpoint.newest(RunFolder(tmp_path).checkpoints).path.name == f"step-{step:08d}"
    teach(run, tmp_path)
    assert_same(tmp_path, whole(run))


# Divergence


def first_peak(run: Run, seeds: list[int]) -> tuple[float, int, int]:
    """Finds a bound that one seed's spare uniforms exceed: the bound, the seed, its step."""
    data = run.source.load()
    state = init(run.method, Arch(run.arch, data.shape), run.optimiser, seeds)
    repeat = Move(run.method, state, steps=run.steps).num_batches
    batches = Batches(data, seeds, size=run.batch, latent=run.arch.latent, repeat=repeat)
    drawn = [torch.stack([batch.u for batch in batches.at(t)]) for t in range(run.steps)]
    peaks = torch.stack([u.amax(dim=(0, 2)) for u in drawn])  # (T, S)
    second, first = peaks.amax(0).sort().values[-2:].tolist()
    bound = (first + second) / 2
    step, position = (peaks > bound).nonzero()[0].tolist()
    return bound, position, step + 1


def share(saved: dict[str, Tensor], position: int) -> dict[str, Tensor]:
    per_seed = {k: v for k, v in saved.items() if v.dim() > 0 and k != checkpoint.GLOBAL_RNG}
    return {name: value[position] for name, value in per_seed.items()}


@pytest.mark.parametrize("name", METHODS)
def test_a_seed_that_diverges_is_marked_and_touches_no_other(tmp_path, whole, name):
    seeds = [4, 0, 9]
    healthy = tiny(Sick(inner=METHODS[name]()))
    bound, sick, step = first_peak(healthy, seeds)
    run = tiny(replace(healthy.method, above=bound))
    heard = []
    result = teach(run, tmp_path, seeds=seeds, listener=lambda news, tick: heard.append(news))
    marks = tuple(step if i == sick else -1 for i in range(3))
    assert (result.ending, result.step, result.diverged) == ("finished", STEPS, marks)
    assert f"seed {seeds[sick]} diverged at step {step}" in heard
    event = next(e for e in read_lines(RunFolder(tmp_path).events) if e["event"] == "diverged")
    assert (event["seed"], event["step"]) == (seeds[sick], step)
    facts = json.loads((tmp_path / "checkpoints" / "step-00000012" / "state.json").read_text())
    assert facts == {"step": STEPS, "diverged": list(marks)}
    for row in result.rows:
        expected = step if row.seed == seeds[sick] and row.step >= step else -1
        assert row.diverged == expected
    assert all(
        None in line.values()
        for line in log_of(tmp_path)
        if (line["seed"], line["step"]) == (seeds[sick], STEPS)
    )
    broken, straight = tensors_of(tmp_path), tensors_of(whole(healthy, tuple(seeds)))
    assert different(share(broken, sick), share(straight, sick)) != []
    for position in {0, 1, 2} - {sick}:
        assert different(share(broken, position), share(straight, position)) == []
        kept = rows_of(tmp_path, seed=seeds[position])
        theirs = rows_of(whole(healthy, tuple(seeds)), seed=seeds[position])
        assert kept == [row.replace(healthy.id, run.id) for row in theirs]
    assert result.model().stand.seeds == (next(s for s in seeds if s != seeds[sick]),)
    assert result.model(seeds[sick]).sample(5).isnan().all()


def test_going_on_remembers_who_diverged(tmp_path, whole):
    seeds = (4, 0, 9)
    bound, sick, step = first_peak(tiny(Sick(inner=GAN())), list(seeds))
    run = tiny(Sick(inner=GAN(), above=bound))
    teach(run, tmp_path, seeds=seeds, **stopping_at(8))
    result = teach(run, tmp_path, seeds=seeds)
    assert result.diverged[sick] == step
    assert_same(tmp_path, whole(run, seeds))


def test_without_a_seed_left_training_ends_and_stays_ended(tmp_path):
    run = tiny(iid_gan(), optimiser=Adam(lr=1e30), steps=1000)
    first = teach(run, tmp_path, seeds=2, checkpoint_every=500)
    assert first.ending == "diverged"
    assert first.step == 100  # the first tick
    assert all(1 <= step <= 3 for step in first.diverged)
    assert events_of(tmp_path) == ["started", "diverged", "diverged", "diverged"]
    assert {row.diverged for row in first.rows} == set(first.diverged)
    before = contents(tmp_path)
    again = teach(run, tmp_path, seeds=2, checkpoint_every=500)
    assert (again.ending, again.step, again.diverged) == ("diverged", first.step, first.diverged)
    assert contents(tmp_path) == before
    with refused("every seed of this run diverged"):
        again.model()


# Bad input: refused in one line, before anything is written


@pytest.mark.parametrize(
    ("run", "options", "words"),
    [
        (tiny(batch=201), {}, ["batch", "201", "200"]),
        (tiny(), {"seeds": 0}, ["seeds: 0 is too small"]),
        (tiny(), {"seeds": -1}, ["seeds"]),
        (tiny(), {"seeds": []}, ["seeds", "()"]),
        (tiny(), {"seeds": [1, 1]}, ["seeds", "(1, 1)", "different"]),
        (tiny(), {"seeds": [0, -2]}, ["seeds", "(0, -2)"]),
        (tiny(), {"keep": 0}, ["keep", "0"]),
        (tiny(), {"checkpoint_every": 0}, ["checkpoint-every", "0"]),
        (tiny(), {"device": "gpu"}, ["device", "gpu"]),
        (tiny(), {"executor": "egaer"}, ["executor", "egaer", "did you mean 'eager'"]),
        (tiny(), {"device": "cuda:99"}, ["device", "cuda:99"]),
        (tiny(arch=DCGAN()), {}, ["arch", "(2,)", "mlp"]),
        (tiny(source=Mnist(root="/nowhere")), {}, ["/nowhere"]),
        (tiny(source=ArrayFile(path="/nowhere.npy")), {}, ["/nowhere.npy"]),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    tmp_path, run, options, words
):
    with refused(*words):
        train(run, out=tmp_path / "r", **({"device": "cpu"} | options))
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_data_that_are_not_finite_are_refused(tmp_path, bad):
    values = np.ones((30, 2))
    values[17, 1] = bad
    np.save(tmp_path / "x.npy", values)
    with refused(str(tmp_path / "x.npy"), "row 17, column 1"):
        teach(tiny(source=array(tmp_path / "x.npy")), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_data_that_change_between_stop_and_resume_are_refused(tmp_path):
    values = np.random.default_rng(0).normal(size=(30, 2))
    np.save(tmp_path / "x.npy", values)
    run = tiny(source=array(tmp_path / "x.npy"))
    teach(run, tmp_path / "r", **stopping_at(4))
    np.save(tmp_path / "x.npy", values + 1)
    with refused(str(tmp_path / "x.npy"), "has changed"):
        teach(run, tmp_path / "r")


# A disk that refuses


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Lets the system refuse to make any file larger than `size` bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def assert_nothing_half_written(path: Path) -> None:
    assert not list(path.rglob(f"{PARTIAL}*"))
    for folder in (path / "generator", *(path / "checkpoints").glob("step-*")):
        assert not folder.exists() or damage(folder) is None
    for file in path.rglob("*.jsonl"):
        read_lines(file)
    if (path / "run.json").exists():
        RunFolder(path).read()


@pytest.mark.parametrize("size", [0, 200, 1300, 3000, 12_000, 24_000])
def test_files_that_may_not_grow_are_one_line_and_no_harm(tmp_path, whole, size):
    run = tiny()
    with largest_file(size), refused(str(tmp_path), "File too large"):
        teach(run, tmp_path / "r", seeds=3)
    assert_nothing_half_written(tmp_path / "r")
    assert teach(run, tmp_path / "r", seeds=3).ending == "finished"
    assert_same(tmp_path / "r", whole(run, 3))


@pytest.mark.parametrize("calls", [0, 1, 2, 4, 8, 16, 24])
def test_a_full_disk_is_one_line_and_no_harm(tmp_path, whole, monkeypatch, calls):
    run, sync, left = tiny(), os.fsync, iter(range(calls))

    def fsync(handle: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with refused(str(tmp_path), "No space left on device"):
            teach(run, tmp_path / "r")
    assert_nothing_half_written(tmp_path / "r")
    assert teach(run, tmp_path / "r").ending == "finished"
    assert_same(tmp_path / "r", whole(run))


def test_a_later_field_leaves_older_ids_alone():
    """The default of a field that came later is no part of the id, nor of what is stored."""
    run = Run()
    assert run.id == "6cd2c3fe7e92"
    assert "precision" not in run.to_dict()
    half = Run(precision="bfloat16")
    assert half.id != run.id
    assert Run.from_dict(half.to_dict()) == half
    assert Run.from_dict(run.to_dict()) == run
    with pytest.raises(InputError, match="precision: unknown 'float16'; did you mean 'bfloat16'"):
        Run(precision="float16")
