"""Methods that vary the adversarial game, and penalties on D: laws, and answers known by hand."""

import math
from functools import partial
from typing import get_args

import pytest
import torch
from torch import nn

from iidgan.core import Arch, Batch, Nets, join
from iidgan.errors import InputError
from iidgan.functional import adversarial
from iidgan.functional.gradient import between, gradient, gradient_by_value, norm
from iidgan.methods.d2gan import D2GAN
from iidgan.methods.gan import GAN
from iidgan.methods.lsgan import lsgan
from iidgan.methods.pacgan import PacGAN, Packed
from iidgan.methods.r3gan import RelativisticGAN, r3gan
from iidgan.methods.sngan import SNGAN
from iidgan.methods.wgan import WGAN, Wasserstein
from iidgan.methods.wgan_gp import wgan_gp
from iidgan.nn import DCGAN, MLP
from iidgan.terms.gradient_penalty import GradientPenalty
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2
from iidgan.testing import check_method, check_term
from iidgan.testing.trial import ARCH, Trial

IMAGES = Arch(DCGAN(latent=4, width=2), (1, 8, 8))
LINEAR = Arch(MLP(latent=2, hidden=()), (2,))
METHODS = {
    "lsgan": lsgan(),
    "wasserstein": Wasserstein(critic_steps=2),
    "wgan": WGAN(),
    "wgan-gp": wgan_gp(),
    "sngan": SNGAN(),
    "relativistic": RelativisticGAN(),
    "r3gan": r3gan(),
    "d2gan": D2GAN(),
    "pacgan": PacGAN(),
}
TERMS = {"r1": R1(), "r2": R2(), "gradient-penalty": GradientPenalty()}

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    """Three seeds of eight samples."""
    generator = torch.Generator().manual_seed(0)
    x, z = torch.randn(2, 3, 8, 2, generator=generator)
    return Batch(x=x, z=z, u=torch.rand(3, 8, generator=generator))


class Map(nn.Module):
    """Applies a function."""

    def __init__(self, f):
        super().__init__()
        self.forward = f


def paraboloid(a, x):
    """Has slope a |x| at x."""
    return a * x.flatten(2).square().sum(2) / 2


def values_of(method, arch=ARCH):
    """What some moves lead to, without the names."""
    return list(Trial(method, arch).end.values.values())


def assert_same(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


# Laws.


@pytest.mark.parametrize("loss", adversarial.PAIRS)
def test_every_pair_on_packs(loss):
    check_method(PacGAN(loss=loss))


@pytest.mark.parametrize("arch", [None, IMAGES], ids=["vectors", "images"])
@pytest.mark.parametrize("name", TERMS)
def test_terms_on_packs(name, arch):
    check_term(TERMS[name], PacGAN(), arch)


# Losses of logits.


def test_pairs_by_hand():
    real, fake = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, -3.0]])
    known = {
        "least-squares": ((1 + 4) / 4 + (0.25 + 9) / 4, (0.25 + 16) / 4),
        "wasserstein": (-1.25 - 0.5, 1.25),
        "hinge": ((0 + 2) / 2 + (1.5 + 0) / 2, 1.25),
    }
    for name, (of_discriminator, of_generator) in known.items():
        pair = adversarial.PAIRS[name]
        assert pair.discriminator(real, fake).item() == pytest.approx(of_discriminator, abs=1e-14)
        assert pair.generator(fake).item() == pytest.approx(of_generator, abs=1e-14)


def test_every_name_has_a_pair():
    assert set(adversarial.PAIRS) == set(get_args(adversarial.Adversarial))


def test_relativistic_compares_pairs():
    high, low = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, 3.0]])
    value = adversarial.relativistic(high, low)
    assert value.item() == pytest.approx(
        (math.log1p(math.exp(-1.5)) + math.log1p(math.exp(4))) / 2
    )
    assert torch.allclose(adversarial.relativistic(high + 7, low + 7), value, rtol=0, atol=1e-14)
    assert adversarial.relativistic(high, high).item() == pytest.approx(math.log(2), abs=1e-15)


def test_log_softplus():
    t = torch.linspace(-29.9, 15, 200, requires_grad=True)
    expected = torch.log(torch.log1p(torch.exp(t)))
    value = adversarial.log_softplus(t)
    torch.testing.assert_close(value, expected, rtol=1e-13, atol=1e-13)
    slopes = [torch.autograd.grad(v.sum(), t)[0] for v in (value, expected)]
    torch.testing.assert_close(*slopes, rtol=1e-10, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_softplus_far_away(dtype):
    t = torch.tensor([-1e4, -200.0, -30.0, 1e4], dtype=dtype, requires_grad=True)
    value = adversarial.log_softplus(t)
    (slope,) = torch.autograd.grad(value.sum(), t, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), t)
    expected = torch.tensor([-1e4, -200.0, -30.0, math.log(1e4)], dtype=dtype)
    torch.testing.assert_close(value.detach(), expected, rtol=1e-6, atol=0)
    expected = torch.tensor([1, 1, 1, 1e-4], dtype=dtype)
    torch.testing.assert_close(slope.detach(), expected, rtol=1e-6, atol=0)
    assert curvature.isfinite().all()


# Gradients with respect to inputs.


def test_gradient_of_a_pack_is_in_all_its_samples(batch):
    packed = Packed(Map(lambda x: x), 2)
    packed.net.features, packed.net.head = lambda x: paraboloid(1.0, x), nn.Identity()
    assert torch.equal(gradient(packed, batch.x), batch.x)
    found = gradient_by_value(packed, batch.x)
    assert torch.equal(found, batch.x.reshape(3, 4, 4))
    expected = batch.x.square().sum(2).unflatten(1, (4, 2)).sum(2).sqrt()
    torch.testing.assert_close(norm(found), expected, rtol=1e-14, atol=0)


def test_norm_of_zero_has_a_gradient():
    x = torch.zeros(1, 2, 3, requires_grad=True)
    (found,) = torch.autograd.grad((norm(x) - 1).square().sum(), x)
    assert torch.equal(found, torch.zeros_like(x))


# Terms: D(x) = a |x|^2 / 2, of slope a |x|.


def term_and_its_slope(term, batch):
    """The value of a term of (a x, x), and its derivative by a, at a = 1.5."""
    a = torch.tensor(1.5, requires_grad=True)
    nets = Nets({"D": Map(partial(paraboloid, a)), "G": Map(lambda z: 3 * z)})
    (value,) = term.addends["D"](nets, batch).values()
    return value.detach(), torch.autograd.grad(value.sum(), a)[0]


@pytest.mark.parametrize("term", [R1(weight=0.7), R2(weight=0.7)])
def test_flatness(term, batch):
    value, slope = term_and_its_slope(term, batch)
    where = batch.x if isinstance(term, R1) else 3 * batch.z
    square = where.square().sum(2).mean(1)
    torch.testing.assert_close(value, 0.7 / 2 * 1.5**2 * square, rtol=1e-13, atol=0)
    torch.testing.assert_close(slope, 0.7 * 1.5 * square.sum(), rtol=1e-13, atol=0)


@pytest.mark.parametrize("centre", [0.0, 1.0])
def test_gradient_penalty(centre, batch):
    value, slope = term_and_its_slope(GradientPenalty(weight=5.0, centre=centre), batch)
    u = batch.u[..., None]
    size = (u * batch.x + (1 - u) * 3 * batch.z).square().sum(2).sqrt()
    excess = 1.5 * size - centre
    torch.testing.assert_close(value, 5 * excess.square().mean(1), rtol=1e-12, atol=0)
    torch.testing.assert_close(slope, 10 * (excess * size).mean(1).sum(), rtol=1e-12, atol=0)


def test_gradient_penalty_of_a_flat_critic(batch):
    value, slope = term_and_its_slope(
        GradientPenalty(weight=5.0), Batch(x=0 * batch.x, z=0 * batch.z, u=batch.u)
    )
    assert torch.equal(value, torch.full((3,), 5.0))
    assert slope.item() == 0


def test_penalties_of_a_linear_pack(batch):
    """The slope of a linear D is the norm of all its weights, of every sample in the pack."""
    state = Trial(PacGAN(), LINEAR).start()
    nets = Nets(dict(state.nets.items()))
    square = nets["D"].head.layer.weight().square().sum((1, 2))
    for term in (R1(weight=2.0), R2(weight=2.0)):
        (value,) = term.addends["D"](nets, batch).values()
        torch.testing.assert_close(value, square, rtol=1e-13, atol=0)
    (value,) = GradientPenalty(weight=1.0).loss(nets, batch).values()
    torch.testing.assert_close(value, (square.sqrt() - 1).square(), rtol=1e-12, atol=0)


def test_mixtures_lie_between(batch):
    fake = 3 * batch.z
    mixed = between(fake, batch.x, batch.u)
    parts = norm(mixed - fake) / norm(batch.x - fake)
    torch.testing.assert_close(parts, batch.u, rtol=1e-10, atol=0)


# Methods.


def test_critics_move_more_often():
    for method in (Wasserstein(critic_steps=3), WGAN(critic_steps=3), SNGAN(critic_steps=3)):
        assert [(p.name, p.repeat) for p in method.players] == [("D", 3), ("G", 1)]
    assert [(p.name, p.repeat) for p in wgan_gp(3).players] == [("D", 3), ("G", 1)]


@pytest.mark.parametrize(
    "method",
    [
        Wasserstein(critic_steps=1),
        WGAN(critic_steps=1, clip=1e9),
        wgan_gp(1, GradientPenalty(weight=0.0)),
    ],
)
def test_a_wasserstein_gan_with_nothing_to_hold_it(method):
    parameters = values_of(GAN(loss="wasserstein"))[:-2]  # the last are losses
    assert_same(values_of(method)[: len(parameters)], parameters)


def test_clipping():
    trial = Trial(WGAN(clip=0.02), ARCH)
    for state in (trial.start(), trial.end.state):
        assert max(p.abs().max() for p in state.nets["D"].parameters()) == 0.02
        assert max(p.abs().max() for p in state.nets["G"].parameters()) > 0.1


def test_wrappers_share_their_last_hidden_layer(batch):
    for method in (WGAN(), PacGAN()):
        module = Trial(method, ARCH).start().nets["D"]
        assert hasattr(module, "head")
        assert torch.equal(Nets({"D": module}).D(batch.x), module(batch.x))


def test_sngan_is_not_steep(batch):
    D = Trial(SNGAN(), ARCH).end.state.nets["D"]
    for _ in range(300):
        for module in D.modules():
            if hasattr(module, "refresh"):
                module.refresh(batch)
    steepest = norm(gradient(D, 3 * batch.x)).max()
    assert 1e-3 < steepest < 1 + 1e-9


def test_relativistic_gan_ignores_the_level_of_logits(batch):
    G, D = Map(lambda z: 3 * z), partial(paraboloid, 0.1)
    method = RelativisticGAN()
    nets, raised = (Nets({"G": G, "D": Map(lambda x, c=c: D(x) + c)}) for c in (0, 9))
    gap = D(3 * batch.z) - D(batch.x)
    for loss, sign in ((method.loss_D, 1), (method.loss_G, -1)):
        (value,), (other,) = loss(nets, batch).values(), loss(raised, batch).values()
        expected = (1 + (sign * gap).exp()).log().mean(1)
        torch.testing.assert_close(value, expected, rtol=1e-13, atol=0)
        torch.testing.assert_close(value, other, rtol=1e-13, atol=0)


def test_r3gan_is_the_sum_of_its_parts(batch):
    trial = Trial(r3gan(R1(weight=0.3), R2(weight=0.4)), ARCH)
    nets = Nets(dict(trial.start().nets.items()))
    D, G = trial.method.players
    parts = RelativisticGAN().loss_D, R1(weight=0.3).loss, R2(weight=0.4).loss
    expected = {name: value for part in parts for name, value in part(nets, batch).items()}
    assert list(expected) == ["adversarial", "r1", "r2"]
    found = D.loss(nets, batch)
    assert_same(list(found.values()), list(expected.values()))
    assert list(G.loss(nets, batch)) == ["adversarial"]


def test_d2gan_at_the_optimum_of_both_discriminators():
    """On two points: data (3/4, 1/4), samples (1/2, 1/2); what is left are the divergences."""
    p, q = torch.tensor([0.75, 0.25]), torch.tensor([0.5, 0.5])
    alpha, beta = 0.6, 0.9
    batch = Batch(
        x=torch.tensor([0.0, 0, 0, 1])[None, :, None],
        z=torch.tensor([0.0, 0, 1, 1])[None, :, None],
        u=torch.zeros(1, 4),
    )
    best = {"D1": alpha * p / q, "D2": beta * q / p}
    tables = {name: value.expm1().log().requires_grad_() for name, value in best.items()}
    looks = {name: Map(lambda x, t=t: t[x[..., 0].long()]) for name, t in tables.items()}
    nets, method = Nets({"G": nn.Identity()} | looks), D2GAN(alpha=alpha, beta=beta)
    value = 0.0
    for player in method.players[:2]:
        (loss,) = player.loss(nets, batch).values()
        (slope,) = torch.autograd.grad(loss, tables[player.name])
        torch.testing.assert_close(slope, torch.zeros(2), rtol=0, atol=1e-14)
        value -= loss.item()
    kl, reverse = (p * (p / q).log()).sum().item(), (q * (q / p).log()).sum().item()
    expected = alpha * (kl + math.log(alpha) - 1) + beta * (reverse + math.log(beta) - 1)
    assert value == pytest.approx(expected, abs=1e-14)
    (loss,) = method.loss_G(nets, batch).values()
    assert loss.item() == pytest.approx(beta * (reverse + math.log(beta)) - alpha, abs=1e-14)


@pytest.mark.parametrize("arch", [ARCH, IMAGES], ids=["vectors", "images"])
def test_packs_of_one_are_the_gan(arch):
    assert_same(values_of(PacGAN(m=1), arch), values_of(GAN(), arch))


@pytest.mark.parametrize("shape", [(2,), (3, 4, 4)], ids=["vectors", "images"])
def test_packs_lie_side_by_side(shape):
    batches = [torch.randn(3, 4, *shape) for _ in range(2)]
    joined = join([Batch(x=x, z=x, u=x) for x in batches]).x
    seen = []
    net = Map(lambda x: x)
    net.features, net.head = lambda x: seen.append(x) or x.flatten(2).sum(2), nn.Identity()
    assert Packed(net, 2)(joined).shape == (3, 4)
    assert torch.equal(seen[0], torch.cat([joined[:, 0::2], joined[:, 1::2]], dim=2))


def test_packs_are_as_many_as_samples():
    assert {player.batches for player in PacGAN(m=3).players} == {3}
    packed = PacGAN(m=3).networks(IMAGES)["D"]
    assert packed(torch.randn(1, 12, 1, 8, 8)).shape == (1, 4)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Wasserstein(critic_steps=0), "critic_steps: 0 is too few; at least 1"),
        (lambda: WGAN(critic_steps=0), "critic_steps: 0 is too few; at least 1"),
        (lambda: WGAN(clip=0.0), "clip: 0.0 is not a finite number above 0"),
        (lambda: SNGAN(critic_steps=0), "critic_steps: 0 is too few; at least 1"),
        (lambda: D2GAN(alpha=-1.0), "alpha: -1.0 is not a finite number above 0"),
        (lambda: D2GAN(beta=math.inf), "beta: inf is not a finite number above 0"),
        (lambda: PacGAN(m=0), "m: 0 is too few; at least 1"),
        (lambda: PacGAN(loss="hings"), "loss: unknown 'hings'; did you mean 'hinge'"),
        (lambda: R1(weight=math.nan), "weight: nan is out of range"),
        (lambda: R2(weight=math.nan), "weight: nan is out of range"),
        (lambda: GradientPenalty(weight=math.inf), "weight: inf is out of range"),
        (
            lambda: GradientPenalty(centre=-1.0),
            "centre: -1.0 is out of range; a finite number of at least 0",
        ),
    ],
)
def test_options_out_of_range(made, message):
    with pytest.raises(InputError, match=message):
        made()
