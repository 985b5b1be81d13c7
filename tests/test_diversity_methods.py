"""Methods and terms against mode collapse: several generators or discriminators, and spread."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, logsigmoid

from iidgan.core import Arch, Batch, Nets
from iidgan.errors import InputError
from iidgan.functional import adversarial, diversity
from iidgan.methods.adv_latent import AdvLatentGAN
from iidgan.methods.amat import AMAT, EXEMPLARS
from iidgan.methods.gan import GAN
from iidgan.methods.mad_gan import MADGAN
from iidgan.nn import DCGAN
from iidgan.terms.bures import Bures
from iidgan.terms.gdpp import GDPP
from iidgan.terms.mode_seeking import ModeSeeking
from iidgan.testing import check_term
from iidgan.testing.trial import ARCH, Trial, fresh

IMAGES = Arch(DCGAN(latent=4, width=2), (1, 8, 8))
EAGER = AMAT(first_check=1, alpha=1.0, caution=1.0)  # starts a discriminator at every check
ALL_METHODS = [MADGAN(), AMAT(), EAGER, AdvLatentGAN()]
ALL_TERMS = [GDPP(), Bures(), ModeSeeking()]

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("term", ALL_TERMS, ids=str)
def test_terms_on_images(term):
    check_term(term, arch=IMAGES)


@pytest.mark.parametrize("term", ALL_TERMS, ids=str)
@pytest.mark.parametrize("method", ALL_METHODS, ids=str)
def test_terms_on_methods(term, method):
    check_term(term, method)


@pytest.mark.parametrize(
    ("make", "option", "problem"),
    [
        (MADGAN, {"generators": 0}, "generators: 0 is too few; at least 1"),
        (AMAT, {"discriminators": 0}, "discriminators: 0 is not between 1 and most, 4"),
        (AMAT, {"discriminators": 3, "most": 2}, "discriminators: 3 is not between 1 and most, 2"),
        (AMAT, {"random": 1.5}, "random: 1.5 is no probability; between 0 and 1"),
        (AMAT, {"alpha": 0.5}, "alpha: 0.5 is too small; at least 1"),
        (AMAT, {"caution": 0.0}, "caution: 0.0 is too small; at least 1"),
        (AMAT, {"first_check": 0}, "first_check: 0 is too small; at least 1"),
        (AMAT, {"growth": 1.0}, "growth: 1.0 never ends checking; above 1, such as 2"),
        (AdvLatentGAN, {"eps": -0.1}, "eps: -0.1 is out of range; a finite number of at least 0"),
        (
            GDPP,
            {"magnitude": -1.0},
            "magnitude: -1.0 is out of range; a finite number of at least 0",
        ),
        (AdvLatentGAN, {"loss": "hings"}, "loss: unknown 'hings'; did you mean 'hinge'?.*"),
        (
            GDPP,
            {"weight": float("nan")},
            "weight: nan is out of range; a finite number of at least 0",
        ),
        (
            Bures,
            {"weight": float("inf")},
            "weight: inf is out of range; a finite number of at least 0",
        ),
        (
            ModeSeeking,
            {"weight": float("inf")},
            "weight: inf is out of range; a finite number of at least 0",
        ),
    ],
)
def test_options_out_of_range(make, option, problem):
    with pytest.raises(InputError, match=f"^{problem}$"):
        make(**option)


def start(method, arch=ARCH):
    """Gives the networks of three seeds, and a batch."""
    trial = Trial(method, arch)
    return fresh(trial.start()), trial.batches()[0][0]


def losses(method, nets, batch):
    return {player.name: player.loss(nets, batch)["adversarial"] for player in method.players}


def same_run(one, other):
    """Tells whether G goes the same way in both."""
    ends = [Trial(method, ARCH).end.state.nets["G"].parameters() for method in (one, other)]
    return all(map(torch.equal, *ends))


# MAD-GAN


@pytest.mark.parametrize("arch", [ARCH, IMAGES], ids=["vectors", "images"])
def test_generators_take_turns_on_the_same_latents(arch):
    nets, batch = start(MADGAN(generators=3), arch)
    head, hidden = nets["G"].head, nets["G"].features(batch.z)
    each = [generator(hidden) for generator in head.heads]
    made = head.every(hidden)
    for j in range(batch.z.shape[1]):
        assert torch.equal(nets.G(batch.z)[:, j], each[j % 3][:, j])
        for i in range(3):
            assert torch.equal(made[:, 3 * j + i], each[i][:, j])
    assert torch.allclose(made, nets.G(batch.z.repeat_interleave(3, 1)))
    assert nets.G(batch.z[:, :2]).shape == (3, 2, *arch.shape)  # fewer samples than generators


def test_losses_of_classes_by_hand():
    method = MADGAN(generators=3)
    nets, batch = start(method)
    D, hidden = nets["D"], nets["G"].features(batch.z)
    samples = [batch.x] + [generator(hidden) for generator in nets["G"].head.heads]
    found = losses(method, nets, batch)
    for seed in range(3):
        logits = [D.head.classes(D.features(x))[seed] for x in samples]
        labels = torch.arange(4).repeat_interleave(8)
        assert torch.isclose(found["D"][seed], cross_entropy(torch.cat(logits), labels))
        fooled = [-each.log_softmax(-1)[:, 0] for each in logits[1:]]
        assert torch.isclose(found["G"][seed], torch.cat(fooled).mean())


def test_log_odds_are_a_logit():
    nets, batch = start(MADGAN())
    classes = nets["D"].head.classes(nets["D"].features(batch.x))
    assert torch.allclose(logsigmoid(nets.D(batch.x)), classes.log_softmax(-1)[..., 0])


def test_one_generator_is_a_gan():
    nets, batch = start(MADGAN(generators=1))
    one, plain = losses(MADGAN(generators=1), nets, batch), losses(GAN(), nets, batch)
    assert torch.allclose(2 * one["D"], plain["D"])  # the mean over both batches, not their sum
    assert torch.allclose(one["G"], plain["G"])


def test_generators_learn_their_own_head_alone():
    nets, batch = start(MADGAN(generators=2))
    first, second = nets["G"].head.heads
    own = nets.G(batch.z)[:, 0].sum()
    to_first, to_second = (
        torch.autograd.grad(own, list(head.parameters()), allow_unused=True, retain_graph=True)
        for head in (first, second)
    )
    assert all(gradient.any() for gradient in to_first)
    assert not any(gradient is not None and gradient.any() for gradient in to_second)


# AMAT


def test_one_discriminator_is_a_gan():
    assert same_run(AMAT(discriminators=1, most=1), GAN())
    assert not same_run(AMAT(discriminators=2, most=2), GAN())


def judged(alive, fake, **batch):
    """Asks a method for its judges, or its weights, where D gives the logits `fake`."""
    nets = {"D": SimpleNamespace(head=SimpleNamespace(alive=alive))}
    return nets, SimpleNamespace(**batch), fake


def test_the_strictest_alive_judges():
    fake = torch.tensor([[[3.0, 1.0, -9.0], [1.0, 2.0, -9.0]]])
    noise = {"amat_judge": torch.zeros(1, 2, 3)}
    asked = judged(torch.tensor([[1.0, 1.0, 0.0]]), fake, u=torch.full((1, 2), 0.2), noise=noise)
    assert AMAT()._judges(*asked).tolist() == [[1, 0]]


def test_some_are_judged_by_any_alive():
    torch.manual_seed(0)
    num = 100_000
    fake = torch.tensor([0.0, 1.0, 2.0, -1.0]).expand(1, num, 4)
    noise = {"amat_judge": torch.randn(1, num, 4)}
    asked = judged(torch.tensor([[1.0, 1.0, 1.0, 0.0]]), fake, u=torch.rand(1, num), noise=noise)
    shares = AMAT(random=0.3)._judges(*asked)[0].bincount(minlength=4) / num
    expected = torch.tensor([0.7 + 0.1, 0.1, 0.1, 0.0])
    assert torch.allclose(shares, expected, atol=0.005)


def test_weights_are_a_sorted_dirichlet_sample():
    torch.manual_seed(0)
    seeds = 100_000
    fake = torch.tensor([0.5, -0.5, 3.0, -9.0]).expand(seeds, 8, 4)
    alive = torch.tensor([1.0, 1.0, 1.0, 0.0]).expand(seeds, 4)
    noise = {"amat_weight": torch.randn(seeds, 8, 4)}
    weights = AMAT()._weights(*judged(alive, fake, noise=noise))
    assert torch.allclose(weights.sum(1), torch.ones(()))
    assert not weights[:, 3].any()
    assert (weights[:, 1] >= weights[:, 0]).all()
    assert (weights[:, 0] >= weights[:, 2]).all()
    # Spacings of uniform numbers: the k-th largest of 3 is (1/k + ... + 1/3) / 3 on average.
    expected = torch.tensor([5 / 18, 11 / 18, 2 / 18, 0])
    assert torch.allclose(weights.mean(0), expected, atol=0.005)


def test_losses_of_several_discriminators_by_hand():
    method = AMAT(discriminators=3)
    nets, batch = start(method)
    D = nets["D"]
    fake, real = (D.head.each(D.features(x)) for x in (nets.G(batch.z), batch.x))
    judge, weights = method._judges(nets, batch, fake), method._weights(nets, batch, fake)
    found = losses(method, nets, batch)
    for seed in range(3):
        pairs = [(real[seed, j, k], fake[seed, j, k]) for j, k in enumerate(judge[seed])]
        by_hand = sum(-logsigmoid(x) - logsigmoid(-y) for x, y in pairs) / len(pairs)
        assert torch.isclose(found["D"][seed], by_hand)
        by_hand = sum(
            w * -logsigmoid(fake[seed, :, i]).mean() for i, w in enumerate(weights[seed])
        )
        assert torch.isclose(found["G"][seed], by_hand)
    assert torch.allclose(nets.D(batch.x), real[..., :3].mean(-1))


def test_who_waits_does_not_change():
    trial = Trial(AMAT(discriminators=2, most=3), ARCH)
    before, after = trial.start().nets["D"], trial.end.state.nets["D"]
    changed = [
        not torch.equal(a, b)
        for i in range(3)
        for part in ("trunks", "head.heads")
        for a, b in zip(
            before.get_submodule(f"{part}.{i}").parameters(),
            after.get_submodule(f"{part}.{i}").parameters(),
            strict=True,
        )
    ]
    third = len(changed) // 3
    assert all(changed[: 2 * third])
    assert not any(changed[2 * third :])


def test_who_waits_does_not_count():
    """Neither D's logit nor its features, which terms read, show who is not alive."""
    nets, batch = start(AMAT(discriminators=2, most=3))
    hidden = nets.features("D", batch.x)
    assert hidden[:, :, :2].flatten(2).any(-1).all()
    assert not hidden[:, :, 2].any()
    waiting = [*nets["D"].trunks[2].parameters(), *nets["D"].head.heads[2].parameters()]
    slopes = torch.autograd.grad(nets.D(batch.x).sum(), waiting)
    assert not any(slope.any() for slope in slopes)


def believing(method, *probabilities):
    """Builds an ensemble whose discriminators give these probabilities to the exemplars."""
    ensemble = method.networks(ARCH)["D"]
    logits = torch.tensor(probabilities).logit().T[None]
    ensemble.head.each = lambda hidden: logits
    return ensemble


def batch_of(x):
    seeds, num = x.shape[:2]
    return Batch(x=x, z=torch.zeros(seeds, num, 2), u=torch.zeros(seeds, num))


EVEN, FORGETFUL = [0.5] * EXEMPLARS, [0.8] + [0.5] * (EXEMPLARS - 1)  # 0.8 is 1.54 means


@pytest.mark.parametrize(
    ("beliefs", "discriminators", "expected"),
    [
        ([EVEN, EVEN, EVEN, EVEN], 2, 2),
        ([EVEN, FORGETFUL, EVEN, EVEN], 2, 3),
        ([EVEN, EVEN, FORGETFUL, EVEN], 2, 2),  # who waits is not asked
        ([EVEN, FORGETFUL, EVEN, EVEN], 3, 3),  # 1.54 means are below 1.5 * 1.25
        ([FORGETFUL] * 4, 4, 4),  # there is no further one
    ],
)
def test_a_forgetful_discriminator_gets_company(beliefs, discriminators, expected):
    ensemble = believing(AMAT(discriminators=discriminators, first_check=2), *beliefs)
    batch = batch_of(torch.randn(1, 20, 2))
    ensemble.refresh(batch)
    assert ensemble.head.alive.sum() == discriminators  # not yet time
    ensemble.refresh(batch)
    assert ensemble.head.alive.tolist() == [[1.0] * expected + [0.0] * (4 - expected)]


def test_checks_come_ever_later():
    ensemble = believing(AMAT(most=9, first_check=2, growth=2.0, caution=1.0), *[FORGETFUL] * 9)
    counts = []
    for _ in range(9):
        ensemble.refresh(batch_of(torch.randn(1, 20, 2)))
        counts.append(int(ensemble.head.alive.sum()))
    assert counts == [2, 3, 3, 4, 4, 4, 4, 5, 5]  # after moves 2, 4 and 8


@pytest.mark.parametrize("size", [8, 20])
def test_exemplars_are_of_the_first_batch(size):
    ensemble = AMAT().networks(ARCH)["D"]
    first, second = torch.randn(2, 1, size, 2).unbind()
    ensemble.refresh(batch_of(first))
    ensemble.refresh(batch_of(second))
    assert torch.equal(ensemble.exemplars, torch.cat([first, first], 1)[:, :EXEMPLARS])


# AdvLatGAN


@pytest.mark.parametrize("loss", ["non-saturating", "saturating"])
def test_no_step_is_a_gan(loss):
    assert same_run(AdvLatentGAN(eps=0.0, loss=loss), GAN(loss=loss))
    assert not same_run(AdvLatentGAN(loss=loss), GAN(loss=loss))


def test_latents_descend_by_the_step():
    """With D(G(z)) = <a, z> the loss of G falls with <a, z>, so that z moves by eps sign(a)."""
    a = torch.tensor([[[2.0, -0.1]], [[-3.0, 1.0]]])
    G, D = nn.Identity(), nn.Module()
    D.forward = lambda x: (a * x).sum(-1)
    batch = Batch(x=torch.randn(2, 5, 2), z=torch.randn(2, 5, 2), u=torch.rand(2, 5))
    found = AdvLatentGAN(eps=0.25).loss_D(Nets({"G": G, "D": D}), batch)["adversarial"]
    fake = D(batch.z) + 0.25 * a.abs().sum(-1)
    assert torch.allclose(found, adversarial.discriminator(D(batch.x), fake))


def test_the_step_is_a_constant_to_the_discriminator():
    method = AdvLatentGAN(eps=0.1)
    nets, batch = start(method)
    slope = method._slope(nets, batch.z)
    assert not slope.requires_grad
    moved = replace(batch, z=batch.z - 0.1 * slope.sign())
    one, other = (
        torch.autograd.grad(
            of.loss_D(Nets(dict(nets)), on)["adversarial"].sum(), list(nets["D"].parameters())
        )
        for of, on in ((method, batch), (GAN(), moved))
    )
    assert all(map(torch.equal, one, other))


# GDPP


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def weights_of(real):
    rows = diversity.unit_rows(real)
    values = torch.linalg.eigvalsh(rows @ rows.mT)
    low, high = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)
    return (values - low) / (high - low)


@pytest.mark.parametrize("width", [3, 6, 9])
def test_gdpp_of_a_batch_against_itself(width):
    x = features(2, 6, width)
    magnitude, structure = diversity.gdpp(x, x, broadening=1e-9)
    assert torch.allclose(magnitude, torch.zeros(2), atol=1e-20)
    assert torch.allclose(structure, -weights_of(x).sum(-1))


def test_gdpp_does_not_hang_on_rounding():
    """Generated features of rank 2 have eigenvectors without meaning; the real ones all count."""
    fake, real = features(1, 8, 2) @ features(1, 2, 16, seed=2), features(1, 8, 16, seed=1)
    rounded = fake + 1e-15 * features(1, 8, 16, seed=3)
    one, other = diversity.gdpp(fake, real)[1], diversity.gdpp(rounded, real)[1]
    assert torch.allclose(one, other, rtol=1e-12)


def test_gdpp_of_orthogonal_features_by_hand():
    """Two like samples and a third: eigenvalues 2, 1, 0; all different: 1, 1, 1."""
    a, b, c = torch.eye(3)
    real = torch.stack([a, a, b])[None]
    magnitude, _ = diversity.gdpp(torch.stack([a, b, c])[None], real)
    assert torch.allclose(magnitude, torch.tensor([2 / 3]), atol=1e-5)
    magnitude, structure = diversity.gdpp(torch.stack([a, b, b])[None], real)
    # Leading vectors (1, 1, 0) and (0, 1, 1) over root 2, second ones (0, 0, 1) and (1, 0, 0).
    assert torch.allclose(magnitude, torch.zeros(1), atol=1e-10)
    assert torch.allclose(structure, torch.tensor([-1 / 2]), atol=1e-5)


def test_gdpp_ignores_the_length_of_features():
    fake, real = features(2, 6, 4), features(2, 6, 4, seed=1)
    for one, other in zip(diversity.gdpp(fake, real), diversity.gdpp(30 * fake, real)):
        assert torch.allclose(one, other, rtol=1e-4)


def test_gdpp_gradient_is_that_of_finite_differences():
    fake, real = features(1, 4, 6), features(1, 4, 6, seed=1)
    for part in (0, 1):
        assert torch.autograd.gradcheck(
            lambda x, part=part: diversity.gdpp(x, real, broadening=1e-9)[part],
            fake.clone().requires_grad_(),
        )


def test_gdpp_broadening_leaves_clear_gaps_alone():
    fake, real = features(1, 4, 6).requires_grad_(), features(1, 4, 6, seed=1)
    exact, broad = (
        torch.autograd.grad(diversity.gdpp(fake, real, broadening=eps)[1].sum(), fake)[0]
        for eps in (1e-9, 1e-2)
    )
    assert torch.allclose(exact, broad, rtol=0.02, atol=1e-3)
    assert not torch.equal(exact, broad)


DEGENERATE = {
    "low rank": features(1, 8, 2) @ features(1, 2, 16, seed=2),
    "all the same": features(1, 1, 16).expand(1, 8, 16),
    "all but the same": features(1, 1, 16) + 1e-9 * features(1, 8, 16, seed=2),
    "two points": features(1, 2, 16).repeat(1, 4, 1),
    "nothing": torch.zeros(1, 8, 16),
    "orthogonal": torch.eye(8, 16)[None],
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("fake", DEGENERATE)
@pytest.mark.parametrize("real", DEGENERATE)
@pytest.mark.parametrize("name", ["gdpp", "bures"])
def test_degenerate_features_have_small_gradients(name, fake, real, dtype):
    x, y = DEGENERATE[fake].to(dtype), DEGENERATE[real].to(dtype)
    x = x.clone().requires_grad_()
    if name == "gdpp":
        value = torch.stack(diversity.gdpp(x, y)).sum()
    else:
        value = diversity.bures(diversity.directions(x), diversity.directions(y)).sum()
    (slope,) = torch.autograd.grad(value, x)
    assert value.isfinite()
    assert slope.abs().max() < 1e4


def test_gdpp_of_a_diverged_seed_leaves_the_others():
    fake, real = features(3, 6, 4), features(3, 6, 4, seed=1)
    right = torch.stack(diversity.gdpp(fake, real))
    fake[1] = torch.nan
    found = torch.stack(diversity.gdpp(fake, real))
    assert found[:, 1].isnan().all()
    assert torch.equal(found[:, ::2], right[:, ::2])


# Bures


def rows_with(variances, num=8):
    """Gives rows whose uncentred covariance is diagonal, with these variances."""
    basis = torch.linalg.qr(features(num, len(variances), seed=3)).Q
    return (basis * (num * torch.tensor(variances)).sqrt())[None]


def test_bures_of_diagonal_covariances():
    a, b = (1.0, 4.0, 0.5), (2.25, 1.0, 0.5)
    expected = sum((x**0.5 - y**0.5) ** 2 for x, y in zip(a, b))
    assert torch.allclose(diversity.bures(rows_with(a), rows_with(b)), torch.tensor([expected]))


def test_bures_is_the_formula_with_matrix_roots():
    a, b = features(2, 9, 4), features(2, 12, 4, seed=1)
    found = diversity.bures(a, b)
    for seed in range(2):
        one, other = a[seed].T @ a[seed] / 9, b[seed].T @ b[seed] / 12
        root = torch.linalg.eigvals(one @ other).real.clamp_min(0).sqrt().sum()
        assert torch.isclose(found[seed], one.trace() + other.trace() - 2 * root)


def test_bures_of_a_batch_against_itself_and_shuffled():
    x = diversity.directions(features(2, 8, 5))
    other = diversity.directions(features(2, 8, 5, seed=1))
    order = torch.tensor([3, 1, 4, 0, 5, 2, 7, 6])
    assert torch.allclose(diversity.bures(x, x), torch.zeros(2), atol=1e-12)
    assert torch.allclose(diversity.bures(x[:, order], x), torch.zeros(2), atol=1e-12)
    assert torch.allclose(diversity.bures(x[:, order], other), diversity.bures(x, other))


def test_bures_is_between_0_and_2():
    here, there = features(4, 8, 2, seed=1), features(4, 8, 2, seed=2)
    nothing = torch.zeros(4, 8, 2)
    apart = diversity.bures(
        diversity.directions(torch.cat([here, nothing], -1)),
        diversity.directions(torch.cat([nothing, there], -1)),
    )
    assert torch.allclose(apart, 2 * torch.ones(4), rtol=1e-4)  # no direction in common
    collapsed = diversity.bures(diversity.directions(nothing), diversity.directions(here))
    assert torch.allclose(collapsed, torch.ones(4), rtol=1e-4)


def test_bures_gradient_is_that_of_finite_differences():
    real = diversity.directions(features(1, 7, 3, seed=1))
    assert torch.autograd.gradcheck(
        lambda x: diversity.bures(diversity.directions(x), real),
        features(1, 7, 3).requires_grad_(),
    )


@pytest.mark.parametrize("term", [GDPP(), Bures()], ids=str)
def test_terms_read_the_features_of_the_discriminator(term):
    nets, batch = start(GAN(), IMAGES)
    fake, real = (nets["D"].features(x).flatten(2) for x in (nets.G(batch.z), batch.x))
    found = sum(term.loss(nets, batch).values())
    if isinstance(term, GDPP):
        magnitude, structure = diversity.gdpp(fake, real)
        expected = 1e-4 * magnitude + structure
    else:
        expected = 100 * diversity.bures(diversity.directions(fake), diversity.directions(real))
    assert torch.allclose(found, expected)


# Mode seeking


@pytest.mark.parametrize("slope", [3.0, -0.5])
def test_mode_seeking_of_a_linear_generator(slope):
    G = nn.Module()
    G.forward = lambda z: slope * z + 1
    z = features(3, 8, 2)
    batch = Batch(x=z, z=z, u=torch.rand(3, 8))
    found = ModeSeeking(weight=2.0).loss(Nets({"G": G}), batch)["mode_seeking"]
    assert torch.allclose(found, torch.tensor(2 / (abs(slope) + 1e-5)))


def test_mode_seeking_of_a_collapsed_generator():
    G = nn.Module()
    G.forward = torch.zeros_like
    z = features(3, 8, 2)
    found = ModeSeeking().loss(Nets({"G": G}), Batch(x=z, z=z, u=torch.rand(3, 8)))
    assert torch.allclose(found["mode_seeking"], torch.tensor(1e5))


def test_mode_seeking_is_a_ratio_of_means():
    G = nn.Module()
    G.forward = torch.square
    z = torch.tensor([[[1.0], [2.0], [4.0]]])
    batch = Batch(x=z, z=z, u=torch.rand(1, 3))
    # Neighbours differ by 3, 1, 2 before and by 15, 3, 12 after.
    found = ModeSeeking().loss(Nets({"G": G}), batch)["mode_seeking"]
    assert torch.allclose(found, torch.tensor(1 / (30 / 6 + 1e-5)))


def test_mode_seeking_needs_pairs():
    z = torch.zeros(1, 1, 2)
    with pytest.raises(InputError, match="batch: 1 has no pair for mode seeking; at least 2"):
        ModeSeeking().loss(Nets({"G": nn.Identity()}), Batch(x=z, z=z, u=torch.zeros(1, 1)))
