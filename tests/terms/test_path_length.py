"""The path-length penalty: finite differences, the moving average, and lazy steps."""

import pytest
import torch

from iidgan.core import Nets, NetworkFactory, Regularised
from iidgan.engine.optim import Adam
from iidgan.engine.state import init_state
from iidgan.engine.step import TrainStep
from iidgan.functional.gradient import path_lengths
from iidgan.methods import GAN
from iidgan.nn import StyleGAN2
from iidgan.terms import PathLength
from iidgan.testing import check_term
from tests.helpers.core import ARCH
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import make_batch

pytestmark = pytest.mark.usefixtures("float64")

STYLES = NetworkFactory(StyleGAN2(latent=3, width=2, mapping_layers=1), (1, 8, 8))
TERM = PathLength(weight=0.5, decay=0.9)


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def make_nets(factory=STYLES):
    """The networks of a GAN with the term, and a batch of one seed."""
    method = Regularised(method=GAN(), terms=(TERM,))
    return Nets(method.networks(factory)), make_batch(method, factory, seeds=1)


def test_path_lengths_by_finite_differences():
    """‖Jᵀ y‖², averaged over layers, from differences of G in every direction of the styles."""
    nets, batch = make_nets()
    G, step = nets["G"], 1e-5
    styles = G.styles(batch.z[:, :2]).detach()
    y = batch.noise["path"][:, :2]
    slopes = torch.zeros_like(styles)
    for index in torch.cartesian_prod(*map(torch.arange, styles.shape[2:])).tolist():
        change = torch.zeros_like(styles)
        change[:, :, index[0], index[1]] = step
        difference = (G(styles + change) - G(styles - change)) / (2 * step)
        slopes[:, :, index[0], index[1]] = (difference * y).flatten(2).sum(-1)
    expected = slopes.square().sum(-1).mean(-1).sqrt()
    styles.requires_grad_()
    torch.testing.assert_close(path_lengths(G(styles), styles, y), expected, rtol=1e-6, atol=0)


def test_penalty_of_a_generator_of_styles():
    nets, batch = make_nets()
    nets["path"].mean.fill_(0.3)
    losses = TERM.compute_loss(nets, batch)
    styles = nets["G"].styles(batch.z)
    lengths = path_lengths(nets["G"](styles), styles, batch.noise["path"] / 8)
    torch.testing.assert_close(losses["path"], 0.5 * (lengths - 0.3).square().mean(1))
    torch.testing.assert_close(losses["path_length"], lengths.mean(1))
    assert not losses["path_length"].requires_grad


def test_first_penalty_is_the_variance_of_lengths():
    nets, batch = make_nets()
    losses = TERM.compute_loss(nets, batch)
    styles = nets["G"].styles(batch.z)
    lengths = path_lengths(nets["G"](styles), styles, batch.noise["path"] / 8)
    torch.testing.assert_close(losses["path"], 0.5 * lengths.var(1, correction=0))


def test_gradient_of_the_penalty_by_finite_differences():
    nets, batch = make_nets()
    nets["path"].mean.fill_(0.3)
    weight, step = nets["G"].convs[1].conv.weight.value, 1e-5
    (gradient,) = torch.autograd.grad(TERM.compute_loss(nets, batch)["path"].sum(), weight)
    values = []
    for change in (step, -step):
        with torch.no_grad():
            weight[0, 1, 0, 2, 1] += change
        values.append(TERM.compute_loss(Nets(dict(nets)), batch)["path"].item())
        with torch.no_grad():
            weight[0, 1, 0, 2, 1] -= change
    slope = (values[0] - values[1]) / (2 * step)
    assert gradient[0, 1, 0, 2, 1].item() == pytest.approx(slope, rel=1e-5)


def test_average_follows_lengths_of_lazy_steps_alone():
    method = Regularised(method=GAN(), terms=(PathLength(decay=0.9, every=2),))
    state = init_state(method, ARCH, Adam(), (0, 1))
    batch, mean = make_batch(method, ARCH), torch.zeros(2)
    train_step = TrainStep(method, state, steps=10)
    for step in range(4):
        losses = train_step([batch])
        if step == 0:
            mean = losses["G/path_length"]
        elif step % 2 == 0:
            mean = 0.9 * mean + 0.1 * losses["G/path_length"]
        assert ("G/path" in losses) is (step % 2 == 0)
        torch.testing.assert_close(state.nets["path"].mean, mean)
        state.step += 1
    assert (mean > 0).all()


@pytest.mark.slow
def test_check_term_on_styles():
    check_term(TERM, arch=STYLES)


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_decay_out_of_range(decay):
    with raises_input_error("decay", decay, "[0, 1)"):
        PathLength(decay=decay)
