"""DiffAugment as a term."""

import pytest
import torch
from torch import nn

from iidgan.core import Batch, Nets, Regularised
from iidgan.functional.augmentation import diffaugment
from iidgan.methods import GAN
from iidgan.terms import DiffAugment
from iidgan.testing import check_method
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import IMAGES, VECTORS
from tests.helpers.training_runs import have_same_end

METHOD = Regularised(method=GAN(), terms=(DiffAugment(),))


def test_term_augments_what_D_reads():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 8, 1, 6, 6, generator=generator)
    draws = {
        name: torch.randn(1, 8, count, generator=generator)
        for name, count in diffaugment.NUM_DRAWS.items()
    }
    noise = {f"diffaugment_{name}": value for name, value in draws.items()}
    batch = Batch(x=x, z=x.flatten(2), u=torch.zeros(1, 8), noise=noise)
    nets = Nets({"D": nn.Identity(), "F": nn.Identity()})
    wrapped = DiffAugment().wrap_networks(nets, batch)
    torch.testing.assert_close(wrapped.D(x), diffaugment.augment(x, draws))
    assert wrapped.F(x) is x
    one_policy = DiffAugment(policies=("cutout",)).wrap_networks(nets, batch)
    expected = diffaugment.augment(x, {"cutout": draws["cutout"]})
    torch.testing.assert_close(one_policy.D(x[:, :4]), expected[:, :4])


def test_term_changes_training():
    assert not have_same_end(METHOD, GAN(), IMAGES)


def test_term_refuses_points():
    with raises_input_error("terms", "diffaugment", "(3,)"):
        check_method(METHOD, VECTORS)


@pytest.mark.parametrize("policies", [(), ("cutout", "cutout")])
def test_policies_are_distinct(policies):
    with raises_input_error("policies", *diffaugment.POLICIES):
        DiffAugment(policies=policies)
