"""CPU seconds of two checkouts of this repository, interleaved: is the second one slower?

    python -m benchmarks.compare_checkouts ../before . --rounds 7

Both are driven through the public API and the command line alone, which old commits have too.
Every round runs each piece once from each checkout, in turn, as processes of their own; what
counts is the median over rounds of the ratio within a round.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

STEP = """
import json, sys, tempfile, time
import torch, iidgan
torch.set_num_threads(1)
executor, seeds, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def cpu_seconds(steps):
    run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan(), steps=steps)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        iidgan.train(run, seeds=seeds, out=folder + "/run", executor=executor, workers=1,
                     checkpoint_every=10**9, device="cpu")
        return time.process_time() - start

cpu_seconds(100)
short, long = cpu_seconds(100), cpu_seconds(100 + steps)
print(json.dumps((long - short) / steps / seeds))
"""
"""Prints the CPU seconds of one training step and seed: a long run less a short one."""

FIRST_STEP = """
import tempfile, iidgan
run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan(), steps=1)
with tempfile.TemporaryDirectory() as folder:
    iidgan.train(run, seeds=1, out=folder + "/run", executor="eager", workers=1, device="cpu")
"""


def python_in(checkout, *arguments):
    """Runs Python on a checkout's package; gives its CPU seconds and what it printed."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, answer.stdout


def step_seconds(checkout, executor, seeds):
    """CPU seconds of one step and seed of IID-GAN on 2D-Ring."""
    steps = {1: 2_000, 5: 800}[seeds]
    return json.loads(python_in(checkout, "-c", STEP, executor, str(seeds), str(steps))[1])


def demo_seconds(checkout):
    """CPU seconds of the trainings and figures of `make demo`."""
    arguments = [
        "-m",
        "iidgan",
        "table",
        "ring",
        "--quick",
        "--results",
        "results",
        "--runs",
        "runs",
    ]
    return python_in(checkout, *arguments)[0]


PIECES = {
    "step, eager, 1 seed": lambda checkout: step_seconds(checkout, "eager", 1),
    "step, eager, 5 seeds": lambda checkout: step_seconds(checkout, "eager", 5),
    "step, compiled, 1 seed": lambda checkout: step_seconds(checkout, "compiled", 1),
    "step, compiled, 5 seeds": lambda checkout: step_seconds(checkout, "compiled", 5),
    "iidgan --help": lambda checkout: python_in(checkout, "-m", "iidgan", "--help")[0],
    "first step": lambda checkout: python_in(checkout, "-c", FIRST_STEP)[0],
    "make demo": demo_seconds,
}


def compare(before, after, pieces, rounds):
    """Yields a table row for each piece: medians of both checkouts and of their ratio."""
    for name in pieces:
        pairs = [(PIECES[name](before), PIECES[name](after)) for _ in range(rounds)]
        old_seconds, new_seconds = zip(*pairs)
        ratios = [new / old for old, new in pairs]
        medians = f"{statistics.median(old_seconds):.4g} | {statistics.median(new_seconds):.4g}"
        yield (
            f"| {name} | {medians} | {statistics.median(ratios):.3f} "
            f"| {min(ratios):.3f} to {max(ratios):.3f} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pieces", nargs="+", choices=PIECES, default=[*PIECES])
    options = parser.parse_args()
    print("| CPU seconds | before | after | after / before, median | range |")
    print("| --- | --- | --- | --- | --- |")
    before, after = options.before.resolve(), options.after.resolve()
    for row in compare(before, after, options.pieces, options.rounds):
        print(row, flush=True)


if __name__ == "__main__":
    main()
