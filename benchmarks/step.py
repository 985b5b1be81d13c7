"""Time per step and seed of IID-GAN on the 2D-Ring: our engine against a plain loop.

Every round times each variant once, in turn, so that a noisy machine is noisy to all; what counts
is the median over rounds of the ratio to the plain loop of the same round.
"""

import os
import statistics
import time

import torch

from benchmarks.plain import Plain
from iidgan.bench.run import Run
from iidgan.core import Arch
from iidgan.data import Ring
from iidgan.engine.batches import Batches
from iidgan.engine.executors import executor
from iidgan.engine.move import Move
from iidgan.engine.state import init
from iidgan.methods import iid_gan

ROUNDS, STEPS = 15, 100


def plain(data, *, loader):
    trainer = Plain(data.x, loader=loader)
    return lambda: trainer.step(), 1


def ours(data, seeds, name):
    run = Run(method=iid_gan())
    arch = Arch(run.arch, data.shape)
    state = init(run.method, arch, run.optimiser, range(seeds))
    move = Move(run.method, state, steps=run.steps)
    batches = Batches(
        data,
        range(seeds),
        size=run.batch,
        latent=arch.latent,
        repeat=move.num_batches,
        noise=run.method.noise(arch),
        steps=run.steps,
    )
    step = executor(name, move, batches.at(0))

    def once():
        state.set_rate(run.optimiser.rate(state.step, run.steps))
        step(batches.at(state.step))
        state.step += 1

    return once, seeds


def measure(once, seeds):
    start = time.perf_counter()
    for _ in range(STEPS // seeds):
        once()
    return (time.perf_counter() - start) / (STEPS // seeds) / seeds * 1e3


def main():
    torch.set_num_threads(1)
    data = Ring().load()
    variants = {
        "plain loop": plain(data, loader=False),
        "plain loop, DataLoader": plain(data, loader=True),
        **{f"eager, {s} seeds": ours(data, s, "eager") for s in (1, 5, 10)},
        **{f"compiled, {s} seeds": ours(data, s, "compiled") for s in (1, 5)},
    }
    times = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, variant in variants.items():
            times[name].append(measure(*variant))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"torch {torch.__version__}, 1 thread, {os.cpu_count()} cores, load {load}")
    print(f"{'variant':26}{'ms per step and seed':>22}{'times the plain loop':>22}")
    for name, values in times.items():
        ratios = [b / a for a, b in zip(values, times["plain loop"])]
        print(f"{name:26}{statistics.median(values):22.2f}{statistics.median(ratios):22.2f}")


if __name__ == "__main__":
    main()
