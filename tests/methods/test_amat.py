"""A growing number of discriminators."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import logsigmoid

from iidgan.core import Batch
from iidgan.methods.amat import AMAT, NUM_EXEMPLARS, amat
from iidgan.methods.gan import GAN
from iidgan.testing.mini_run import ARCH, MiniRun
from tests.helpers.training_runs import adversarial_losses, have_same_generator, start_networks

pytestmark = pytest.mark.usefixtures("float64")


def test_amat_of_one_is_gan():
    assert have_same_generator(AMAT(discriminators=1, most=1), GAN())
    assert not have_same_generator(AMAT(discriminators=2, most=2), GAN())


def assignment_inputs(alive, fake, **batch):
    """Arguments for the assignment of samples, where D has the logits `fake`."""
    nets = {"D": SimpleNamespace(head=SimpleNamespace(alive=alive))}
    return nets, SimpleNamespace(**batch), fake


def test_amat_assigns_to_strictest():
    fake = torch.tensor([[[3.0, 1.0, -9.0], [1.0, 2.0, -9.0]]])
    noise = {"amat_judge": torch.zeros(1, 2, 3)}
    inputs = assignment_inputs(
        torch.tensor([[1.0, 1.0, 0.0]]), fake, u=torch.full((1, 2), 0.2), noise=noise
    )
    assert AMAT()._assign_samples(*inputs).tolist() == [[1, 0]]


def test_amat_random_assignment_shares():
    torch.manual_seed(0)
    num = 100_000
    fake = torch.tensor([0.0, 1.0, 2.0, -1.0]).expand(1, num, 4)
    noise = {"amat_judge": torch.randn(1, num, 4)}
    inputs = assignment_inputs(
        torch.tensor([[1.0, 1.0, 1.0, 0.0]]), fake, u=torch.rand(1, num), noise=noise
    )
    shares = AMAT(random=0.3)._assign_samples(*inputs)[0].bincount(minlength=4) / num
    expected = torch.tensor([0.7 + 0.1, 0.1, 0.1, 0.0])
    assert torch.allclose(shares, expected, atol=0.005)


def test_amat_weights_are_sorted_dirichlet():
    torch.manual_seed(0)
    seeds = 100_000
    fake = torch.tensor([0.5, -0.5, 3.0, -9.0]).expand(seeds, 8, 4)
    alive = torch.tensor([1.0, 1.0, 1.0, 0.0]).expand(seeds, 4)
    noise = {"amat_weight": torch.randn(seeds, 8, 4)}
    weights = AMAT()._draw_weights(*assignment_inputs(alive, fake, noise=noise))
    assert torch.allclose(weights.sum(1), torch.ones(()))
    assert not weights[:, 3].any()
    assert (weights[:, 1] >= weights[:, 0]).all()
    assert (weights[:, 0] >= weights[:, 2]).all()
    # Spacings of uniform numbers: the k-th largest of 3 is (1/k + ... + 1/3) / 3 on average.
    expected = torch.tensor([5 / 18, 11 / 18, 2 / 18, 0])
    assert torch.allclose(weights.mean(0), expected, atol=0.005)


def test_amat_losses_by_hand():
    method = AMAT(discriminators=3)
    nets, batch = start_networks(method)
    D = nets["D"]
    fake, real = (D.head.compute_logits(D.features(x)) for x in (nets.G(batch.z), batch.x))
    assigned_index, weights = (
        method._assign_samples(nets, batch, fake),
        method._draw_weights(nets, batch, fake),
    )
    losses = adversarial_losses(method, nets, batch)
    for seed in range(3):
        pairs = [(real[seed, j, k], fake[seed, j, k]) for j, k in enumerate(assigned_index[seed])]
        by_hand = sum(-logsigmoid(x) - logsigmoid(-y) for x, y in pairs) / len(pairs)
        assert torch.isclose(losses["D"][seed], by_hand)
        by_hand = sum(
            w * -logsigmoid(fake[seed, :, i]).mean() for i, w in enumerate(weights[seed])
        )
        assert torch.isclose(losses["G"][seed], by_hand)
    assert torch.allclose(nets.D(batch.x), real[..., :3].mean(-1))


def test_amat_inactive_parameters_stay():
    mini_run = MiniRun(AMAT(discriminators=2, most=3), ARCH)
    before, after = mini_run.init_state().nets["D"], mini_run.trajectory.state.nets["D"]
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


def test_amat_inactive_outputs_are_zero():
    """D's logit and features, which terms read, do not depend on inactive discriminators."""
    nets, batch = start_networks(AMAT(discriminators=2, most=3))
    hidden = nets.features("D", batch.x)
    assert hidden[:, :, :2].flatten(2).any(-1).all()
    assert not hidden[:, :, 2].any()
    inactive_parameters = [
        *nets["D"].trunks[2].parameters(),
        *nets["D"].head.heads[2].parameters(),
    ]
    slopes = torch.autograd.grad(nets.D(batch.x).sum(), inactive_parameters)
    assert not any(slope.any() for slope in slopes)


def ensemble_with_probabilities(method, *probabilities):
    """Build an ensemble whose discriminators have these probabilities on the exemplars."""
    ensemble = method.networks(ARCH)["D"]
    logits = torch.tensor(probabilities).logit().T[None]
    ensemble.head.compute_logits = lambda hidden: logits
    return ensemble


def batch_of_data(x):
    seeds, num = x.shape[:2]
    return Batch(x=x, z=torch.zeros(seeds, num, 2), u=torch.zeros(seeds, num))


EVEN, FORGETFUL = [0.5] * NUM_EXEMPLARS, [0.8] + [0.5] * (NUM_EXEMPLARS - 1)  # 0.8 is 1.54 means


@pytest.mark.parametrize(
    ("probabilities", "discriminators", "expected"),
    [
        ([EVEN, EVEN, EVEN, EVEN], 2, 2),
        ([EVEN, FORGETFUL, EVEN, EVEN], 2, 3),
        ([EVEN, EVEN, FORGETFUL, EVEN], 2, 2),  # inactive ones are not checked
        ([EVEN, FORGETFUL, EVEN, EVEN], 3, 3),  # 1.54 means are below 1.5 * 1.25
        ([FORGETFUL] * 4, 4, 4),  # all are active
    ],
)
def test_amat_activates_after_forgetting(probabilities, discriminators, expected):
    ensemble = ensemble_with_probabilities(
        AMAT(discriminators=discriminators, first_check=2), *probabilities
    )
    batch = batch_of_data(torch.randn(1, 20, 2))
    ensemble.post_update(batch)
    assert ensemble.head.alive.sum() == discriminators  # before the first check
    ensemble.post_update(batch)
    assert ensemble.head.alive.tolist() == [[1.0] * expected + [0.0] * (4 - expected)]


def test_amat_check_times_grow():
    ensemble = ensemble_with_probabilities(
        AMAT(most=9, first_check=2, growth=2.0, caution=1.0), *[FORGETFUL] * 9
    )
    counts = []
    for _ in range(9):
        ensemble.post_update(batch_of_data(torch.randn(1, 20, 2)))
        counts.append(int(ensemble.head.alive.sum()))
    assert counts == [2, 3, 3, 4, 4, 4, 4, 5, 5]  # after updates 2, 4 and 8


@pytest.mark.parametrize("size", [8, 20])
def test_amat_exemplars_of_first_batch(size):
    ensemble = AMAT().networks(ARCH)["D"]
    first, second = torch.randn(2, 1, size, 2).unbind()
    ensemble.post_update(batch_of_data(first))
    ensemble.post_update(batch_of_data(second))
    assert torch.equal(ensemble.exemplars, torch.cat([first, first], 1)[:, :NUM_EXEMPLARS])


def test_amat_of_trainers_starts_with_one_discriminator():
    """The trainers that activate discriminators have `n_dis = 1`; published rows have two."""
    networks = amat().networks(ARCH)
    assert networks["D"].head.alive.tolist() == [[1, 0, 0, 0]]
    assert AMAT().networks(ARCH)["D"].head.alive.tolist() == [[1, 1, 0, 0]]
