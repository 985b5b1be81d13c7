"""Runs every benchmark, and prints it: docs/performance.md has what it printed, with remarks."""

import argparse
import sys
from pathlib import Path

import torch

from benchmarks import cold_start as start
from benchmarks import evaluation, gaussian, images, prepare, step
from benchmarks import full_run as whole
from benchmarks import multiprocess as cores
from benchmarks import table_block as block
from benchmarks.timing import machine, one_core
from iidgan.utils.files import write_text
from iidgan.utils.processes import num_cores

CORES = num_cores()
LOOP = "the plain loop with DataLoader"
# Steps of whole runs of the other methods: each takes some 20 seconds.
OTHERS = {"gan": 2500, "wgan-gp": 500, "unrolled": 300, "veegan": 1500}
HEAD = """\
# Performance

`make bench` measures this anew. Of every comparison the variants take turns, within one process on
one core or as whole processes; numbers are medians, ratios are medians of the ratios of one round.
The floor is the time that a step's matrix products take at the rate of a large product, measured
in the same rounds.
"""


def target(what, wanted, found, met):
    return f"| {what} | {wanted} | {found} | {'met' if met else 'missed'} |"


def ring(jax):
    with one_core():
        text, facts = step.compare("iid-gan", jax=jax)
        operations = [
            f"Operations of a step of five seeds, {name}:\n\n{step.profile(name)}"
            for name in ("eager", "compiled")
        ]
    yield "IID-GAN on the 2D-Ring, batch 100", "\n\n".join([text, *operations])
    ours = {name: found for name, found in facts.items() if name.startswith("compiled")}
    for name, (faster, floor) in ours.items():
        yield target(f"{LOOP}, per core, {name}", "3 x", f"{faster:.2f} x", faster >= 3)
        yield target(f"the floor, {name}", "at most 2.2 x", f"{floor:.2f} x", floor <= 2.2)
    faster, name = max((faster, name) for name, (faster, _) in ours.items())
    best = f"{LOOP}, per core, at best: {name}"
    yield target(best, "4 x, reached for", f"{faster:.2f} x", faster >= 4)
    floor, name = min((floor, name) for name, (_, floor) in ours.items())
    best = f"the floor, at best: {name}"
    yield target(best, "at most 1.5 x, reached for", f"{floor:.2f} x", floor <= 1.5)


def whole_run():
    with one_core():
        text, faster = whole.compare()
    title = f"whole run of {whole.STEPS:,} steps"
    yield f"A {title}", text
    for name, times in faster.items():
        yield target(f"a {title} over {LOOP}: {name}", "3 x", f"{times:.2f} x", times >= 3)


def processes(gain, speeds):
    lines = [
        f"* {number} process(es), {cores.SEEDS} seeds each: {speed:.0f} steps of a seed a second"
        for number, speed in speeds.items()
    ]
    return "\n".join([*lines, f"* ratio: {gain:.2f}"])


def whole_machine():
    gain, speeds = cores.whole_machine(CORES)
    yield "The whole machine", processes(gain, speeds)
    yield target(f"{CORES} cores over one", "0.9 a core", f"{gain:.2f} x", gain >= 0.9 * CORES)


def first_block():
    text, minutes = block.compare()
    yield "The first block of the synthetic table", text
    yield target("the first block", "at most 60 min", f"{minutes:.0f} min", minutes <= 60)


def others(jax):
    for method, steps in OTHERS.items():
        with one_core():
            text, _ = step.compare(method, jax=jax)
        found = cores.whole_machine(CORES, method, steps=steps)
        yield method, f"{text}\n\n{processes(*found)}"


def pictures():
    with one_core():
        text, facts = images.compare()
    yield "Images: DCGAN, 32 pixels, width 64, batch 64", text
    over = facts["engine"]
    yield target("image step over the plain loop", "at most 1.05 x", f"{over:.2f} x", over <= 1.05)


def data():
    text, facts = prepare.compare()
    seconds, share = facts["seconds"], facts["share"]
    yield "Data: a folder of images, and batches from the mapped array", text
    yield target("10,000 PNGs of 64 pixels", "60 s", f"{seconds:.1f} s", seconds <= 60)
    yield target("data, of an image step", "at most 2 %", f"{100 * share:.2f} %", share <= 0.02)


def measuring():
    text, share = evaluation.compare()
    yield "Measuring images", text
    wanted = "under 10 % of the steps between two"
    yield target("an evaluation of images", wanted, f"{100 * share:.1f} %", share < 0.1)


def losses():
    with one_core():
        text, worst = gaussian.compare()
    title = "Gaussian losses, forward and backward, in products of M x n by n x min(n, M)"
    yield title, text
    for name, (value, n, m) in worst.items():
        what, most = f"{name}, compiled, at worst n = {n}, M = {m}", gaussian.MOST
        yield target(what, f"at most {most} products", f"{value:.1f}", value <= most)


def starting():
    text, warm = start.compare()
    yield "Starting", text
    way, seconds = max(warm.items(), key=lambda item: item[1])
    what = f"first step of a second training, from its start, slowest: {way}"
    yield target(what, "5 s", f"{seconds:.1f} s", seconds <= 5)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-jax", action="store_true", help="leave out the peer in JAX")
    parser.add_argument("--out", type=Path, help="where to keep what is printed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    told, targets = [], []

    def tell(text):
        print(text, flush=True)
        told.append(text)

    tell(f"{HEAD}\n{machine()}.\n")
    for each in (
        ring(not options.no_jax),
        whole_run(),
        whole_machine(),
        first_block(),
        others(not options.no_jax),
        pictures(),
        data(),
        measuring(),
        losses(),
        starting(),
    ):
        for found in each:
            if isinstance(found, str):
                targets.append(found)
            else:
                title, text = found
                tell(f"## {title}\n\n{text}\n")
    tell("## Targets\n\n| what | wanted | found | |\n| --- | --- | --- | --- |")
    tell("\n".join(targets))
    if options.out:
        write_text(options.out, "\n".join(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
