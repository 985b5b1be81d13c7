"""Runs every benchmark and prints docs/performance.md; `--quick` for a look."""

import argparse
import os
import sys

import torch

from benchmarks import evaluation, gaussian, images, start, step
from benchmarks.interleaved import machine

OTHERS = ("gan", "wgan-gp", "unrolled", "veegan")


def told(text):
    print(text, flush=True)
    return text


def target(what, wanted, found, met):
    return f"| {what} | {wanted} | {found} | {'met' if met else 'missed'} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-jax", action="store_true", help="leave out the peer in JAX")
    options = parser.parse_args()
    torch.set_num_threads(1)
    jax = not options.no_jax
    told("# Performance\n")
    told("`make bench` measures this anew. Of every comparison the variants take turns within")
    told("one process; numbers are medians, ratios are medians of the ratios of one round.\n")
    told(f"{machine()}.\n")

    told("## IID-GAN on the 2D-Ring, batch 100\n")
    text, ring = step.compare("iid-gan", jax=jax)
    told(f"{text}\n")
    told("Operations of an eager step, five seeds:\n")
    told(f"{step.profile()}\n")

    told("## The whole machine\n")
    cores = os.cpu_count() or 1
    gain, speeds = step.whole_machine(cores)
    for number, speed in speeds.items():
        told(f"* {number} process(es): {speed:.0f} steps of a seed a second, ten seeds")
    told(f"* ratio: {gain:.2f}\n")

    for method in OTHERS:
        told(f"## {method}\n")
        told(f"{step.compare(method, (1, 5), jax=False)[0]}\n")

    told("## Images: DCGAN, 32 pixels, width 64, batch 64\n")
    text, pictures = images.compare()
    told(f"{text}\n")

    told("## Measuring images\n")
    text, measured = evaluation.compare()
    told(f"{text}\n")

    told(
        "## Gaussian losses, forward and backward, in matrix products of M x n by n x min(n, M)\n"
    )
    text, worst = gaussian.compare()
    told(f"{text}\n")

    told("## Starting\n")
    text, starting = start.compare()
    told(f"{text}\n")

    told("## Targets\n")
    told("| what | wanted | found | |\n| --- | --- | --- | --- |")
    faster, floor = ring["faster"], ring["floor"]
    told(target("the plain loop with DataLoader, per core", "3 x", f"{faster:.2f} x", faster >= 3))
    told(target("the floor", "at most 2.2 x", f"{floor:.2f} x", floor <= 2.2))
    told(target(f"{cores} cores over one", "0.9 a core", f"{gain:.2f} x", gain >= 0.9 * cores))
    told(target("first step, warm cache, after import", "5 s", f"{starting['warm']:.1f} s",
                starting["warm"] <= 5))  # fmt: skip
    told(target("image step over the plain loop", "at most 1.05 x", f"{pictures['engine']:.2f} x",
                pictures["engine"] <= 1.05))  # fmt: skip
    told(target("an evaluation of images", "under 10 % of the steps between two of them",
                f"{100 * measured:.1f} %", measured < 0.1))  # fmt: skip
    for name, value in worst.items():
        told(target(f"{name}, M >= 128", "3 products", f"{value:.1f}", value <= 3))
    return 0


if __name__ == "__main__":
    sys.exit(main())
