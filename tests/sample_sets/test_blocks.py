"""Blocks and digests of numbers."""

import numpy as np
import pytest
import torch

from iidgan.sample_sets import blocks
from iidgan.sample_sets.blocks import hash_blocks, split_indices, stack_blocks


@pytest.fixture
def _small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "MAX_BLOCK_VALUES", 12)


@pytest.mark.usefixtures("_small_blocks")
def test_blocks_are_bounded():
    assert list(split_indices([0, 2, 4, 7, 8], (1, 2, 3))) == [[0, 2], [4, 7], [8]]
    assert list(split_indices([], (1, 2, 3))) == []
    assert list(split_indices(range(2), (3, 9, 9))) == [range(1), range(1, 2)]
    stacked = list(stack_blocks((np.full(6, i) for i in range(3)), (6,)))
    assert [block.shape for block in stacked] == [(2, 6), (1, 6)]


def test_digest_is_of_numbers_shape_and_type():
    numbers = torch.arange(24, dtype=torch.uint8).reshape(6, 1, 2, 2)
    digest = hash_blocks([numbers], (1, 2, 2))
    assert hash_blocks(numbers.split(4), (1, 2, 2)) == digest
    others = [numbers.flip(0), numbers[:5], numbers.float(), numbers + 1]
    digests = {hash_blocks([other], (1, 2, 2)) for other in others}
    assert len(digests | {digest, hash_blocks([numbers], (4,))}) == 6
