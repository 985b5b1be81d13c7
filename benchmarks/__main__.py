"""Run and print all benchmarks; docs/performance.md has the output with remarks."""

import argparse
import sys
from pathlib import Path

import torch

from benchmarks import (
    cold_start,
    coverage_monitor,
    evaluation,
    full_run,
    gaussian,
    images,
    multiprocess,
    prepare,
    repeated_updates,
    scores,
    step,
    stylegan2,
    table_block,
)
from benchmarks.timing import describe_machine, one_core
from iidgan.utils.device import has_bfloat16_units
from iidgan.utils.files import write_text
from iidgan.utils.processes import num_cores

NUM_CORES = num_cores()
BASELINE = "the plain loop with DataLoader"
# Steps of full runs of the other methods: each takes some 20 seconds.
OTHER_METHODS = {"gan": 2500, "wgan-gp": 500, "unrolled": 300, "veegan": 1500}
HEAD = """\
# Performance

Measured by `make bench`. The variants of every comparison take turns, within one process on one
core or as separate processes; numbers are medians, ratios are medians over rounds of the ratios
within a round. The floor is the time that the matrix products of a step take at the rate of a
large product, measured in the same rounds.
"""


def format_target(description, target, measured, is_met):
    return f"| {description} | {target} | {measured} | {'met' if is_met else 'missed'} |"


def benchmark_ring(jax):
    with one_core():
        text, facts = step.compare("iid-gan", jax=jax)
        operations = [
            f"Operations of a step of five seeds, {name}:\n\n{step.profile(name)}"
            for name in ("eager", "compiled")
        ]
    yield "IID-GAN on the 2D-Ring, batch 100", "\n\n".join([text, *operations])
    compiled = {name: values for name, values in facts.items() if name.startswith("compiled")}
    for name, (speedup, floor) in compiled.items():
        title = f"{BASELINE}, per core, {name}"
        yield format_target(title, "3 x", f"{speedup:.2f} x", speedup >= 3)
        yield format_target(f"the floor, {name}", "at most 2.2 x", f"{floor:.2f} x", floor <= 2.2)
    speedup, name = max((speedup, name) for name, (speedup, _) in compiled.items())
    title = f"{BASELINE}, per core, at best: {name}"
    yield format_target(title, "stretch goal: 4 x", f"{speedup:.2f} x", speedup >= 4)
    floor, name = min((floor, name) for name, (_, floor) in compiled.items())
    title = f"the floor, at best: {name}"
    yield format_target(title, "stretch goal: at most 1.5 x", f"{floor:.2f} x", floor <= 1.5)


def benchmark_full_run():
    with one_core():
        text, faster = full_run.compare()
    title = f"whole run of {full_run.STEPS:,} steps"
    yield f"A {title}", text
    for name, times in faster.items():
        yield format_target(
            f"a {title} over {BASELINE}: {name}", "3 x", f"{times:.2f} x", times >= 3
        )


def format_processes(gain, speeds):
    seeds = multiprocess.SEEDS
    lines = [
        f"* {number} process(es), {seeds} seeds each: {speed:.0f} steps of a seed per second"
        for number, speed in speeds.items()
    ]
    return "\n".join([*lines, f"* ratio: {gain:.2f}"])


def benchmark_all_cores():
    gain, speeds = multiprocess.whole_machine(NUM_CORES)
    yield "All cores", format_processes(gain, speeds)
    yield format_target(
        f"{NUM_CORES} cores over one", "0.9 a core", f"{gain:.2f} x", gain >= 0.9 * NUM_CORES
    )


def benchmark_table_block():
    text, minutes = table_block.compare()
    yield "The first block of the synthetic table", text
    yield format_target("the first block", "at most 60 min", f"{minutes:.0f} min", minutes <= 60)


def benchmark_other_methods(jax):
    for method, steps in OTHER_METHODS.items():
        with one_core():
            text, _ = step.compare(method, jax=jax)
        gain, speeds = multiprocess.whole_machine(NUM_CORES, method, steps=steps)
        yield method, f"{text}\n\n{format_processes(gain, speeds)}"


def benchmark_repeated_updates():
    with one_core():
        text, facts = repeated_updates.compare()
    yield "Repeated updates: IVGAN, five seeds", text
    for what, most in (("compiling", 1 / 3), ("step", 0.7)):
        title = f"{what}, a repeated update compiled once over one graph"
        yield format_target(
            title, f"at most {most:.2f} x", f"{facts[what]:.2f} x", facts[what] <= most
        )


def benchmark_images():
    with one_core():
        text, facts = images.compare()
    yield "Images: DCGAN, 32 pixels, width 64, batch 64", text
    over = facts["engine"]
    yield format_target(
        "image step over the plain loop", "at most 1.05 x", f"{over:.2f} x", over <= 1.05
    )
    lazy = facts["terms"][4]
    yield format_target(
        "the IID terms every 4 steps, over gan", "at most 1.25 x", f"{lazy:.2f} x", lazy <= 1.25
    )


def benchmark_stylegan2():
    with one_core():
        text, shares = stylegan2.compare()
    yield "StyleGAN2: 32 pixels, width 32, batch 16", text
    share = shares[1]
    title = "step of StyleGAN2 over a plain loop with a weight for each sample"
    yield format_target(title, "at most 1.05 x", f"{share:.2f} x", share <= 1.05)


def benchmark_precisions():
    title = "bfloat16 on images: DCGAN, 32 pixels, width 64, batch 64"
    if not has_bfloat16_units(torch.device("cpu")):
        yield title, "Not measured: this processor has no units for bfloat16."
        return
    with one_core():
        text, shares = images.compare_precisions()
    yield title, text
    for name, share in shares.items():
        what = f"a step in bfloat16, of one in float32: {name}"
        yield format_target(what, "at most 0.60", f"{share:.2f}", share <= 0.60)


def benchmark_data():
    text, facts = prepare.compare()
    seconds, share = facts["seconds"], facts["share"]
    yield "Data: a folder of images, and batches from the mapped array", text
    yield format_target("10,000 PNGs of 64 pixels", "60 s", f"{seconds:.1f} s", seconds <= 60)
    yield format_target(
        "data, of an image step", "at most 2 %", f"{100 * share:.2f} %", share <= 0.02
    )


def benchmark_evaluation():
    text, share = evaluation.compare()
    yield "Measuring images", text
    goal = "under 10 % of the steps between two"
    yield format_target("an evaluation of images", goal, f"{100 * share:.1f} %", share < 0.1)


def benchmark_coverage_monitor():
    with one_core():
        text, share = coverage_monitor.compare()
    yield "Coverage in training", text
    what = "the coverage in training, by default"
    yield format_target(what, "at most 2 %", f"{100 * share:.2f} %", share <= 0.02)


def benchmark_gaussian_losses():
    with one_core():
        text, worst = gaussian.compare()
    title = "Gaussian losses, forward and backward, in products of M x n by n x min(n, M)"
    yield title, text
    for name, (value, n, m) in worst.items():
        what, most = f"{name}, compiled, n = {n}, M = {m}", gaussian.most_products(name)
        yield format_target(what, f"at most {most} products", f"{value:.1f}", value <= most)


def benchmark_scores():
    with one_core():
        text, facts = scores.compare()
    yield "Scores on features", text
    for what, name, least in (
        ("precision, recall, density, coverage over PyPI prdc", "neighbours", 3),
        ("Frechet distance over torchmetrics, with the moments", "frechet", 2),
        ("Frechet distance over torchmetrics, from the moments", "frechet from moments", 2),
    ):
        yield format_target(what, f"{least} x", f"{facts[name]:.2f} x", facts[name] >= least)
    for what, name, most in (
        ("memory of that of PyPI prdc", "memory", 0.2),
        ("metrics of a diagnosis, of the extraction", "extraction", 0.25),
    ):
        share = facts[name]
        yield format_target(what, f"at most {most}", f"{share:.2f}", share <= most)


def benchmark_start():
    text, warm, import_ratio = cold_start.compare()
    yield "Starting", text
    way, seconds = max(warm.items(), key=lambda item: item[1])
    what = f"first step of a second training, from its start, slowest: {way}"
    yield format_target(what, "2 s", f"{seconds:.1f} s", seconds <= 2)
    what = "CPU time of `import iidgan` over `import torch`"
    yield format_target(what, "at most 1.05 x", f"{import_ratio:.2f} x", import_ratio <= 1.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-jax", action="store_true", help="skip the JAX baseline")
    parser.add_argument("--out", type=Path, help="file for the output")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sections, targets = [], []

    def print_section(text):
        print(text, flush=True)
        sections.append(text)

    print_section(f"{HEAD}\n{describe_machine()}.\n")
    for results in (
        benchmark_ring(not options.no_jax),
        benchmark_full_run(),
        benchmark_all_cores(),
        benchmark_table_block(),
        benchmark_other_methods(not options.no_jax),
        benchmark_repeated_updates(),
        benchmark_images(),
        benchmark_stylegan2(),
        benchmark_precisions(),
        benchmark_data(),
        benchmark_evaluation(),
        benchmark_coverage_monitor(),
        benchmark_gaussian_losses(),
        benchmark_scores(),
        benchmark_start(),
    ):
        for result in results:
            if isinstance(result, str):
                targets.append(result)
            else:
                title, text = result
                print_section(f"## {title}\n\n{text}\n")
    print_section("## Targets\n\n| what | target | measured | |\n| --- | --- | --- | --- |")
    print_section("\n".join(targets))
    if options.out:
        write_text(options.out, "\n".join(sections) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
