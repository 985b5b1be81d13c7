"""The minibatch standard deviation beside its definition."""

import pytest
import torch
from torch.nn.functional import conv2d

from iidgan.nn.layers.conv import group_seeds, ungroup_seeds
from iidgan.nn.layers.minibatch_std import MinibatchStdConv, minibatch_std
from tests.helpers.layers import NUM_SEEDS, draw_parameters


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def std_of_groups(features, members):
    """The statistic of each sample of one seed, given the members of each group."""
    stds = torch.empty(len(features))
    for group in members:
        stds[group] = features[group].var(0, correction=0).sqrt().mean()
    return stds


@pytest.mark.parametrize(
    ("batch_size", "members"),
    [
        (8, [[0, 2, 4, 6], [1, 3, 5, 7]]),
        (6, [[0, 2, 4], [1, 3, 5]]),
        (2, [[0, 1]]),
        (5, [[0, 1, 2, 3, 4]]),
    ],
)
def test_minibatch_std_equals_its_definition(batch_size, members):
    x = torch.randn(NUM_SEEDS, batch_size, 3, 2, 4)
    stds = minibatch_std(group_seeds(x), NUM_SEEDS)
    assert stds.shape == (batch_size, NUM_SEEDS, 1, 1)
    for seed in range(NUM_SEEDS):
        expected = std_of_groups(x[seed], members)
        torch.testing.assert_close(stds[:, seed, 0, 0], expected, rtol=1e-6, atol=0)


def test_minibatch_std_of_equal_samples_vanishes():
    assert minibatch_std(torch.ones(4, 3, 2, 2), 1).max() < 1e-3


def test_minibatch_std_conv_reads_one_more_channel():
    layer = draw_parameters(MinibatchStdConv(3, 2))
    x = torch.randn(NUM_SEEDS, 4, 3, 5, 5)
    outputs = ungroup_seeds(layer(group_seeds(x)), NUM_SEEDS)
    stds = minibatch_std(group_seeds(x), NUM_SEEDS).transpose(0, 1)[:, :, None]
    for seed in range(NUM_SEEDS):
        weight = torch.cat([layer.weight()[seed], layer.std_weight()[seed]], 1)
        inputs = torch.cat([x[seed], stds[seed].expand(-1, -1, 5, 5)], 1)
        expected = conv2d(inputs, weight, layer.bias[seed], padding=1)
        torch.testing.assert_close(outputs[seed], expected)


def test_weights_of_all_channels_have_one_scale():
    layer = MinibatchStdConv(64, 256)
    assert abs(layer.std_weight().std() / layer.weight().std() - 1) < 0.1
    assert abs(layer.std_weight.value.std() - 1) < 0.1
