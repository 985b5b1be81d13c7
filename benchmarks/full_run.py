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
PLAIN, OURS = "plain loop, DataLoader", "`iidgan train`"
ONCE = f"{OURS}, one measurement"
BESIDE = f"{ONCE}, {SEVERAL} seeds, for each"


def _plain(steps):
    return run_apart("-c", LOOP.format(steps=steps))[0]


def _ours(steps, *options, seeds=1, **environment):
    with tempfile.TemporaryDirectory() as out:
        given = [f"--seeds={seeds}", "--workers=1", f"--steps={steps}", f"--out={out}/run"]
        return run_apart(*TRAIN, *given, *options, **environment)[0] / seeds


def compare(steps=STEPS, rounds=2):
    """A table of whole processes in turn, and how many times as fast ours do the same work."""
    with tempfile.TemporaryDirectory() as place:
        ours = partial(_ours, **cache_in(place))
        for seeds in (1, SEVERAL):
            ours(10, seeds=seeds)  # compiles: code does not depend on the length
        at_its_end = f"--checkpoint-every={steps}"
        variants = {
            PLAIN: partial(_plain, steps),
            OURS: partial(ours, steps),
            ONCE: partial(ours, steps, at_its_end),
            BESIDE: partial(ours, steps, at_its_end, seeds=SEVERAL),
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
    faster = {name: statistics.median(ratios(times, PLAIN, name)) for name in (ONCE, BESIDE)}
    return f"{table(times, unit='s', scale=1)}\n\n{line}", faster
