"""StyleGAN2 at 32 pixels: the engine against a plain loop of the same networks.

python -m benchmarks.stylegan2
"""

import statistics
from dataclasses import asdict

import torch

from benchmarks.images import Images
from benchmarks.step import build_stepper
from benchmarks.stylegan2_baseline import IMAGE_CHANNELS, PlainStyleGAN2
from benchmarks.timing import Variant, describe_machine, measure, one_core, ratios, table
from iidgan.config.run import Run
from iidgan.engine.optim import Adam
from iidgan.methods import stylegan2_ada
from iidgan.nn import StyleGAN2
from iidgan.training.context import TrainContext

SIDE, BATCH, PERIOD = 32, 16, 16
ARCH = StyleGAN2(latent=128, width=32)
SEEDS = (1, 3)


def create_context(data, seeds):
    optimiser = Adam(lr=2.5e-3, betas=(0.0, 0.99), schedule="constant")
    run = Run(
        source=Images(channels=IMAGE_CHANNELS, side=SIDE),
        method=stylegan2_ada(),
        arch=ARCH,
        batch=BATCH,
        optimiser=optimiser,
    )
    return TrainContext.create(run, range(seeds), data, torch.device("cpu"))


def check_same_networks(plain, context):
    """Check that both train as many parameters."""
    for name in "GD":
        networks = (getattr(plain, name), context.state.nets[name])
        counts = [sum(weight.numel() for weight in net.parameters()) for net in networks]
        assert counts[0] == counts[1], (name, counts)


def repeat(step):
    """Return a variant's function: all steps of the period of the lazy penalties."""

    def once():
        for _ in range(PERIOD):
            step()

    return once


def compare(rounds=7):
    """Return a table, and CPU time of the engine over that of the loop, by number of seeds."""
    data = Images(channels=IMAGE_CHANNELS, side=SIDE).load()
    options = asdict(ARCH) | {"side": SIDE, "batch": BATCH}
    plain = PlainStyleGAN2(data.x[:], **options)
    contexts = {seeds: create_context(data, seeds) for seeds in SEEDS}
    check_same_networks(plain, contexts[1])
    variants = [Variant("plain loop", repeat(plain.step), PERIOD)]
    variants += [
        Variant(_name_engine(seeds), repeat(build_stepper(context, "eager")), PERIOD * seeds)
        for seeds, context in contexts.items()
    ]
    times = measure(variants, rounds=rounds, seconds=0.0)
    shares = {
        seeds: statistics.median(ratios(times, _name_engine(seeds), "plain loop"))
        for seeds in SEEDS
    }
    return table(times, unit="ms a step and seed"), shares


def _name_engine(seeds):
    return f"engine, eager, seeds: {seeds}"


def main():
    torch.set_num_threads(1)
    with one_core():
        text, shares = compare()
    print(f"{describe_machine()}\n\n{text}\n")
    for seeds, share in shares.items():
        print(f"* {seeds} seed(s): {share:.2f} of the time of the plain loop")


if __name__ == "__main__":
    main()
