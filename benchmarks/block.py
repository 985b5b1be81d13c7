"""The first block of the synthetic table, six methods on two data sets, as a user trains it."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from iidgan.bench.fill import Place, train_runs
from iidgan.bench.papers.synthetic import SYNTHETIC
from iidgan.bench.plan import num_cores
from iidgan.engine.loop import Stop

SEEDS, STEPS = 5, 24_000
FEW, MANY = 400, 1_200


def _runs(steps):
    block = SYNTHETIC.blocks[0]
    named = {
        f"{row}, {data}": replace(block.run(row, data), steps=steps)
        for row in block.rows
        for data in block.data
    }
    return {run.id: (name, run) for name, run in named.items()}


def _seconds(steps, workers):
    """Trains the whole block, whose moves the compiler knows, with twelve measurements a run."""
    with tempfile.TemporaryDirectory() as out:
        place = Place(
            results=Path(out), runs=Path(out), workers=workers, device="cpu", executor="compiled"
        )
        start = time.perf_counter()
        endings = train_runs(
            _runs(steps), SEEDS, place, news=lambda index, text, tick: None, stop=Stop()
        )
        assert all(ending == "finished" for _, ending in endings), endings
        return time.perf_counter() - start


def compare():
    """What a training of `STEPS` steps takes, from two that are shorter."""
    workers = num_cores()
    _seconds(1, workers)  # compiles
    few, many = _seconds(FEW, workers), _seconds(MANY, workers)
    a_step = (many - few) / (MANY - FEW)
    minutes = (few + a_step * (STEPS - FEW)) / 60
    runs = len(_runs(1))
    text = (
        f"{runs} settings x {SEEDS} seeds, {workers} trainings at a time: {few:.0f} s with {FEW} "
        f"steps, {many:.0f} s with {MANY:,}, so {minutes:.0f} minutes with {STEPS:,}, all "
        "measurements and starts included, compilation not."
    )
    return text, minutes
