"""Gram matrices against products."""

import pytest
import torch

from iidgan.functional.scores import gram
from tests.helpers.samples import normal


@pytest.mark.parametrize("num_dimensions", [1, 4, 11])
@pytest.mark.parametrize("size", [1, 7, 30])
def test_gram_matrix_is_the_product(num_dimensions, size, monkeypatch):
    monkeypatch.setattr(gram, "_STRIPE_SIZE", 4)
    features = normal(30, num_dimensions)
    product = gram.gram_matrix(features.split(size))
    torch.testing.assert_close(product, features.mT @ features)
    assert torch.equal(product, product.mT)


def test_gram_matrix_of_rows():
    features = normal(5, 9)
    torch.testing.assert_close(gram.gram_matrix([features.mT]), features @ features.mT)
