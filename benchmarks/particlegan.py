"""ParticleGAN's own training on Ring and Grid, beside GAN and IID-GAN of this library.

`pip install particlegan==0.9.4`, then `python -m benchmarks.particlegan`. Without the package its
rows are skipped, by name. All have the same architecture of G and D, data, batch and number of
steps; initialisation, losses, optimisers and prior are each library's own defaults.
"""

import argparse
import importlib
import importlib.util
import statistics
import tempfile
import time
from functools import partial

import torch

import iidgan
from benchmarks.timing import describe_machine
from benchmarks.torch_baseline import perceptron

PACKAGE = "particlegan"
SOURCES = {"Ring": iidgan.Ring(), "Grid": iidgan.Grid()}
METHODS = {"GAN": iidgan.GAN(), "IID-GAN": iidgan.iid_gan()}
COLUMNS = {
    "modes_1": "modes (>= 1)",
    "modes_100": "modes (>= 100)",
    "quality": "quality %",
    "reverse_kl": "reverse KL",
}
NUM_SAMPLES = 50_000


def is_installed():
    return importlib.util.find_spec(PACKAGE) is not None


def train_particlegan(source, seed, *, steps, batch):
    """Trains with the default recipe of the package; returns samples."""
    data = source.load().x
    package = importlib.import_module(PACKAGE)
    recipe = package.get_recipe(total_steps=steps, batch_size=batch)
    G, D = perceptron(recipe.z_dim, 2), perceptron(2, 1)
    package.init.deterministic_orthogonal_(G, seed=2 * seed)
    package.init.deterministic_orthogonal_(D, seed=2 * seed + 1)
    prior = package.init.deterministic_orthogonal_(recipe.make_prior())
    trainer = package.GANTrainer(recipe, G, D, prior=prior, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        trainer.step(data[torch.randint(len(data), (batch,), generator=generator)])
    return trainer.sample(NUM_SAMPLES)


def train_own(source, seed, *, method, steps, batch):
    """Trains a method of this library; returns samples."""
    run = iidgan.Run(source=source, method=method, steps=steps, batch=batch)
    with tempfile.TemporaryDirectory() as out:
        iidgan.train(run, seeds=(seed,), out=out, executor="eager", checkpoint_every=steps)
        return iidgan.load(out, seed=seed).sample(NUM_SAMPLES)


def measure(source, train, seeds):
    """Trains once for each seed; returns the mean of each value, and of the seconds."""
    dataset, values, seconds = source.load(), [], []  # seconds of training and sampling
    for seed in range(seeds):
        start = time.perf_counter()
        generated = train(source, seed)
        seconds.append(time.perf_counter() - start)
        samples = iidgan.Samples(
            generated=generated[None], real=dataset.x[:NUM_SAMPLES], truth=dataset.truth
        )
        coverage = iidgan.metrics.ModeCoverage()(samples)
        values.append({name: coverage[name].item() for name in COLUMNS})
    means = {name: statistics.fmean(row[name] for row in values) for name in COLUMNS}
    return means, statistics.fmean(seconds)


def compare(steps, batch, seeds):
    """Yields the lines of a table."""
    yield f"| data | method | {' | '.join(COLUMNS.values())} | seconds |"
    yield "| --- " * (len(COLUMNS) + 3) + "|"
    trainings = {
        title: partial(train_own, method=method, steps=steps, batch=batch)
        for title, method in METHODS.items()
    }
    if is_installed():
        trainings["ParticleGAN"] = partial(train_particlegan, steps=steps, batch=batch)
    for name, source in SOURCES.items():
        for title, train in trainings.items():
            means, seconds = measure(source, train, seeds)
            cells = " | ".join(f"{means[column]:.4g}" for column in COLUMNS)
            yield f"| {name} | {title} | {cells} | {seconds:.0f} |"
    if not is_installed():
        yield f"\nSkipped: ParticleGAN; {PACKAGE} is not installed (pip install {PACKAGE}==0.9.4)"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=256, help="the package's default is 2048")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    print(describe_machine())
    for line in compare(options.steps, options.batch, options.seeds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
