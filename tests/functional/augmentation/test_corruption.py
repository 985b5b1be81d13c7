"""Noise and cutouts."""

import pytest
import torch

from iidgan.functional.augmentation.corruption import add_noise, cut_out
from tests.helpers.augmentation import ALWAYS, NEVER, make_images, normal_of


def test_add_noise_of_known_size():
    images, noise = make_images(1, 2, 1, 3, 3), make_images(1, 2, 1, 3, 3, seed=1)
    normals = torch.tensor([[[ALWAYS, -2.0], [NEVER, -2.0]]]).double()
    noisy = add_noise(images, noise, normals, torch.tensor([0.5]).double())
    torch.testing.assert_close(noisy[:, 0], images[:, 0] + 0.2 * noise[:, 0])
    assert torch.equal(noisy[:, 1], images[:, 1])


@pytest.mark.parametrize(("centre", "size"), [((0.5, 0.5), 24), ((0.0, 0.5), 12), ((0.0, 1.0), 6)])
def test_cut_out_covers_a_quarter(centre, size):
    """Of an 8 x 12 image; half of it at an edge, and a quarter of it in a corner."""
    images = torch.ones(1, 1, 2, 8, 12).double()
    cut = cut_out(images, normal_of(centre).view(1, 1, 2))
    assert (cut == 0).flatten(3).sum(-1).tolist() == [[[size, size]]]
    assert (cut[..., -1, 0] == 0).all() == (centre == (0.0, 1.0))
