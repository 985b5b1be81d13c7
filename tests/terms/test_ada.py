"""Adaptive discriminator augmentation as a term."""

import pytest
import torch
from torch import nn

from iidgan.core import Batch, Nets, NetworkFactory, Regularised
from iidgan.engine.optim import Adam
from iidgan.engine.state import init_state
from iidgan.engine.step import TrainStep
from iidgan.functional.augmentation import ada
from iidgan.methods import GAN, RelativisticGAN, lsgan
from iidgan.methods.bigan import BiGAN
from iidgan.methods.vae import VAE
from iidgan.nn import MLP
from iidgan.terms import ADA, R1, CycleTerm
from iidgan.terms.ada import AugmentationStrength
from iidgan.testing import check_method
from iidgan.testing.mini_run import NUM_STEPS, MiniRun
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import IMAGES, VECTORS, FunctionModule
from tests.helpers.training_runs import have_same_end

CONSTANT = ADA(p=0.5, kimg=None)


def make_batch(term, x):
    """A batch of one seed with the noise of the term."""
    generator = torch.Generator().manual_seed(0)
    shapes = term.noise_shapes(NetworkFactory(IMAGES.backbone, tuple(x.shape[2:])))
    noise = {
        name: torch.randn(*x.shape[:2], *shape, generator=generator)
        for name, shape in shapes.items()
    }
    return Batch(x=x, z=x.flatten(2), u=x[:, :, 0, 0, 0], noise=noise)


def draw_images(num_seeds=1):
    return torch.randn(num_seeds, 8, 1, 6, 6, generator=torch.Generator().manual_seed(1))


def adapted_strength(term, logits, num_updates):
    """Strength after some updates of a D with the given logits."""
    strength = AugmentationStrength(term.p)
    nets = Nets({"D": FunctionModule(lambda x: logits), "ada": strength})
    batch = Batch(x=draw_images(), z=torch.zeros(1, 8, 2), u=torch.zeros(1, 8))
    for _ in range(num_updates):
        term.post_updates["D"](nets, batch, term.losses["D"](nets, batch))
    return float(strength.p)


def test_strength_rises_with_overfitting():
    """In 0.08 thousand images, or ten batches of eight, by 1 / kimg of these; 500 by default."""
    certain = torch.ones(1, 8)
    assert adapted_strength(ADA(), certain, 4) == pytest.approx(4 * 8 / 500_000)
    assert adapted_strength(ADA(kimg=0.32), certain, 3) == 0
    assert adapted_strength(ADA(kimg=0.32), certain, 11) == pytest.approx(0.2)
    assert adapted_strength(ADA(kimg=0.32), certain, 100) == 1


def test_strength_falls_at_chance():
    undecided = torch.tensor([[1.0, -1, 1, -1, 1, -1, 1, -1]])
    assert adapted_strength(ADA(p=0.5, kimg=0.32), undecided, 8) == pytest.approx(0.3)
    assert adapted_strength(ADA(p=0.5, kimg=0.32), undecided, 100) == 0


def test_strength_stays_on_target():
    half = torch.tensor([[1.0, 1, 1, 1, 1, -1, 0, 0]])
    assert adapted_strength(ADA(p=0.5, target=0.5, kimg=0.1), half, 8) == 0.5


def test_strength_averages_over_the_interval():
    """Two updates at 1 and two at -1 are at chance together."""
    strength = AugmentationStrength(0.5)
    for sign in (1.0, 1.0, -1.0, -1.0):
        strength.adapt(torch.tensor([sign]), target=0.0, interval=4, change=0.1)
    assert float(strength.p) == 0.5
    for _ in range(4):
        strength.adapt(torch.tensor([1.0]), target=0.0, interval=4, change=0.1)
    assert float(strength.p) == pytest.approx(0.6)


def strengths_after_training(term, offset, num_steps=40):
    """Train two seeds on noise around `offset`, and return their strengths."""
    factory = NetworkFactory(MLP(latent=2, hidden=(32,)), (1, 4, 4))
    method = Regularised(method=GAN(), terms=(term,))
    state = init_state(method, factory, Adam(lr=1e-2), seeds=(0, 1))
    train_step = TrainStep(method, state, steps=num_steps)
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(2, 8, *shape, generator=generator)

    for _ in range(num_steps):
        noise = {name: draw(*shape) for name, shape in method.noise_shapes(factory).items()}
        batch = Batch(x=offset + draw(*factory.shape), z=draw(2), u=draw(), noise=noise)
        train_step([batch])
        state.step += 1
    return state.nets["ada"].p


@pytest.mark.slow
def test_strength_follows_training():
    """D separates real images far from generated ones, and cannot tell those that are alike."""
    term = ADA(groups=("blit",), p=0.3, kimg=1.0)
    assert (strengths_after_training(term, offset=3.0) > 0.3).all()
    assert (strengths_after_training(term, offset=0.0) < 0.3).all()


def test_term_augments_all_images_alike():
    x = draw_images()
    batch, strength = make_batch(CONSTANT, x), AugmentationStrength(0.5)
    nets = Nets({"D": nn.Identity(), "F": nn.Identity(), "ada": strength})
    wrapped = CONSTANT.wrap_networks(nets, batch)
    draws = {name.removeprefix("ada_"): value for name, value in batch.noise.items()}
    augmented = ada.augment(x, draws, torch.tensor([0.5]))
    torch.testing.assert_close(wrapped.D(x), augmented)
    assert not torch.equal(augmented, x)
    torch.testing.assert_close(wrapped.D(torch.cat([x, x], 1)), torch.cat([augmented] * 2, 1))
    assert wrapped.F(x) is x


def test_term_logs_strength_and_sign():
    x = draw_images()
    logits = torch.tensor([[1.0, 1, 1, 1, 1, 1, -1, -1]])
    nets = Nets({"D": FunctionModule(lambda x: logits), "ada": AugmentationStrength(0.25)})
    values = ADA().losses["D"](nets, make_batch(ADA(), x))
    assert {name: float(value) for name, value in values.items()} == {
        **{"ada_p": 0.25, "ada_sign": 0.5},
    }


def test_lazy_term_adapts_at_the_same_pace():
    term, x = ADA(every=3, interval=1, kimg=1.0, p=0.5), draw_images()
    batch, strength = make_batch(term, x), AugmentationStrength(term.p)
    nets = Nets({"ada": strength})
    term.adapt(nets, batch, {})  # a step without the term
    assert strength.p.item() == 0.5
    term.adapt(nets, batch, {"ada_sign": torch.ones(1)})
    assert strength.p.item() == pytest.approx(0.5 + 3 * x.shape[1] / 1000)


def with_term(term, method=None):
    return Regularised(method=method or GAN(), terms=(term,))


@pytest.mark.slow
def test_term_without_strength_changes_nothing():
    """In ten batches p stays below 0.0003."""
    assert have_same_end(with_term(ADA(kimg=1e30)), GAN(), IMAGES)
    assert not have_same_end(with_term(CONSTANT), GAN(), IMAGES)


@pytest.mark.parametrize("terms", [(), (ADA(),)], ids=["plain", "ada"])
def test_term_needs_no_forward_pass(terms):
    """D evaluates real and generated images for its update, and generated ones for that of G."""
    mini_run = MiniRun(Regularised(method=GAN(), terms=terms), IMAGES)
    state, calls = mini_run.init_state(), []
    state.nets["D"].head.register_forward_hook(lambda *arguments: calls.append(arguments))
    TrainStep(mini_run.method, state, steps=NUM_STEPS)(mini_run.draw_batches()[0])
    assert len(calls) == 3


@pytest.mark.slow
def test_term_with_gradient_penalty():
    """The gradient of a gradient passes through the augmentations."""
    method = Regularised(method=GAN(), terms=(CONSTANT, R1()))
    check_method(method, IMAGES)


def test_inverse_reads_images_as_they_are():
    """The cycle term, which does not read D, has the same value with and without ADA."""
    x, term = draw_images(), CycleTerm()
    nets = Nets({"D": nn.Identity(), "F": nn.Flatten(2), "G": nn.Unflatten(2, (1, 6, 6))})
    batch = make_batch(CONSTANT, x)
    wrapped = CONSTANT.wrap_networks(nets, batch)
    losses, expected = (term.losses["F"](networks, batch) for networks in (wrapped, nets))
    assert losses.keys() == expected.keys()
    assert all(torch.equal(losses[name], expected[name]) for name in losses)


@pytest.mark.parametrize(
    ("term", "method", "factory", "mentions"),
    [
        (ADA(), GAN(), VECTORS, ["ada", "(3,)"]),
        (ADA(), GAN(), NetworkFactory(MLP(), (1, 1, 8)), ["ada", "(1, 1, 8)"]),
        (CONSTANT, VAE(), IMAGES, ["ada", "G, F"]),
        (ADA(), lsgan(), IMAGES, ["least-squares", "--ada.kimg None"]),
        (ADA(), RelativisticGAN(), IMAGES, ["RelativisticGAN", "--ada.kimg None"]),
        (ADA(), BiGAN(), IMAGES, ["--ada.kimg None"]),
    ],
    ids=["points", "lines", "no D", "least squares", "relativistic", "pairs"],
)
def test_term_refuses_methods(term, method, factory, mentions):
    with raises_input_error("terms", *mentions):
        check_method(with_term(term, method), factory)
