"""Extractors by name."""

import pytest
from torch import nn

from iidgan.features import create_extractor, wrap_net
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import ChannelMeans

MODULE = "tests.helpers.extractors"


def test_network_of_a_user_is_named_by_the_caller():
    extractor = create_extractor(f"{MODULE}:ChannelMeans")
    assert isinstance(extractor.net, ChannelMeans)
    assert extractor.protocol.extractor == f"{MODULE}:ChannelMeans"


def test_extractor_of_a_user_is_taken_as_it_is():
    extractor = create_extractor(f"{MODULE}:make_extractor_of_means")
    assert extractor.protocol.extractor == "means"


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("efficientnet", "extractor", ["efficientnet-lite0", "package.module:Net"]),
        ("no_such_module:Net", "extractor", ["no_such_module"]),
        (f"{MODULE}:make_images", "extractor", ["ndarray", "torch.nn.Module"]),
        ("torch.nn:Linear", "extractor", ["in_features", "out_features"]),
        ("torch.nn:Identity", "torch.nn:Identity", [(2, 3, 64, 64)]),
        ("math:pi", "extractor", ["float"]),
    ],
)
def test_wrong_names_are_refused(name, field, values):
    with raises_input_error(field, *values):
        create_extractor(name)


@pytest.mark.parametrize(
    ("attribute", "value", "field"),
    [
        ("input_size", "big", "ChannelMeans.input_size"),
        ("input_size", (8, 8, 3), "ChannelMeans.input_size"),
        ("input_size", 0, "size"),
        ("input_size", (8, 0.5), "size"),
        ("value_range", 1.0, "ChannelMeans.value_range"),
    ],
)
def test_wrong_attributes_are_refused(attribute, value, field):
    net = ChannelMeans()
    setattr(net, attribute, value)
    with raises_input_error(field, value if field != "size" else "4096"):
        wrap_net(net, "means")


def test_input_size_may_be_a_side():
    net = ChannelMeans()
    net.input_size = 16
    assert wrap_net(net, "means").protocol.input_size == (16, 16)


def test_head_is_a_layer_that_reads_the_features():
    net = ChannelMeans()
    net.head = nn.Linear(3, 10)
    assert wrap_net(net, "means").head is net.head
    net.head = nn.Linear(4, 10)
    assert wrap_net(net, "means").head is None


@pytest.mark.parametrize("size", [0, -1, 5000, 2.5])
def test_wrong_sizes_are_refused(size):
    with raises_input_error("size", size):
        create_extractor("pixels", size=size)


def test_unknown_options_are_refused():
    with raises_input_error("extractor", "pixels", "sise"):
        create_extractor("pixels", sise=8)


def test_options_reach_a_network_of_a_user():
    with raises_input_error("extractor", "failed"):
        create_extractor("torch.nn:Linear", in_features=-1, out_features=None)
    assert create_extractor("torch.nn:Flatten", start_dim=1).protocol.num_features == 3 * 64 * 64
    assert isinstance(create_extractor("torch.nn:Flatten").net, nn.Flatten)
