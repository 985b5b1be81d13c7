"""A whole run of IID-GAN on the 2D-Ring: a script with a plain loop, and the command line."""

import statistics
import tempfile
from functools import partial

from benchmarks.cold_start import TRAIN, cache_in, run_apart
from benchmarks.timing import ratios, table

STEPS, SEVERAL = 24_000, 5
LOOP = """
import torch
from benchmarks.torch_baseline import PLAIN
from iidgan.data import Ring
torch.set_num_threads(1)
trainer = PLAIN["iid-gan"](Ring().load().x, loader=True)
for _ in range({steps}):
    trainer.step()
with torch.no_grad():
    trainer.nets["G"](torch.randn(Ring.num_evaluated, 2))
"""
PLAIN, IIDGAN = "plain loop, DataLoader", "`iidgan train`"
ONE_EVALUATION = f"{IIDGAN}, one measurement"
SEVERAL_SEEDS = f"{ONE_EVALUATION}, {SEVERAL} seeds, for each"


def _time_plain(steps):
    return run_apart("-c", LOOP.format(steps=steps))[0]


def _time_iidgan(steps, *options, seeds=1, **environment):
    with tempfile.TemporaryDirectory() as out:
        options_of_run = [
            f"--seeds={seeds}",
            "--workers=1",
            f"--steps={steps}",
            f"--out={out}/run",
        ]
        return run_apart(*TRAIN, *options_of_run, *options, **environment)[0] / seeds


def compare(steps=STEPS, rounds=2):
    """Return a table of whole processes, and the speedup of `iidgan train`."""
    with tempfile.TemporaryDirectory() as cache_folder:
        time_iidgan = partial(_time_iidgan, **cache_in(cache_folder))
        for seeds in (1, SEVERAL):
            time_iidgan(10, seeds=seeds)  # compiles: code does not depend on the length
        at_its_end = f"--checkpoint-every={steps}"
        variants = {
            PLAIN: partial(_time_plain, steps),
            IIDGAN: partial(time_iidgan, steps),
            ONE_EVALUATION: partial(time_iidgan, steps, at_its_end),
            SEVERAL_SEEDS: partial(time_iidgan, steps, at_its_end, seeds=SEVERAL),
        }
        times = {name: [] for name in variants}
        for _ in range(rounds):
            for name, once in variants.items():
                times[name].append(once())
    line = (
        "Whole processes on one core, with a warm cache. The plain loop draws 50,000 samples at "
        "its end, as one measurement does; by default a training leaves a checkpoint and a "
        "measurement every 2,000 steps."
    )
    faster = {
        name: statistics.median(ratios(times, PLAIN, name))
        for name in (ONE_EVALUATION, SEVERAL_SEEDS)
    }
    return f"{table(times, unit='s', scale=1)}\n\n{line}", faster
