"""Small states, batches and methods on which the engine is tested."""

from dataclasses import dataclass, replace
from functools import partial

import torch

import iidgan
from iidgan.core import Batch, Dataset, Method, NetworkFactory, Player
from iidgan.engine import checkpoint
from iidgan.engine.checkpoint import RunIdentity
from iidgan.engine.compile import CompiledStep
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state
from iidgan.engine.step import TrainStep
from iidgan.functional.reduce import mean_per_seed
from iidgan.methods import GAN, iid_gan
from iidgan.nn import MLP
from iidgan.studies.papers.lazy import with_lazy_terms
from iidgan.training.context import TrainContext

capture_interpreted = partial(CompiledStep.capture, graph_compiler=lambda graph, inputs: graph)
"""Captures a step as for compilation, but interprets the graph instead of generating code."""

ARCH = NetworkFactory(MLP(latent=2, hidden=(8, 8)), (3,))
NUM_STEPS = 100
"""Length of a run of which only the first steps are taken."""

SMALL_ARCH = NetworkFactory(MLP(latent=2, hidden=(8,)), (2,))
SEEDS = (0, 1, 2)
BATCH_SIZE = 4


def make_dataset(num_samples=200, shape=(3,), seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(num_samples, *shape, generator=generator)
    return Dataset(x, torch.arange(num_samples))


def make_stream(seeds, batches_per_step=1, batch_size=8, **options):
    return DatasetStream(
        make_dataset(),
        seeds,
        batch_size=batch_size,
        latent_dim=2,
        batches_per_step=batches_per_step,
        **options,
    )


def make_points(num_points=100):
    return torch.randn(num_points, 2, generator=torch.Generator().manual_seed(0))


def save_state(folder, state, **options):
    """Saves a checkpoint of all seeds of a run, or of those in `options`."""
    identity = RunIdentity("a1", SEEDS[: len(state.diverged)])
    return checkpoint.save_state(folder, state, **({"identity": identity} | options))


def load_newest(folder, state, *, identity=None):
    """Restores a state of all seeds from the newest checkpoints."""
    identity = identity or RunIdentity("a1", SEEDS[: len(state.diverged)])
    latest = checkpoint.find_latest(folder, identity)
    checkpoint.load_state(state, identity.seeds, latest.files)


def train_briefly(method=None, seeds=SEEDS, steps=3, ema=0.0, arch=SMALL_ARCH):
    """Returns the state after a few steps."""
    method = method or GAN()
    state = init_state(method, arch, Adam(), seeds, ema=ema)
    train_step = TrainStep(method, state, steps=100, ema=ema)
    stream = DatasetStream(Dataset(make_points()), seeds, batch_size=BATCH_SIZE, latent_dim=2)
    for step in range(steps):
        train_step(stream.batches_at(step))
    state.step = steps
    return state


def make_context(method=None, seeds=(0, 1), **changes):
    """Returns the context of a very small run."""
    changes = {"arch": MLP(hidden=(4,)), "batch": 8, "steps": 10} | changes
    run = iidgan.Run(source=iidgan.Ring(size=200), method=method or GAN(), **changes)
    return TrainContext.create(run, seeds, run.source.load(), torch.device("cpu"))


def clone_tensors(tensors):
    return {name: value.clone() for name, value in tensors.items()}


def have_equal_tensors(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def have_close_tensors(a, b):
    return a.keys() == b.keys() and all(torch.allclose(a[n], b[n], atol=1e-9) for n in a)


def assert_equal_tensors(a, b):
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


def batch_fields(batch):
    return [batch.x, batch.z, batch.u, batch.y]


def have_equal_fields(a, b):
    return all(torch.equal(p, q) for p, q in zip(batch_fields(a), batch_fields(b)))


def select_seed(batch, position):
    return Batch(*(value[position] for value in batch_fields(batch)))


@dataclass(frozen=True)
class FixedPlayers(Method):
    """A GAN with given players."""

    fixed_players: tuple[Player, ...]

    @property
    def players(self):
        return self.fixed_players

    def networks(self, factory):
        return GAN().networks(factory)


def critic_only(num_updates):
    """A GAN whose generator is not trained."""
    return FixedPlayers((replace(GAN().players[0], updates_per_step=num_updates),))


def lazy_iid_gan(every):
    return with_lazy_terms(iid_gan(), every)


def blurred_loss(nets, batch):
    """D's loss on pairs of batches, with noise that fades and features that are matched."""
    x, fake = (v + (1 - batch.t) * batch.noise["blur"] for v in (batch.x, nets.G(batch.z)))
    real, fake = nets.features("D", x), nets.features("D", fake.detach())
    return GAN().loss_D(nets, batch) | {"features": mean_per_seed((real - fake).square())}


@dataclass(frozen=True, kw_only=True)
class Phased(Method):
    """A GAN in phases of 4, 1 and 5 of 10 steps: W trains a spectral D, then nobody, then D."""

    @property
    def players(self):
        gan = GAN()
        return (
            Player("W", blurred_loss, ("D",), updates_per_step=2, active=(0.0, 0.35)),
            Player("G", gan.loss_G, ("G",), batches_per_update=2),
            Player("D", gan.loss_D, ("D",), active=(0.5, 1.0)),
        )

    def networks(self, factory):
        return {"G": factory.build_generator(), "D": factory.build_discriminator(spectral=True)}

    def noise_shapes(self, factory):
        return {"blur": factory.shape}


PHASED = Phased()


def run_steps(step_fn, state, stream, steps):
    """Takes the steps `steps` of a run of ten and returns the losses of each."""
    losses = []
    for step in steps:
        state.set_lr(Adam().lr_at(step, 10))
        losses.append(step_fn(stream.batches_at(step)))
        state.step += 1
    return losses
