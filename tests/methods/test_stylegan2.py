"""StyleGAN2-ADA: mixed styles, and penalties every few steps."""

from dataclasses import replace

import pytest
import torch

import iidgan
from iidgan.core import Nets, NetworkFactory, Regularised
from iidgan.methods import GAN, StyleMixingGAN, iid_gan, stylegan2_ada, stylegan2_ada_cifar
from iidgan.nn import StyleGAN2
from iidgan.terms import ADA
from iidgan.testing import check_method
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import make_batch, random_nets

BACKBONE = StyleGAN2(latent=3, width=2, mapping_layers=2)
STYLES, SMALL_STYLES = NetworkFactory(BACKBONE, (1, 16, 16)), NetworkFactory(BACKBONE, (1, 8, 8))

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def mix(method, uniform):
    """Mix styles with given uniform numbers: the networks, the batch, and mixed styles."""
    nets, batch = random_nets(method, STYLES)
    normal = torch.special.ndtri(torch.tensor(uniform)).expand(*batch.z.shape[:2])
    noise = torch.cat([batch.noise["mixing"][..., :-1], normal[..., None]], -1)
    batch = replace(batch, noise={"mixing": noise})
    other_styles = nets["G"].styles(noise[..., :-1])
    return nets["G"].styles(batch.z), other_styles, method.mix_styles(nets, batch).z


@pytest.mark.parametrize(
    ("uniform", "first_layer"), [(0.01, 1), (0.39, 3), (0.79, 5), (0.81, 6), (0.99, 6)]
)
def test_layers_from_a_random_one_on_read_other_styles(uniform, first_layer):
    """With a probability of 0.8, of which each of five layers after the first has a fifth."""
    styles, other_styles, mixed_styles = mix(StyleMixingGAN(mixing=0.8), uniform)
    assert styles.shape[2] == 6
    assert torch.equal(mixed_styles[:, :, :first_layer], styles[:, :, :first_layer])
    assert torch.equal(mixed_styles[:, :, first_layer:], other_styles[:, :, first_layer:])


def test_share_of_mixed_samples():
    method = StyleMixingGAN(mixing=0.3)
    chosen = method._choose_layers(torch.linspace(0, 1, 10_001)[None, :-1], 6)
    assert chosen.any(-1).double().mean().item() == pytest.approx(0.3, abs=1e-3)


def test_losses_are_those_of_mixed_samples():
    method = StyleMixingGAN()
    nets, batch = random_nets(method, STYLES)
    mixed = method.mix_styles(nets, batch)
    for name in ("loss_D", "loss_G"):
        losses, expected = getattr(method, name)(nets, batch), getattr(GAN(), name)(nets, mixed)
        assert torch.equal(losses["adversarial"], expected["adversarial"])
    unmixed = GAN().loss_G(nets, batch)["adversarial"]
    assert not torch.allclose(method.loss_G(nets, batch)["adversarial"], unmixed)


def test_no_mixing_is_a_gan():
    nets, batch = random_nets(StyleMixingGAN(), STYLES)
    losses = StyleMixingGAN(mixing=0).loss_D(nets, batch)
    torch.testing.assert_close(losses, GAN().loss_D(nets, batch))


def test_generator_without_styles_is_not_mixed():
    nets, batch = random_nets(StyleMixingGAN())
    assert StyleMixingGAN().mix_styles(nets, batch) is batch


def test_penalties_are_lazy():
    method = stylegan2_ada()
    assert method.period == 16
    nets = Nets(method.networks(STYLES))
    batch = make_batch(method, STYLES, seeds=1)
    for step, names in {
        0: {"adversarial", "r1", "path", "path_length"},
        1: {"adversarial"},
        4: {"adversarial", "path", "path_length"},
    }.items():
        losses = [player.loss(nets, batch) for player in method.players_at(step)]
        assert set().union(*losses) == names


def test_r1_by_finite_differences():
    """The squared slopes of D at images, from differences in the direction of each pixel.

    D of a batch depends on all of its images, by their standard deviation: what counts is the
    slope of the sum of its outputs.
    """
    nets, batch = random_nets(stylegan2_ada_cifar(), SMALL_STYLES)
    batch = replace(batch, x=batch.x[:, :2])
    pixels, step = torch.eye(8 * 8).view(-1, 1, 8, 8), 1e-5
    squared_slopes = torch.zeros(1)
    for image in range(batch.x.shape[1]):
        changes = torch.zeros(len(pixels), *batch.x.shape[1:])
        changes[:, image] = step * pixels
        up, down = (
            torch.stack([nets["D"](batch.x + sign * change).sum() for change in changes])
            for sign in (1, -1)
        )
        squared_slopes += ((up - down) / (2 * step)).square().sum()
    (r1,) = stylegan2_ada_cifar().terms
    expected = 0.01 / 2 * squared_slopes / batch.x.shape[1]
    value = r1.compute_loss(nets, batch)["r1"].detach()
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        stylegan2_ada(),
        iid_gan(stylegan2_ada()),
        Regularised(method=stylegan2_ada(), terms=(ADA(groups=("blit",)),)),
    ],
    ids=["plain", "with the term", "augmented"],
)
def test_check_method_on_styles(method):
    check_method(method, SMALL_STYLES)


def test_iid_gan_on_stylegan2_ada():
    """Terms get samples of one latent, which F can find."""
    method = iidgan.iid_gan(base=iidgan.stylegan2_ada())
    assert [type(term).__name__ for term in method.base_and_terms[1]] == [
        "R1",
        "PathLength",
        "CycleTerm",
        "GaussianTerm",
    ]
    assert [player.trains for player in method.players] == [("D",), ("G", "F")]
    nets, batch = random_nets(method, STYLES)
    cycle = method.terms[0].compute_loss(nets, batch)["cycle_z"]
    expected = 3 * (nets["F"](nets["G"](batch.z)) - batch.z).abs().sum(-1).mean(1)
    torch.testing.assert_close(cycle, expected)


def test_mixing_out_of_range():
    with raises_input_error("mixing", 1.5, "[0, 1]"):
        StyleMixingGAN(mixing=1.5)
