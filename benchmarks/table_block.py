"""The first block of the synthetic table, six methods on two data sets, as a user trains it."""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.timing import Variant, measure, one_core
from iidgan.engine.loop import Stop
from iidgan.studies.papers.synthetic import SYNTHETIC
from iidgan.studies.train_missing import Place, Training, train_runs
from iidgan.training.context import Game
from iidgan.training.plan import prepare
from iidgan.utils.processes import num_cores

SEEDS, SHORT, STEPS = 5, 1_200, 24_000
BLOCK = SYNTHETIC.blocks[0]


def _runs(steps):
    named = {
        f"{row}, {data}": replace(BLOCK.run(row, data), steps=steps)
        for row in BLOCK.rows
        for data in BLOCK.data
    }
    return [Training(name, run, tuple(range(SEEDS))) for name, run in named.items()]


def seconds(steps, workers):
    """Trains the whole block, with as many measurements as in a full one."""
    with tempfile.TemporaryDirectory() as out:
        place = Place(
            results=Path(out), runs=Path(out), workers=workers, device="cpu", executor="compiled"
        )
        start = time.perf_counter()
        train_runs(_runs(steps), place, news=lambda index, text, tick: None, stop=Stop())
        return time.perf_counter() - start


def _step(row):
    """A step of all seeds; it takes as long on one data set as on the other."""
    run = BLOCK.run(row, next(iter(BLOCK.data)))
    game = Game.of(run, range(SEEDS), run.source.load(), torch.device("cpu"))
    step, _ = prepare("compiled", game)

    def once():
        step(game.batches.at(game.state.step))
        game.state.step = (game.state.step + 1) % run.steps

    return Variant(row, once)


def a_step():
    """Seconds of a core for one step of all settings, from steps in turn."""
    with one_core():
        times = measure([_step(row) for row in BLOCK.rows])
    return len(BLOCK.data) * sum(statistics.median(values) for values in times.values())


def compare():
    """Minutes of the block: a short one, and the steps that it lacks."""
    workers = num_cores()
    each = a_step()
    seconds(1, workers)  # compiles
    short = seconds(SHORT, workers)
    minutes = (short + (STEPS - SHORT) * each / workers) / 60
    text = (
        f"{len(_runs(1))} settings x {SEEDS} seeds, {workers} trainings at a time, with {SHORT:,} "
        f"steps and twelve measurements each: {short:.0f} s. A step of all of them takes a core "
        f"{1e3 * each:.0f} ms, so that {STEPS:,} steps take {minutes:.0f} minutes."
    )
    return text, minutes
