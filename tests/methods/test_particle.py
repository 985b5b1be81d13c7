"""A prior of learnable particles."""

import pytest
import torch
from torch import nn

import iidgan
from iidgan.methods import GAN, ParticleGAN
from iidgan.methods.particle import ParticleGenerator
from iidgan.testing.mini_run import ARCH, MiniRun
from tests.helpers.networks import LINEAR, make_batch, random_features, random_nets

NUM_PARTICLES = 5


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return ParticleGenerator(nn.Identity(), NUM_PARTICLES, latent=3)


def test_particles_are_drawn_with_equal_probability(generator):
    picked = generator(random_features(1, 100_000, 3))[0]
    rows, counts = picked.unique(dim=0, return_counts=True)
    expected = generator.particles[0].unique(dim=0)
    torch.testing.assert_close(rows, expected, rtol=0, atol=0)
    assert ((counts - 20_000).abs() < 4 * (100_000 * 0.2 * 0.8) ** 0.5).all()


def test_particle_depends_on_the_first_element_alone(generator):
    z = random_features(1, 50, 3)
    other_z = torch.cat([z[..., :1], 7 * z[..., 1:]], -1)
    assert generator(z).equal(generator(other_z))


@pytest.mark.parametrize("value", [-100.0, 100.0])
def test_particles_of_extreme_latents_exist(generator, value):
    row = 0 if value < 0 else NUM_PARTICLES - 1
    assert generator(torch.full((1, 1, 3), value))[0, 0].equal(generator.particles[0, row])


def test_gradient_reaches_the_particles_that_were_picked(generator):
    z = torch.tensor([[[-9.0, 0.0, 0.0], [9.0, 0.0, 0.0], [9.0, 0.0, 0.0]]])
    (gradient,) = torch.autograd.grad(generator(z).sum(), generator.particles)
    assert gradient[0, :, 0].tolist() == [1, 0, 0, 0, 2]


def test_losses_are_those_of_the_gan():
    nets, batch = random_nets(ParticleGAN())
    for player, plain_player in zip(ParticleGAN(loss="hinge").players, GAN(loss="hinge").players):
        losses, plain_losses = player.loss(nets, batch), plain_player.loss(nets, batch)
        assert losses["adversarial"].equal(plain_losses["adversarial"])


def test_features_and_head_are_those_of_the_network():
    nets = ParticleGAN(particles=NUM_PARTICLES).networks(LINEAR)
    z = make_batch(ParticleGAN(), LINEAR, seeds=1).z
    G = nets["G"]
    torch.testing.assert_close(G.head(G.features(z)), G(z))


def test_training_moves_particles_of_each_seed():
    mini_run = MiniRun(ParticleGAN(particles=NUM_PARTICLES), ARCH)
    before = mini_run.init_state().nets["G"].particles
    after = mini_run.trajectory.state.nets["G"].particles
    assert before.shape == (3, NUM_PARTICLES, 2)
    assert not before[0].equal(before[1])
    assert (before != after).any(-1).any(-1).all()


@pytest.mark.slow
def test_particles_train_on_a_ring(tmp_path):
    source = iidgan.Ring(std=0.05, size=5000)
    run = iidgan.Run(source=source, method=ParticleGAN(particles=50), steps=300)
    iidgan.train(run, out=tmp_path / "run", executor="eager", checkpoint_every=300)
    samples = iidgan.load(tmp_path / "run").sample(2000)
    assert len(samples.unique(dim=0)) == 50
    assert 1 < samples.norm(dim=1).mean() < 3  # the radius is 2
