"""Instance noise."""

import pytest
import torch

from iidgan.core import Batch, Nets
from iidgan.methods.gan import GAN
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.testing import check_method
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import IMAGES
from tests.helpers.training_runs import gan_with_noise, have_same_end


def test_instance_noise_of_zero():
    assert have_same_end(gan_with_noise(std=0.0), GAN())
    assert not have_same_end(gan_with_noise(std=0.1), GAN())


@pytest.mark.parametrize(
    ("until", "t", "level"), [(1.0, 0.0, 0.2), (0.5, 0.25, 0.1), (0.5, 0.7, 0.0), (None, 0.9, 0.2)]
)
def test_instance_noise_decreases_linearly(until, t, level):
    term = InstanceNoise(std=0.2, until=until)
    x, noise = torch.randn(2, 3, 4).double(), torch.randn(2, 3, 4).double()
    nets = Nets({"D": torch.nn.Identity(), "G": torch.nn.Identity()})
    batch = Batch(x=x, z=x, u=x[..., 0], t=torch.tensor(t).double(), noise={"instance_D": noise})
    wrapped = term.wrap_networks(nets, batch)
    torch.testing.assert_close(wrapped.D(x), x + level * noise)
    assert wrapped.G(x) is x
    x_twice, x_part = torch.cat([x, x], 1), x[:, :2]
    torch.testing.assert_close(wrapped.D(x_twice), x_twice + level * torch.cat([noise, noise], 1))
    torch.testing.assert_close(wrapped.D(x_part), x_part + level * noise[:, :2])


def test_instance_noise_refuses_networks():
    with raises_input_error("network", "'Q'", "D, G"):
        check_method(gan_with_noise(network="Q"))
    with raises_input_error("network", "'G'", (4,), (1, 8, 8)):
        check_method(gan_with_noise(network="G"), IMAGES)
