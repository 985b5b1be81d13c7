"""The pipeline of adaptive discriminator augmentation."""

import pytest
import torch

from iidgan.functional.augmentation.ada import GROUPS, augment, draw_shapes
from tests.helpers.augmentation import ALWAYS, NEVER, make_draws, make_images, normal_of

SHAPES = [(1, 6, 6), (2, 5, 8), (3, 8, 4)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_augment_without_strength_is_identity(shape):
    images = make_images(1, 4, *shape).float()
    draws = {name: value.float() for name, value in make_draws(GROUPS, shape, 4).items()}
    assert torch.equal(augment(images, draws, torch.zeros(1)), images)


@pytest.mark.parametrize("group", GROUPS)
def test_augment_applies_each_group(group):
    """With probability 1 - (1 - p)^k for k augmentations, of which some can change nothing."""
    images = make_images(1, 4, 3, 8, 8)
    draws = make_draws((group,), (3, 8, 8), 4)
    augmented = augment(images, draws, torch.ones(1).double())
    assert (augmented != images).flatten(2).any(-1).all()
    assert augmented.isfinite().all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_augment_is_affine_in_images(shape):
    """So that all derivatives exist, and those of second order are 0."""
    a, b = make_images(1, 4, *shape), make_images(1, 4, *shape, seed=1)
    draws, p = make_draws(GROUPS, shape, 4), torch.tensor([0.8]).double()
    middle = augment((a + b) / 2, draws, p)
    torch.testing.assert_close(middle, (augment(a, draws, p) + augment(b, draws, p)) / 2)


def test_augment_gradients():
    """Of the squared gradient too, as penalties need them."""
    images = make_images(1, 1, 3, 4, 3).requires_grad_()
    draws, p = make_draws(GROUPS, (3, 4, 3), 1), torch.tensor([0.8]).double()

    def squares(x):
        return augment(x, draws, p).square().sum((2, 3, 4))

    assert torch.autograd.gradcheck(squares, images)
    assert torch.autograd.gradgradcheck(squares, images)


def test_augment_has_a_strength_per_seed():
    images = make_images(2, 3, 1, 6, 6)
    draws = {
        name: value.expand(2, *value.shape[1:])
        for name, value in make_draws(GROUPS, (1, 6, 6), 3).items()
    }
    p = torch.tensor([0.0, 0.9]).double()
    augmented = augment(images, draws, p)
    assert torch.equal(augmented[0], images[0])
    alone = augment(images[1:], {name: value[1:] for name, value in draws.items()}, p[1:])
    torch.testing.assert_close(augmented[1:], alone)


def test_draw_shapes_count():
    shapes = draw_shapes(GROUPS, (3, 8, 8))
    assert shapes == {
        **{"blit": (7,), "geometric": (11,), "colour": (10,), "filter": (8,)},
        **{"noise": (2,), "cutout": (3,), "pixel_noise": (3, 8, 8)},
    }


NUM_QUANTILES = 80


def turn_operator(p):
    """Probabilities of the four turns of an image (columns) after augmentation (rows).

    Draws are all pairs of quantiles, so that the probabilities are exact.
    """
    states = torch.stack([make_images(1, 4, 4).rot90(turns, (-2, -1)) for turns in range(4)])
    quantiles = normal_of((torch.arange(NUM_QUANTILES) + 0.5) / NUM_QUANTILES)
    choice, index = (
        grid.flatten() for grid in torch.meshgrid(quantiles, quantiles, indexing="ij")
    )
    draws = torch.full((4, len(choice), 7), NEVER).double()
    draws[..., 2], draws[..., 3] = choice, index
    images = states[:, None].expand(-1, len(choice), -1, -1, -1)
    augmented = augment(images, {"blit": draws}, torch.full((4,), p).double())
    is_state = (augmented[:, :, None] == states).flatten(3).all(-1)
    assert (is_state.sum(-1) == 1).all()
    return is_state.double().mean(1).T


@pytest.mark.parametrize("p", [0.0, 0.25, 0.8])
def test_augmentation_does_not_leak(p):
    """Whoever matches the augmented distribution has the unaugmented one: it has one preimage."""
    operator = turn_operator(p)
    torch.testing.assert_close(operator, (1 - p) * torch.eye(4).double() + p / 4)
    data = torch.tensor([0.7, 0.2, 0.1, 0.0]).double()
    torch.testing.assert_close(torch.linalg.solve(operator, operator @ data), data)


def test_augmentation_leaks_at_probability_one():
    """All turns look alike then, and upright data cannot be told from turned data."""
    assert torch.linalg.matrix_rank(turn_operator(1.0)) == 1


def test_augment_of_flips_by_hand():
    images = make_images(1, 2, 1, 4, 4)
    draws = torch.full((1, 2, 7), NEVER).double()
    draws[0, 0, :2] = torch.tensor([ALWAYS, 1.0])
    flipped = augment(images, {"blit": draws}, torch.tensor([0.5]).double())
    assert torch.equal(flipped[:, 0], images[:, 0].flip(-1))
    assert torch.equal(flipped[:, 1], images[:, 1])
