"""Whole runs in one process, and in one on each core, each with as many seeds."""

import statistics
import tempfile
import time

from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.methods import METHODS
from iidgan.train import train

SEEDS = 5  # of each process


def whole_machine(workers, method="iid-gan", *, steps=2000, rounds=3):
    """Steps of a seed a second of one process and of several: how many times as many, and both."""
    run = Run(source=Ring(), method=METHODS[method](), steps=steps)
    speeds = {1: [], workers: []}
    for _ in range(rounds):
        for number, seed_steps_per_second in speeds.items():
            seed_steps_per_second.append(_speed(run, number))
    gain = statistics.median(b / a for a, b in zip(speeds[1], speeds[workers]))
    return gain, {
        number: statistics.median(seed_steps_per_second)
        for number, seed_steps_per_second in speeds.items()
    }


def _speed(run, workers):
    """Train a full run; return its steps of a seed per second from the first log record on."""
    times, seeds = [], SEEDS * workers

    def record_time(message, record):
        if record is not None:
            times.append((record.step, time.perf_counter()))

    with tempfile.TemporaryDirectory() as out:
        train(
            run,
            out=f"{out}/run",
            seeds=seeds,
            workers=workers,
            executor="compiled",
            checkpoint_every=run.steps,
            on_progress=record_time,
        )
    # A record is logged when the slowest process has reached its step. At the last record all
    # steps are done; at the first one, the others are ahead by their earlier start only.
    (first, start), (last, end) = times[0], times[-1]
    return (last - first) * seeds / (end - start)
