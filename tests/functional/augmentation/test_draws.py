"""Random numbers of augmentations, from normal numbers."""

import pytest
import torch

from iidgan.functional.augmentation.draws import choose_index, is_applied, to_uniform
from tests.helpers.augmentation import normal_of


def test_to_uniform_inverts_quantiles():
    uniforms = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)
    torch.testing.assert_close(to_uniform(normal_of(uniforms)), uniforms)


@pytest.mark.parametrize("num_choices", [2, 4])
def test_choose_index_is_uniform(num_choices):
    quantiles = normal_of((torch.arange(400) + 0.5) / 400)
    counts = choose_index(quantiles, num_choices).long().bincount()
    assert counts.tolist() == [400 // num_choices] * num_choices
    assert choose_index(torch.tensor(40.0), num_choices) == num_choices - 1


def test_is_applied_with_probability():
    quantiles = normal_of((torch.arange(400) + 0.5) / 400).expand(3, -1)
    probability = torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64)
    assert is_applied(quantiles, probability).sum(1).tolist() == [0, 100, 400]
    assert not is_applied(torch.full((1, 1), -40.0), torch.zeros(1)).any()
