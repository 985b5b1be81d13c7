"""CPU seconds of two checkouts of this repository, interleaved: is the second one slower?

    python -m benchmarks.compare_checkouts ../before . --rounds 7
    python -m benchmarks.compare_checkouts ../before . --rounds 5 --pieces "image step, eager"

Both are driven through the public API and the command line alone, which old commits have too.
Commands run once a round from each checkout, in turn, after one run of each that fills the cache
of generated code; the seconds of all processes that they start count. Of training steps, blocks
of 100 take turns between two processes that keep running, so that neither start nor evaluation is
counted. Images are trained in the precision that `iidgan.choose_precision` chooses, if a checkout
has it, and with lazy terms if both the piece and the checkout have them. What counts is the median
over rounds of the ratio within a round.
"""

import argparse
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

STEPS_IN_TURN = """
import dataclasses, inspect, os, sys, time
import torch, iidgan
from iidgan.core import Dataset, Source

torch.set_num_threads(1)
executor, seeds, data, every = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
turn_start = time.process_time()

def take_turn(message, record):
    global turn_start
    if record is None:
        return
    print(time.process_time() - turn_start, flush=True)
    if not sys.stdin.readline():
        os._exit(0)
    turn_start = time.process_time()

@dataclasses.dataclass(frozen=True)
class Noise(Source):
    has_images = images = True  # renamed between commits

    def load(self):
        return Dataset(torch.randint(0, 256, (2048, 1, 32, 32), dtype=torch.uint8))

parameters = inspect.signature(iidgan.train).parameters.keys()
# Renamed between commits; both call it with a log record every 100 steps.
options = dict.fromkeys({"on_progress", "listener"} & parameters, take_turn)
run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan(), steps=10**6)
if data == "images":
    takes_names = hasattr(iidgan, "Source")  # old commits took objects alone
    run = iidgan.recommended(Noise(), "iid-gan" if takes_names else iidgan.iid_gan())
    run = dataclasses.replace(run, arch=dataclasses.replace(run.arch, width=64), steps=10**6)
    run = dataclasses.replace(run, ema=0.0)  # newer commits recommend an average
    options |= dict.fromkeys({"diagnose_every"} & parameters, 0)
    if hasattr(iidgan, "choose_precision"):
        run = dataclasses.replace(run, precision=iidgan.choose_precision(run.arch, "cpu"))
    if every > 1 and hasattr(run.method.terms[0], "every"):
        terms = tuple(dataclasses.replace(term, every=every) for term in run.method.terms)
        run = dataclasses.replace(run, method=dataclasses.replace(run.method, terms=terms))
iidgan.train(run, seeds=seeds, out="run", executor=executor, workers=1, device="cpu",
             checkpoint_every=10**6, **options)
"""
"""Trains without end, and prints the CPU seconds of each block of steps when told to take it."""

STEPS_PER_TURN = 100

FIRST_STEP = """
import iidgan
run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan(), steps=1)
iidgan.train(run, seeds=1, out="run", executor="eager", workers=1, device="cpu")
"""

COMMANDS = {
    "iidgan --help": ["-m", "iidgan", "--help"],
    "first step": ["-c", FIRST_STEP],
    "make demo": [
        *("-m", "iidgan", "table", "ring", "--quick"),
        *("--results", "results", "--runs", "runs"),
    ],
}

STEPS = {
    "step, eager, 1 seed": ("eager", 1, "points", 1),
    "step, eager, 5 seeds": ("eager", 5, "points", 1),
    "step, compiled, 1 seed": ("compiled", 1, "points", 1),
    "step, compiled, 5 seeds": ("compiled", 5, "points", 1),
    "image step, eager": ("eager", 1, "images", 1),
    "image step, compiled": ("compiled", 1, "images", 1),
    "image step, eager, terms every 4 steps": ("eager", 1, "images", 4),
}
"""Executor, seeds, data, and the number k if the terms enter every k-th step, where they can."""

PIECES = [*STEPS, *COMMANDS]


def environment(checkout):
    return os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}


PR_SET_CHILD_SUBREAPER = 36
"""The option of Linux's prctl by which processes whose parent has ended become our children."""


def adopt_orphans():
    """Let `wait_for_orphans` see the processes that a command leaves, such as a fork server."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def wait_for_orphans():
    with suppress(ChildProcessError):  # there is none left
        while True:
            os.wait()


def command_seconds(checkout, arguments):
    """CPU seconds of a Python command that uses a checkout's package, and of its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *arguments]
        options = {"cwd": folder, "env": environment(checkout), "capture_output": True}
        subprocess.run(command, check=True, **options)
        wait_for_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@contextmanager
def training_process(checkout, executor, seeds, data, every):
    """Yields a function that trains the next block; it returns CPU seconds per step and seed."""
    command = [sys.executable, "-c", STEPS_IN_TURN, executor, str(seeds), data, str(every)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, env=environment(checkout), **pipes) as process,
    ):

        def next_block():
            process.stdin.write("\n")
            return float(process.stdout.readline()) / STEPS_PER_TURN / seeds

        process.stdout.readline()  # of the first block, which compiles
        yield next_block
        process.stdin.close()


def step_pairs(before, after, rounds, *case):
    with (
        training_process(before, *case) as old_block,
        training_process(after, *case) as new_block,
    ):
        return [(old_block(), new_block()) for _ in range(rounds)]


def command_pairs(before, after, rounds, arguments):
    for checkout in (before, after):
        command_seconds(checkout, arguments)  # fills caches
    return [
        (command_seconds(before, arguments), command_seconds(after, arguments))
        for _ in range(rounds)
    ]


def measure_pairs(name, before, after, rounds):
    """Seconds of a piece before and after, one pair a round."""
    if name in STEPS:
        return step_pairs(before, after, rounds, *STEPS[name])
    return command_pairs(before, after, rounds, COMMANDS[name])


def format_row(name, pairs):
    """A table row: the medians of both checkouts, and the median and range of their ratio."""
    old_seconds, new_seconds = zip(*pairs)
    ratios = [new / old for old, new in pairs]
    return (
        f"| {name} | {statistics.median(old_seconds):.4g} | {statistics.median(new_seconds):.4g} "
        f"| {statistics.median(ratios):.3f} | {min(ratios):.3f} to {max(ratios):.3f} |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pieces", nargs="+", choices=PIECES, default=PIECES)
    options = parser.parse_args()
    adopt_orphans()
    before, after = options.before.resolve(), options.after.resolve()
    print("| CPU seconds | before | after | after / before, median | range |")
    print("| --- | --- | --- | --- | --- |")
    for name in options.pieces:
        print(format_row(name, measure_pairs(name, before, after, options.rounds)), flush=True)


if __name__ == "__main__":
    main()
