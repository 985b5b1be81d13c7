"""The choice of executor and processes, and what is built when compiling fails."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import iidgan
from iidgan.core import Dataset
from iidgan.engine.compile.executors import EXECUTORS
from iidgan.engine.state import named_tensors
from iidgan.training.context import TrainContext
from iidgan.training.plan import (
    MIN_IMAGE_STEPS_FOR_WORKERS,
    MIN_STEPS_FOR_WORKERS,
    MIN_STEPS_TO_COMPILE,
    ExecutionPlan,
    build_step,
    choose_plan,
)
from tests.helpers.engine import capture_interpreted
from tests.helpers.training import break_compiler

POINTS = Dataset(torch.zeros(16, 2))
IMAGES = Dataset(torch.zeros(16, 1, 8, 8, dtype=torch.uint8))
LONG = 10**7


def make_context(steps=24_000, seeds=4, **changes):
    run = iidgan.Run(source=iidgan.Ring(size=500), arch=iidgan.MLP(hidden=(8,)), steps=steps)
    run = replace(run, **changes)
    return TrainContext.create(run, range(seeds), run.source.load(), torch.device("cpu"))


def make_stub(steps, *, step=0, seeds=4, data=POINTS, device="cpu"):
    """A context of any length on any device; holds what the choice depends on."""
    parameter = SimpleNamespace(device=torch.device(device))
    nets = SimpleNamespace(parameters=lambda: iter([parameter]))
    return SimpleNamespace(
        run=iidgan.Run(steps=steps),
        seeds=tuple(range(seeds)),
        data=data,
        state=SimpleNamespace(step=step, nets=nets),
    )


@pytest.mark.parametrize(
    ("steps", "seeds", "expected"),
    [
        (100, 4, ExecutionPlan("eager", 1)),
        (MIN_STEPS_FOR_WORKERS - 1, 4, ExecutionPlan("eager", 1)),
        (MIN_STEPS_FOR_WORKERS, 4, ExecutionPlan("eager", 2)),
        (MIN_STEPS_TO_COMPILE - 1, 4, ExecutionPlan("eager", 2)),
        (MIN_STEPS_TO_COMPILE, 4, ExecutionPlan("compiled", 2)),
        (24_000, 1, ExecutionPlan("compiled", 1)),
        (6_000, 1, ExecutionPlan("eager", 1)),
        (LONG, 1, ExecutionPlan("compiled", 1)),
        (LONG, 2, ExecutionPlan("compiled", 2)),
    ],
)
def test_choose_plan_by_length(steps, seeds, expected):
    assert choose_plan(make_stub(steps, seeds=seeds), "auto", "auto", cores=2) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (MIN_IMAGE_STEPS_FOR_WORKERS - 1, ExecutionPlan("eager", 1)),
        (MIN_IMAGE_STEPS_FOR_WORKERS, ExecutionPlan("eager", 2)),
        (LONG, ExecutionPlan("eager", 2)),
    ],
)
def test_choose_plan_never_compiles_images(steps, expected):
    assert choose_plan(make_stub(steps, data=IMAGES), "auto", "auto", cores=2) == expected


@pytest.mark.parametrize("steps", [1, LONG])
@pytest.mark.parametrize("data", [POINTS, IMAGES], ids=["points", "images"])
@pytest.mark.parametrize(
    ("device", "executor"), [("cuda", "graphed"), ("cuda:1", "graphed"), ("mps", "eager")]
)
def test_choose_plan_on_accelerators(steps, data, device, executor):
    context = make_stub(steps, data=data, device=device)
    assert choose_plan(context, "auto", "auto", cores=8) == ExecutionPlan(executor, 1)
    assert choose_plan(context, "eager", 2, cores=8) == ExecutionPlan("eager", 2)


def test_choose_plan_counts_remaining_steps():
    context = make_stub(LONG, step=LONG - 100)
    assert choose_plan(context, "auto", "auto", cores=2) == ExecutionPlan("eager", 1)


@pytest.mark.parametrize(
    ("steps", "executor", "workers", "cores", "expected"),
    [
        (100, "compiled", 3, 2, ExecutionPlan("compiled", 3)),
        (100, "auto", 3, 2, ExecutionPlan("eager", 3)),
        (100, "compiled", "auto", 2, ExecutionPlan("compiled", 1)),
        (LONG, "eager", "auto", 8, ExecutionPlan("eager", 4)),
        (LONG, "auto", 1, 8, ExecutionPlan("compiled", 1)),
        (LONG, "auto", 9, 2, ExecutionPlan("compiled", 4)),
    ],
)
def test_choose_plan_keeps_explicit_choices(steps, executor, workers, cores, expected):
    assert choose_plan(make_stub(steps), executor, workers, cores=cores) == expected


def test_choose_plan_leaves_no_trace():
    context = make_context()
    before = {name: value.clone() for name, value in named_tensors(context.state).items()}
    rng_state = torch.get_rng_state()
    first = choose_plan(context, "auto", "auto", cores=2)
    assert choose_plan(context, "auto", "auto", cores=2) == first
    after = named_tensors(context.state)
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert torch.equal(torch.get_rng_state(), rng_state)


def test_build_step_eager():
    context = make_context(seeds=1)
    assert build_step("eager", context) == (context.train_step, "eager")


def test_build_step_compiled(monkeypatch):
    monkeypatch.setitem(EXECUTORS, "compiled", capture_interpreted)
    context = make_context(seeds=1)
    step, executor = build_step("compiled", context)
    assert step is not context.train_step
    assert executor == "compiled"


def test_build_step_falls_back_to_eager(tmp_path, monkeypatch):
    break_compiler(monkeypatch, tmp_path)
    context, messages = make_context(seeds=1), []
    step, executor = build_step("compiled", context, messages.append)
    assert (step, executor) == (context.train_step, "eager")
    assert messages == ["compiling", "compiling failed (no compiler); running eagerly"]
