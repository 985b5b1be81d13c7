"""What each recipe minimises, written out beside it: losses, norms, weights and their schedule."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import relu, softplus

from iidgan.core import Regularised
from iidgan.functional import gaussian
from iidgan.functional.gradient import slope_penalty
from iidgan.methods import GAN, METHODS, iid_gan, iid_gan_plus, invert_gan, iv_gan, lsgan, wgan_gp
from iidgan.methods.sngan import SNGAN
from iidgan.terms import CodeNoise, CycleConsistency, GaussianConsistency
from iidgan.testing.trial import ARCH, Trial, fresh

pytestmark = pytest.mark.usefixtures("float64")


def played(method):
    """Networks of three seeds, and a batch."""
    trial = Trial(method, ARCH)
    return fresh(trial.start()), trial.batches()[0][0]


def losses(method, player, nets, batch):
    (found,) = (each.loss(nets, batch) for each in method.players if each.name == player)
    return found


def close(value, expected):
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)


def l1(gap):
    return gap.abs().sum(-1).mean(-1)


def l2(gap):
    return gap.norm(dim=-1).mean(-1)


@pytest.mark.parametrize(
    ("method", "of_d", "of_g"),
    [
        (
            SNGAN(),
            lambda real, fake: (relu(1 - real) + relu(1 + fake)).mean(-1),
            lambda fake: -fake.mean(-1),
        ),
        (
            lsgan(),
            lambda real, fake: ((real - 1).square() + fake.square()).mean(-1) / 2,
            lambda fake: (fake - 1).square().mean(-1) / 2,
        ),
        (
            GAN(),
            lambda real, fake: (softplus(-real) + softplus(fake)).mean(-1),
            lambda fake: softplus(-fake).mean(-1),
        ),
    ],
    ids=["sngan", "lsgan", "gan"],
)
def test_adversarial_losses(method, of_d, of_g):
    nets, batch = played(method)
    real, fake = nets.D(batch.x), nets.D(nets.G(batch.z))
    close(losses(method, "D", nets, batch)["adversarial"], of_d(real, fake))
    close(losses(method, "G", nets, batch)["adversarial"], of_g(fake))


def test_wgan_gp_has_its_penalty():
    method = wgan_gp()
    nets, batch = played(method)
    found = losses(method, "D", nets, batch)
    fake = nets.G(batch.z)
    close(found["adversarial"], (nets.D(fake) - nets.D(batch.x)).mean(-1))
    close(found["gradient_penalty"], 10 * slope_penalty(nets.D, fake, batch.x, batch.u, 1.0))


@pytest.mark.parametrize(
    ("norm", "gap", "scale"), [("l1-sum", l1, 1.0), ("l1", l1, 0.5), ("l2", l2, 1.0)]
)
def test_cycle_norms(norm, gap, scale):
    """In as many dimensions as the latent has, element means are 1/M of L1 norms."""
    method = Regularised(method=GAN(), terms=(CycleConsistency(norm=norm, weight=7.0),))
    nets, batch = played(method)
    found = losses(method, "G", nets, batch)
    close(found["cycle_z"], 7 * scale * gap(batch.z - nets.F(nets.G(batch.z))))
    close(found["cycle_x"], 7 * scale * gap(batch.x - nets.G(nets.F(batch.x))))


@pytest.mark.parametrize(
    "options",
    [
        {"p": 3.0},
        {"distance": "w2", "root": True},
        {"distance": "kl", "eps": 1e-3},
        {"distance": "w2-1d", "root": True},
        {"distance": "epps-pulley", "directions": 5},
    ],
    ids=str,
)
def test_gaussian_options_reach_the_distance(options):
    method = Regularised(
        method=GAN(), terms=(CycleConsistency(), GaussianConsistency(weight=4.0, **options))
    )
    nets, batch = played(method)
    rest = {"p": 2.0, "root": False, "eps": None} | options
    name, directions = rest.pop("distance", "p-norm"), batch.z[:, : rest.pop("directions", 16)]
    expected = gaussian.distance(name, nets.F(batch.x), directions, **rest)
    close(losses(method, "G", nets, batch)["gaussian"], 4 * expected)


def test_the_terms_by_name_are_those_of_iid_gan():
    """`--term cycle --term gaussian` on a base is `iid_gan` of it."""
    terms = CycleConsistency(), GaussianConsistency()
    for name in ("gan", "veegan"):
        base = METHODS[name]()
        assert Regularised(method=base, terms=terms) == iid_gan(base)


@pytest.mark.parametrize(
    ("method", "gap", "cycle", "weight"),
    [(iid_gan(), l1, 3.0, 10.0), (invert_gan(), l2, 1.0, 1.0)],
    ids=["iid-gan", "invert-gan"],
)
def test_iid_gan_and_invert_gan(method, gap, cycle, weight):
    nets, batch = played(method)
    found = losses(method, "G", nets, batch)
    codes = nets.F(batch.x)
    centred = codes - codes.mean(1, keepdim=True)
    covariance = centred.mT @ centred / codes.shape[1]
    distance = codes.mean(1).norm(dim=-1) + (covariance - torch.eye(2)).flatten(1).norm(dim=-1)
    close(found["adversarial"], softplus(-nets.D(nets.G(batch.z))).mean(-1))
    close(found["cycle_z"], cycle * gap(batch.z - nets.F(nets.G(batch.z))))
    close(found["cycle_x"], cycle * gap(batch.x - nets.G(codes)))
    close(found["gaussian"], weight * distance)


@pytest.mark.parametrize(("t", "factor"), [(0.0, 1.0), (0.25, 1.0), (1.0, 30.0)])
def test_iid_gan_plus_grows(t, factor):
    method = iid_gan_plus(noise=CodeNoise(std=0.0))
    nets, batch = played(method)
    batch = replace(batch, t=torch.tensor(t))
    found = losses(method, "G", nets, batch)
    plain = losses(iid_gan(), "G", nets, batch)
    close(found["cycle_z"], plain["cycle_z"] / factor)
    close(found["cycle_x"], plain["cycle_x"] * factor)
    close(found["gaussian"], plain["gaussian"] * factor)


def test_iid_gan_plus_sees_codes_through_wide_clouds_with_tails():
    noise = iid_gan_plus().flat[1][-1]
    assert (noise.std, noise.widening, noise.tails) == (0.1, 1.0, 3)


def test_iv_gan_is_least_squares_with_noise_that_ends():
    method = iv_gan()
    base, (intervention, noise) = method.flat
    assert base == GAN(loss="least-squares")
    assert (noise.std, noise.until) == (0.05, 0.5)
    assert (intervention.classify, intervention.reconstruct) == (0.5, 0.25)
