"""The augmentations of DiffAugment."""

import pytest
import torch

from iidgan.functional.augmentation.diffaugment import (
    NUM_DRAWS,
    POLICIES,
    augment,
    change_colours,
    translate,
)
from tests.helpers.augmentation import make_images, normal_of


def make_draws(num_images):
    return {
        policy: torch.randn(1, num_images, NUM_DRAWS[policy], dtype=torch.float64)
        for policy in POLICIES
    }


def test_colours_by_hand():
    """Uniform numbers 1/2 change nothing but the brightness 0.5 - 0.5 = 0 and so on."""
    images = make_images(1, 1, 3, 4, 4)
    torch.testing.assert_close(change_colours(images, torch.zeros(1, 1, 3).double()), images)
    brighter = change_colours(images, normal_of([0.9, 0.5, 0.5]).view(1, 1, 3))
    torch.testing.assert_close(brighter, images + 0.4)
    grey = change_colours(images, normal_of([0.5, 1e-12, 0.5]).view(1, 1, 3))
    torch.testing.assert_close(grey, images.mean(2, keepdim=True).expand_as(images))
    mean = images.mean()
    flat = change_colours(images, normal_of([0.5, 0.5, 0.75]).view(1, 1, 3))
    torch.testing.assert_close(flat, mean + 1.25 * (images - mean))


def test_translate_by_hand():
    images = make_images(1, 1, 2, 8, 16)
    right_and_up = translate(images, torch.tensor([[[9.0, -9.0]]]).double())
    assert torch.equal(right_and_up[..., :7, 2:], images[..., 1:, :-2])
    assert not right_and_up[..., :2].any()
    assert not right_and_up[..., 7, :].any()
    assert torch.equal(translate(images, torch.zeros(1, 1, 2).double()), images)


def test_translate_is_uniform():
    """All shifts from -2 to 2 of a side of 16 are equally likely."""
    quantiles = normal_of((torch.arange(100) + 0.5) / 100)
    normals = torch.stack([quantiles, torch.zeros(100)], -1)[None]
    images = torch.zeros(1, 100, 1, 1, 16).double()
    images[..., 8] = 1
    position = translate(images, normals).flatten(2).argmax(-1)
    assert position.flatten().bincount()[6:11].tolist() == [20] * 5


def test_augment_gradients():
    images, draws = make_images(1, 2, 2, 4, 3).requires_grad_(), make_draws(2)

    def squares(x):
        return augment(x, draws).square().sum((2, 3, 4))

    assert torch.autograd.gradgradcheck(squares, images)


@pytest.mark.parametrize("policy", POLICIES)
def test_augment_applies_the_given_policies(policy):
    images, draws = make_images(1, 2, 3, 8, 8), make_draws(2)
    alone = augment(images, {policy: draws[policy]})
    assert not torch.equal(alone, images)
    assert torch.equal(augment(images, {}), images)
