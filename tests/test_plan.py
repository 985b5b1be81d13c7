"""Runs are carried out in whatever way ends first, and nobody's choice is overruled."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch

import iidgan
from iidgan.core import Dataset
from iidgan.engine.compile.inductor import place_of_code
from iidgan.engine.state import tensors
from iidgan.training import plan
from iidgan.training.context import Game
from iidgan.training.plan import COMPILATION, START, Pace, Plan, choose, expected
from iidgan.utils.files import cache


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def game(steps=24_000, seeds=4, **changes):
    run = iidgan.Run(source=iidgan.Ring(size=500), arch=iidgan.MLP(hidden=(8,)), steps=steps)
    run = replace(run, **changes)
    return Game.of(run, range(seeds), run.source.load(), torch.device("cpu"))


def slow(monkeypatch, seconds):
    monkeypatch.setattr(plan, "_seconds", lambda game: seconds)


def test_what_is_expected_is_work_start_and_compilation():
    facts = {"step": 0.1, "compilation": 50.0, "seeds": 5, "steps": 1000}
    facts["pace"] = Pace(beside=3.0, compiled=0.5)  # five seeds in 100 s, of which 37.5 beside
    assert expected(Plan("eager", 1), **facts) == pytest.approx(100)
    assert expected(Plan("eager", 2), **facts) == pytest.approx(37.5 + 37.5 + START)
    assert expected(Plan("eager", 5), **facts) == pytest.approx(37.5 + 12.5 + START)
    assert expected(Plan("compiled", 1), **facts) == pytest.approx(31.25 + 50)
    assert expected(Plan("compiled", 2), **facts) == pytest.approx(18.75 + START + 50)


def test_the_usual_run_of_one_seed_is_worth_compiling(monkeypatch):
    """IID-GAN on the 2D-Ring, as measured: 95 s eagerly, 39 compiled, 34 for compiling."""
    slow(monkeypatch, 0.00397)
    assert choose(game(24_000, seeds=1), "auto", "auto", cores=2) == Plan("compiled", 1)
    assert choose(game(6_000, seeds=1), "auto", "auto", cores=2) == Plan("eager", 1)


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        (100, Plan("eager", 1)),
        (2_000, Plan("eager", 2)),
        (1_000_000, Plan("compiled", 2)),
    ],
)
def test_the_length_of_the_run_decides(monkeypatch, steps, found):
    slow(monkeypatch, 0.02)
    assert choose(game(steps), "auto", "auto", cores=2) == found


def test_images_on_a_cpu_are_not_worth_compiling(monkeypatch):
    slow(monkeypatch, 0.2)
    data = Dataset(torch.zeros(16, 1, 28, 28, dtype=torch.uint8))
    arch = iidgan.DCGAN(width=2, latent=2)
    run = iidgan.Run(source=iidgan.FashionMnist(), arch=arch, steps=10**6, batch=4)
    found = choose(Game.of(run, range(2), data, torch.device("cpu")), "auto", 1)
    assert found == Plan("eager", 1)


def test_what_is_left_to_do_decides_not_what_is_done(monkeypatch):
    slow(monkeypatch, 0.02)
    late = game(1_000_000)
    late.state.step = 999_900
    assert choose(late, "auto", "auto", cores=2) == Plan("eager", 1)


def test_a_choice_that_is_made_stands(monkeypatch):
    slow(monkeypatch, 0.02)
    assert choose(game(100), "compiled", 3, cores=2) == Plan("compiled", 3)
    assert choose(game(100), "auto", 3, cores=2) == Plan("eager", 3)
    assert choose(game(100), "compiled", "auto", cores=2) == Plan("compiled", 1)
    assert choose(game(10**7), "eager", "auto", cores=8) == Plan("eager", 4)  # as many as seeds
    assert choose(game(10**7, seeds=1), "auto", "auto", cores=8) == Plan("compiled", 1)


def test_a_move_that_was_compiled_before_is_compiled_sooner(monkeypatch):
    slow(monkeypatch, 0.02)
    ours = game(2_000, seeds=1)
    assert choose(ours, "auto", 1).executor == "eager"
    plan._remember(ours, 4.0)
    assert choose(ours, "auto", 1).executor == "compiled"
    assert choose(game(2_000, seeds=2), "auto", 1).executor == "eager"  # another shape
    other = Game.of(replace(ours.run, batch=50), (0,), ours.data, torch.device("cpu"))
    assert choose(other, "auto", 1).executor == "eager"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert choose(ours, "auto", 1).executor == "eager"  # code for one thread is another


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"a": "b"}', "{", '{"a": null}', '{"K": [-1e9, ""]}']
)
def test_a_damaged_memory_is_no_memory(monkeypatch, content):
    slow(monkeypatch, 0.02)
    cache().mkdir(parents=True)
    ours = game(2_000, seeds=1)
    (cache() / "compilation.json").write_text(content.replace("K", plan._key(ours, 1, 1)))
    assert choose(ours, "auto", 1).executor == "eager"
    plan._remember(ours, 4.0)
    assert choose(ours, "auto", 1).executor == "compiled"


def test_the_slowest_hand_is_waited_for(monkeypatch):
    slow(monkeypatch, 0.02)
    three = game(5_000, seeds=3)
    plan._remember(game(5_000, seeds=2), 4.0)
    assert choose(three, "auto", 2) == Plan("eager", 2)  # who has one seed has to compile
    plan._remember(game(5_000, seeds=1), 4.0)
    assert choose(three, "auto", 2) == Plan("compiled", 2)


def test_planning_leaves_no_trace():
    ours = game()
    before = {name: value.clone() for name, value in tensors(ours.state).items()}
    random = torch.get_rng_state()
    choose(ours, "auto", "auto", cores=2)
    after = tensors(ours.state)
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.slow
def test_compiling_is_timed_and_remembered():
    ours = game(seeds=1)
    step, used = plan.prepare("compiled", ours)
    assert step is not ours.move
    assert used == "compiled"
    assert 0 < plan._known(ours, 1, 1) < 5  # what was made is found the next time
    shutil.rmtree(place_of_code())
    assert plan._known(ours, 1, 1) == COMPILATION  # and made anew where it is gone
    assert plan.prepare("eager", game())[1] == "eager"


def test_what_cannot_be_compiled_is_told_and_named_eager(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # nothing was compiled before

    def refuse(*args, **kwargs):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch._inductor, "aot_compile", refuse, raising=False)
    ours, told = game(seeds=1), []
    step, used = plan.prepare("compiled", ours, told.append)
    assert (step, used) == (ours.move, "eager")
    assert told == ["compiling", "compiling failed (no compiler); running eagerly"]


def test_a_run_that_could_not_be_compiled_goes_on_eagerly(tmp_path, monkeypatch):
    """Unless told otherwise: other code would round in other ways."""

    def refuse(*args, **kwargs):
        raise RuntimeError("no compiler")

    run, told = game(steps=40).run, []
    stop = iidgan.engine.loop.Stop()

    def listener(news, tick):
        told.append(news)
        stop.signal = 2

    train = partial(iidgan.train, run, out=tmp_path / "run", seeds=2)
    with monkeypatch.context() as patch:
        patch.setattr(torch._inductor, "aot_compile", refuse, raising=False)
        train(executor="compiled", checkpoint_every=20, listener=listener, stop=stop)
    assert "compiling failed (no compiler); running eagerly" in told
    result = train(listener=lambda news, tick: told.append(news))
    assert told.count("compiling") == 1
    assert {row.provenance["executor"] for row in result.rows} == {"eager"}
    events = map(json.loads, (tmp_path / "run" / "events.jsonl").read_text().splitlines())
    assert [(e["event"], e.get("executor")) for e in events] == [
        ("started", "compiled"),
        ("executor", "eager"),
        ("stopped", None),
        ("started", "eager"),
        ("finished", None),
    ]


def test_compiled_code_lies_in_the_users_cache(tmp_path):
    """Unless it cannot be written to; whoever names a place gets that."""
    script = (
        "import os, torch, iidgan; from iidgan.training.context import Game\n"
        "run = iidgan.Run(source=iidgan.Ring(size=200))\n"
        "Game.of(run, (0,), run.source.load(), torch.device('cpu'))\n"
        "print(os.environ.get('TORCHINDUCTOR_CACHE_DIR'))"
    )
    (tmp_path / "file").touch()
    known = {k: v for k, v in os.environ.items() if k != "TORCHINDUCTOR_CACHE_DIR"}
    places = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=known | {"XDG_CACHE_HOME": str(tmp_path / name)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for name in ("home", "file")
    ]
    assert places[0] == str(tmp_path / "home" / "iidgan" / "compiled")
    assert places[1] == "None"  # torch chooses


def test_runs_whose_graphs_differ_are_remembered_apart():
    keys = [
        plan._key(game(**changes), 1, 1)
        for changes in ({}, {"ema": 0.9}, {"precision": "bfloat16"}, {"batch": 7})
    ]
    assert len(set(keys)) == 4
