"""Extractors stay frozen, whatever happens around them."""

import hashlib

import pytest
import torch
from torch import nn

from iidgan.features import create_extractor, wrap_net
from iidgan.features.extractor import compute_weights_sha256
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import ChannelMeans, make_extractor_of_means, make_images

IMAGES = torch.from_numpy(make_images(6, 3, 16, 16))


def train_outer_module(extractor):
    nn.Sequential(nn.Linear(2, 2), extractor).train()


def train_inner_module(extractor):
    extractor.net.train()
    extractor.net.norm.train()


@pytest.mark.parametrize("train", [train_outer_module, train_inner_module])
def test_training_mode_changes_nothing(train):
    extractor = make_extractor_of_means()
    before, state = extractor(IMAGES), compute_weights_sha256(extractor)
    train(extractor)
    torch.testing.assert_close(extractor(IMAGES), before, rtol=0, atol=0)
    assert compute_weights_sha256(extractor) == state
    assert not any(module.training for module in extractor.modules())


@pytest.mark.parametrize("name", ["pixels", "random", "efficientnet-lite0"])
def test_extractors_are_frozen(name):
    extractor = nn.Sequential(create_extractor(name, size=32)).train()[0]
    assert not any(module.training for module in extractor.modules())
    assert not any(parameter.requires_grad for parameter in extractor.parameters())
    assert not extractor(IMAGES[:1]).requires_grad


def test_features_need_no_gradient_of_an_unfrozen_network():
    extractor = make_extractor_of_means()
    extractor.requires_grad_(True)
    assert not extractor(IMAGES).requires_grad


@pytest.fixture
def low_precision():
    """A program around that asks for fast matrix products."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


def test_features_are_computed_in_full_precision(low_precision):
    precisions = []

    class Recorder(nn.Flatten):
        def forward(self, images):
            precisions.append(torch.backends.cudnn.conv.fp32_precision)
            precisions.append(torch.backends.mkldnn.matmul.fp32_precision)
            return super().forward(images)

    wrap_net(Recorder(), "recorder")(IMAGES)
    assert set(precisions[-2:]) == {"ieee"}
    assert torch.get_float32_matmul_precision() == "medium"
    assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"


def test_features_of_half_precision_are_float32():
    extractor = wrap_net(nn.Sequential(nn.Flatten()), "flat")
    extractor.net.append(type("Half", (nn.Module,), {"forward": lambda self, x: x.half()})())
    assert extractor(IMAGES).dtype == torch.float32


def test_weights_digest_is_of_names_types_and_values():
    net = nn.Linear(2, 1)
    digest = compute_weights_sha256(net)
    assert len(digest) == len(hashlib.sha256().hexdigest())
    with torch.no_grad():
        net.bias += 1
    assert compute_weights_sha256(net) != digest
    assert compute_weights_sha256(net.double()) != compute_weights_sha256(net.float())


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (nn.Identity(), (2, 3, 64, 64)),
        (nn.Sequential(nn.Flatten(0)), (24576,)),
        (nn.Linear(5, 1), "mat1"),  # of torch's message
    ],
)
def test_networks_without_features_are_refused(net, reason):
    with raises_input_error("mine", reason):
        wrap_net(net, "mine")


def test_protocol_records_input():
    protocol = wrap_net(ChannelMeans(), "means").protocol
    assert protocol.num_features == 3
    assert protocol.input_size == (8, 8)
    assert protocol.value_range == (-1.0, 1.0)
    assert wrap_net(nn.Flatten(), "flat").protocol.resize_filter == "none"
