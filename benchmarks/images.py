"""DCGAN-32: the engine against a plain loop, what the IID terms cost, and bfloat16.

    python -m benchmarks.images

compares float32 with bfloat16 alone, in CPU seconds on one core.
"""

import statistics
import time
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn.functional import softplus

from benchmarks.profiling import operations
from benchmarks.step import build_stepper
from benchmarks.timing import Variant, describe_machine, measure, one_core, ratios, table
from iidgan.config.defaults import recommended
from iidgan.core import Dataset, Source
from iidgan.studies.papers.lazy import with_lazy_terms
from iidgan.training.context import TrainContext
from iidgan.utils.device import has_bfloat16_units

SIDE, WIDTH, LATENT, BATCH = 32, 64, 64, 64


def _generator():
    sizes, layers, inputs = (4 * WIDTH, 2 * WIDTH, WIDTH), [], LATENT
    for i, outputs in enumerate(sizes):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        layers += [
            nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
        inputs = outputs
    return nn.Sequential(*layers, nn.ConvTranspose2d(inputs, 1, 4, 2, 1), nn.Tanh())


def _discriminator():
    layers = [nn.Conv2d(1, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2)]
    for inputs in (WIDTH, 2 * WIDTH):
        layers += [
            nn.Conv2d(inputs, 2 * inputs, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * inputs),
            nn.LeakyReLU(0.2),
        ]
    return nn.Sequential(*layers, nn.Conv2d(4 * WIDTH, 1, 4), nn.Flatten(0))


@dataclass(frozen=True)
class Images(Source):
    """Uniform noise: a step takes as long on it as on pictures."""

    has_images = True
    size: int = 2048
    channels: int = 1
    side: int = SIDE

    def load(self):
        shape = (self.size, self.channels, self.side, self.side)
        return Dataset(torch.randint(0, 256, shape, dtype=torch.uint8))


class PlainDCGAN:
    def __init__(self, data):
        self.data, self.G, self.D = data, _generator(), _discriminator()
        self.optimisers = [
            torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
            for net in (self.D, self.G)
        ]

    def step(self):
        optimise_D, optimise_G = self.optimisers
        picked = self.data[torch.randint(len(self.data), (BATCH,))]
        x, fake = picked.float() / 127.5 - 1, self.G(torch.randn(BATCH, LATENT, 1, 1))
        loss = softplus(-self.D(x)).mean() + softplus(self.D(fake.detach())).mean()
        optimise_D.zero_grad()
        loss.backward()
        optimise_D.step()
        loss = softplus(-self.D(fake)).mean()
        optimise_G.zero_grad()
        loss.backward()
        optimise_G.step()


def create_context(method, data, precision="float32", every=1):
    run = recommended(Images(), method)
    if every > 1:
        run = replace(run, method=with_lazy_terms(run.method, every))
    arch = replace(run.arch, latent=LATENT, width=WIDTH)
    run = replace(run, arch=arch, batch=BATCH, precision=precision, ema=0.0)  # as the plain loop
    return TrainContext.create(run, (0,), data, torch.device("cpu"))


def time_engine(method, data, every=1):
    """Time as many steps at once as it takes until each kind of step has come up."""
    step = build_stepper(create_context(method, data, every=every), "eager")

    def take_period():
        for _ in range(every):
            step()

    return Variant(_name_engine(method, every), take_period, work=every)


def _name_engine(method, every=1):
    return f"{method}, eager" if every == 1 else f"{method}, eager, terms every {every} steps"


INTERVALS = (1, 2, 4, 8)


def compare():
    """Return a table, and facts: `terms`, by interval, is the cost of a step of IID-GAN."""
    data = Images().load()
    variants = [Variant("plain GAN", PlainDCGAN(data.x[:]).step), time_engine("gan", data)]
    variants += [time_engine("iid-gan", data, every) for every in INTERVALS]
    times = measure(variants, rounds=7, seconds=2.0)
    gan = _name_engine("gan")
    terms = {
        every: statistics.median(ratios(times, _name_engine("iid-gan", every), gan))
        for every in INTERVALS
    }
    lines = [f"* every {every} steps: {ratio:.2f}" for every, ratio in terms.items()]
    text = "\n".join(["A step with the IID terms, of one of their base, gan:\n", *lines])
    facts = {"engine": statistics.median(ratios(times, gan, "plain GAN")), "terms": terms}
    return f"{table(times, unit='ms a step')}\n\n{text}", facts


PRECISIONS = ("float32", "bfloat16")
EXECUTORS = ("eager", "compiled")
METHODS = ("gan", "iid-gan")


def compare_precisions(rounds=5, seconds=2.0):
    """Return a table in CPU seconds, and the shares of a float32 step that bfloat16 takes."""
    data = Images().load()
    cases = [(m, executor, p) for m in METHODS for executor in EXECUTORS for p in PRECISIONS]
    contexts = {case: create_context(case[0], data, case[2]) for case in cases}
    variants = [
        Variant(", ".join(case), build_stepper(context, case[1]))
        for case, context in contexts.items()
    ]
    times = measure(variants, rounds=rounds, seconds=seconds, clock=time.process_time)
    shares = {
        f"{method}, {executor}": statistics.median(
            ratios(times, f"{method}, {executor}, bfloat16", f"{method}, {executor}, float32")
        )
        for method in METHODS
        for executor in EXECUTORS
    }
    lines = [f"* {name}: {share:.2f}" for name, share in shares.items()]
    text = table(times, unit="CPU ms a step")
    return "\n".join([f"{text}\n\nA step in bfloat16, of one in float32:\n", *lines]), shares


def profile_precisions(method="iid-gan", executor="eager"):
    """Profile a step in each precision by operation."""
    data = Images().load()
    return {
        precision: operations(
            build_stepper(create_context(method, data, precision), executor), times=3, rows=12
        )
        for precision in PRECISIONS
    }


def main():
    torch.set_num_threads(1)
    with one_core():
        text, _ = compare_precisions()
        profiles = profile_precisions()
    units = "has" if has_bfloat16_units(torch.device("cpu")) else "HAS NO"
    print(f"{describe_machine()}; the processor {units} units for bfloat16.\n\n{text}")
    for precision, rows in profiles.items():
        print(f"\nOperations of an eager step of IID-GAN in {precision}:\n\n{rows}")


if __name__ == "__main__":
    main()
