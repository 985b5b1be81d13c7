"""Classifier outputs for images: chunks, channels, resizing, and values that are not finite."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import interpolate, pad

from iidgan.metrics import features
from iidgan.metrics.features import resize_images, resize_rule
from tests.helpers.classifiers import make_bar_images, make_extractor, random_images
from tests.helpers.errors import raises_input_error


def test_extractor_returns_network_outputs():
    extractor, x = make_extractor(), random_images(2, 7, 1, 28, 28)
    predictions = extractor(x)
    logits, vectors = extractor.net(x.flatten(0, 1))
    probabilities = logits.softmax(1).reshape(2, 7, 10)
    assert torch.equal(predictions.classes[..., 0], probabilities.argmax(-1))
    torch.testing.assert_close(predictions.confidences[..., 0], probabilities.amax(-1))
    torch.testing.assert_close(predictions.features, vectors.reshape(2, 7, 16))
    assert not predictions.features.requires_grad


def test_extractor_bounds_chunk_size(monkeypatch):
    extractor, x = make_extractor(per_channel=True), random_images(1, 23, 3, 28, 28)
    expected, chunk_sizes = extractor(x), []
    extractor.net.register_forward_pre_hook(lambda net, inputs: chunk_sizes.append(len(inputs[0])))
    monkeypatch.setattr(features, "_MAX_PIXELS", 5 * 3 * 28 * 28)
    predictions = extractor(x)
    assert chunk_sizes == [15, 15, 15, 15, 9]
    for name, value in vars(expected).items():
        torch.testing.assert_close(getattr(predictions, name), value)


def test_extractor_reads_channels_separately():
    x = random_images(1, 6, 3, 28, 28)
    stacked = make_extractor(per_channel=True)(x)
    assert stacked.classes.shape == (1, 6, 3)
    for channel in range(3):
        single = make_extractor()(x[:, :, channel : channel + 1])
        assert torch.equal(stacked.classes[..., channel], single.classes[..., 0])
        channel_features = stacked.features.reshape(1, 6, 3, 16)[:, :, channel]
        torch.testing.assert_close(channel_features, single.features)


def test_resize_images_crops_and_pads():
    x = random_images(5, 1, 28, 28)
    assert resize_rule((28, 28), (28, 28)) == "none"
    assert resize_images(x, (28, 28)) is x
    padded = pad(x, [2] * 4, value=-1.0)
    assert resize_rule((32, 32), (28, 28)) == "crop or pad 32x32 to 28x28"
    assert torch.equal(resize_images(padded, (28, 28)), x)
    assert torch.equal(resize_images(x, (32, 32)), padded)


def test_resize_images_inverts_enlargement():
    x = torch.from_numpy(make_bar_images(20)[0])[:, None] / 127.5 - 1
    large = interpolate(x, (64, 64), mode="bilinear")
    assert resize_rule((64, 64), (28, 28)) == "bicubic 64x64 to 28x28"
    small = resize_images(large, (28, 28))
    blurred = interpolate(large, (28, 28), mode="bilinear", antialias=True)
    assert (small - x).abs().mean() < 0.5 * (blurred - x).abs().mean()
    assert small.abs().max() <= 1
    assert resize_images(random_images(2, 1, 29, 29), (28, 28)).shape == (2, 1, 28, 28)


def test_extractor_images_not_finite():
    x = random_images(3, 1, 1, 28, 28)
    x[1, 0, 0, 3, 3] = torch.nan
    predictions = make_extractor()(x)
    assert (predictions.classes[:, 0, 0] >= 0).tolist() == [True, False, True]
    assert predictions.confidences[1].item() == 0
    assert predictions.features.isfinite().all(-1)[:, 0].tolist() == [True, False, True]


@pytest.mark.parametrize(("per_channel", "channels"), [(False, 3), (False, 2), (True, 0)])
def test_extractor_rejects_other_channels(per_channel, channels):
    extractor = replace(make_extractor(per_channel), shape=(1 if channels else 4, 28, 28))
    with raises_input_error("mnist-classifier", extractor.shape, (channels or 3, 28, 28)):
        extractor(random_images(2, channels or 3, 28, 28))
