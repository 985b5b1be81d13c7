"""The cycle term, compared with its formula."""

from dataclasses import replace

import pytest
import torch

from iidgan.core import Batch, Nets, Regularised
from iidgan.errors import InputError
from iidgan.methods import GAN, SNGAN, RelativisticGAN, cgan, iid_gan
from iidgan.terms import CycleTerm
from iidgan.testing import check_method
from tests.helpers.losses import (
    assert_loss,
    compute_losses,
    l1_norm,
    l2_norm,
    make_nets_and_batch,
)
from tests.helpers.networks import FunctionModule


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("norm", "expected_norm", "scale"),
    [("l1-sum", l1_norm, 1.0), ("l1", l1_norm, 0.5), ("l2", l2_norm, 1.0)],
)
def test_cycle_term_norms(norm, expected_norm, scale):
    """Data have as many dimensions M as latents, so that element means are 1/M of L1 norms."""
    method = Regularised(method=GAN(), terms=(CycleTerm(norm=norm, weight=7.0),))
    nets, batch = make_nets_and_batch(method)
    losses = compute_losses(method, "G", nets, batch)
    z_norm = expected_norm(batch.z - nets.F(nets.G(batch.z)))
    x_norm = expected_norm(batch.x - nets.G(nets.F(batch.x)))
    assert_loss(losses["cycle_z"], 7 * scale * z_norm)
    assert_loss(losses["cycle_x"], 7 * scale * x_norm)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
def test_ratio_replaces_the_factor_of_x(norm):
    """Data have as many dimensions as latents, so that the default factor is 1 for every norm."""
    default_method, method = (
        Regularised(method=GAN(), terms=(CycleTerm(norm=norm, ratio=ratio),))
        for ratio in (None, 10.0)
    )
    nets, batch = make_nets_and_batch(method)
    default_losses = compute_losses(default_method, "G", nets, batch)
    losses = compute_losses(method, "G", nets, batch)
    assert_loss(losses["cycle_x"], 10 * default_losses["cycle_x"])
    assert_loss(losses["cycle_z"], default_losses["cycle_z"])


def test_negative_ratio_is_refused():
    with pytest.raises(InputError, match="ratio: must be finite and >= 0, got -1"):
        CycleTerm(ratio=-1.0)


class TestCodesAsLatents:
    """G is judged at the codes of real samples."""

    nets = Nets({"G": lambda z: 2 * z, "F": lambda x: x + 1, "D": lambda x: x.sum(-1)})
    batch = Batch(
        x=torch.tensor([[[1.0], [-2.0]]]),
        z=torch.tensor([[[5.0], [6.0]]]),
        u=torch.zeros(1, 2),
    )

    def test_own_loss_of_g_reads_codes_and_d_the_prior(self):
        method = iid_gan(cycle=CycleTerm(latents="codes", parts="x"))
        discriminator, generator = method.players
        at_codes = replace(self.batch, z=self.nets.F(self.batch.x))
        expected = GAN().loss_G(self.nets, at_codes)["adversarial"]
        assert generator.loss(self.nets, self.batch)["adversarial"].equal(expected)
        expected = GAN().loss_D(self.nets, self.batch)["adversarial"]
        assert discriminator.loss(self.nets, self.batch)["adversarial"].equal(expected)

    def test_samples_are_generated_once(self):
        calls = []

        def generate(z):
            calls.append(z)
            return 2 * z

        nets = Nets({"G": generate, "F": self.nets["F"], "D": self.nets["D"]})
        method = iid_gan(cycle=CycleTerm(latents="codes", parts="x"))
        method.players[1].loss(nets, self.batch)
        assert len(calls) == 1

    def test_parts_of_x_alone(self):
        term = CycleTerm(weight=3.0, parts="x")
        losses = term.compute_loss(self.nets, self.batch)
        both = CycleTerm(weight=3.0).compute_loss(self.nets, self.batch)
        assert losses.keys() == {"cycle_x"}
        assert losses["cycle_x"].equal(both["cycle_x"])

    @pytest.mark.slow
    @pytest.mark.parametrize("parts", ["both", "x"])
    @pytest.mark.parametrize("base", [GAN(), SNGAN(), RelativisticGAN(), cgan()])
    def test_check_method(self, base, parts):
        check_method(iid_gan(base, cycle=CycleTerm(latents="codes", parts=parts)))


def test_ratio_of_dimensions():
    """Equation 7 read literally, on three-dimensional data with two latents."""
    nets = Nets({"G": FunctionModule(lambda z: z.new_zeros(1, 8, 3)), "F": FunctionModule(two)})
    batch = Batch(x=torch.ones(1, 8, 3), z=torch.ones(1, 8, 2), u=torch.zeros(1, 8))
    losses = CycleTerm(weight=1.0, norm="l1-sum", ratio="d/M").compute_loss(nets, batch)
    assert {name: value.item() for name, value in losses.items()} == {
        "cycle_z": 2.0,
        "cycle_x": 1.5 * 3,
    }


def two(x):
    return 2 * torch.ones(1, 8, 2)
