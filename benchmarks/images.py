"""DCGAN-32 on Fashion-MNIST: the engine against a plain loop, and what the IID terms cost."""

import statistics
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn.functional import softplus

from benchmarks.timing import Variant, measure, ratios, table
from iidgan.config.defaults import recommended
from iidgan.core import Dataset, Source
from iidgan.training.context import TrainContext

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


def time_engine(method, data):
    run = recommended(Images(), method)
    run = replace(run, arch=replace(run.arch, latent=LATENT, width=WIDTH), batch=BATCH)
    context = TrainContext.create(run, (0,), data, torch.device("cpu"))

    def once():
        context.state.set_lr(run.optimiser.lr_at(context.state.step, run.steps))
        context.train_step(context.batches.batches_at(context.state.step))
        context.state.step += 1

    return Variant(f"{method}, eager", once)


def compare():
    data = Images().load()
    variants = [Variant("plain GAN", PlainDCGAN(data.x[:]).step)]
    variants += [time_engine(name, data) for name in ("gan", "iid-gan")]
    times = measure(variants, rounds=7, seconds=2.0)
    facts = {
        "engine": statistics.median(ratios(times, "gan, eager", "plain GAN")),
        "terms": statistics.median(ratios(times, "iid-gan, eager", "gan, eager")),
    }
    terms = f"The IID terms: {facts['terms']:.2f} times a step of their base, gan."
    return f"{table(times, unit='ms a step')}\n\n{terms}", facts
