"""The first block of the synthetic table, six methods on two data sets, as a user trains it."""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.timing import Variant, measure, one_core
from iidgan.engine.loop import StopRequest
from iidgan.parallel.backend import LocalProcesses
from iidgan.studies.papers.synthetic import SYNTHETIC
from iidgan.studies.train_missing import TrainingJob, Workspace, train_runs
from iidgan.training.context import TrainContext
from iidgan.training.plan import build_step
from iidgan.utils.processes import num_cores

SEEDS, SHORT, STEPS = 5, 1_200, 24_000
BLOCK = SYNTHETIC.row_groups[0]


def _runs(steps):
    named = {
        f"{row}, {data}": replace(BLOCK.get_run(row, data), steps=steps)
        for row in BLOCK.rows
        for data in BLOCK.datasets
    }
    return [TrainingJob(name, run, tuple(range(SEEDS))) for name, run in named.items()]


def seconds(steps, workers):
    """Trains the whole block, with as many measurements as in a full one."""
    with tempfile.TemporaryDirectory() as out:
        workspace = Workspace(
            results_dir=Path(out),
            runs_dir=Path(out),
            backend=LocalProcesses(workers),
            device="cpu",
            executor="compiled",
        )
        start = time.perf_counter()
        train_runs(_runs(steps), workspace, on_progress=lambda *_: None, stop=StopRequest())
        return time.perf_counter() - start


def _step(row):
    """A step of all seeds; it takes as long on one data set as on the other."""
    run = BLOCK.get_run(row, next(iter(BLOCK.datasets)))
    context = TrainContext.create(run, range(SEEDS), run.source.load(), torch.device("cpu"))
    step, _ = build_step("compiled", context)

    def once():
        step(context.batches.batches_at(context.state.step))
        context.state.step = (context.state.step + 1) % run.steps

    return Variant(row, once)


def a_step():
    """Seconds of a core for one step of all settings, from steps in turn."""
    with one_core():
        times = measure([_step(row) for row in BLOCK.rows])
    return len(BLOCK.datasets) * sum(statistics.median(values) for values in times.values())


def compare():
    """Minutes of the block: a short one, and the steps that it lacks."""
    workers = num_cores()
    seconds_per_step = a_step()
    seconds(1, workers)  # compiles
    short = seconds(SHORT, workers)
    minutes = (short + (STEPS - SHORT) * seconds_per_step / workers) / 60
    text = (
        f"{len(_runs(1))} settings x {SEEDS} seeds, {workers} trainings at a time, with {SHORT:,} "
        f"steps and twelve measurements each: {short:.0f} s. A step of all of them takes a "
        f"core {1e3 * seconds_per_step:.0f} ms, so that {STEPS:,} steps take "
        f"{minutes:.0f} minutes."
    )
    return text, minutes
