"""Structural similarity: known values of scikit-image, scales, and pairs within classes."""

import pytest
import torch

from iidgan.functional.scores.ms_ssim import class_similarity, ms_ssim
from tests.helpers.errors import raises_input_error


def pair(side, num=2):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(num, 3, side, side, generator=generator, dtype=torch.float64)
    noise = torch.rand(num, 3, side, side, generator=generator, dtype=torch.float64)
    return x, 0.7 * x + 0.3 * noise


def test_ms_ssim_of_one_scale_by_scikit_image():
    """scikit-image 0.26: Gaussian weights, sigma 1.5, without sample covariance."""
    expected = [0.8638002027761429, 0.8938116116761914]
    assert ms_ssim(*pair(16)).tolist() == pytest.approx(expected, rel=1e-12)


def window_similarities(x, y):
    """Luminance and structure in every window of 11 pixels, window by window."""
    offsets = torch.arange(11).double() - 5
    window = torch.outer(*[(-0.5 * (offsets / 1.5) ** 2).exp()] * 2)
    window = window / window.sum()
    x, y = (image.unfold(1, 11, 1).unfold(2, 11, 1) for image in (x, y))

    def mean(values):
        return (window * values).sum((-2, -1))

    means = mean(x), mean(y)
    variances = [mean(z * z) - m * m for z, m in zip((x, y), means)]
    covariance = mean(x * y) - means[0] * means[1]
    luminance = (2 * means[0] * means[1] + 1e-4) / (means[0] ** 2 + means[1] ** 2 + 1e-4)
    return luminance, (2 * covariance + 9e-4) / (sum(variances) + 9e-4)


def test_ms_ssim_of_two_scales_by_definition():
    x, y = pair(24, num=1)
    _, structure = window_similarities(x[0], y[0])
    halves = [z.reshape(3, 12, 2, 12, 2).mean((2, 4)) for z in (x[0], y[0])]
    luminance, last_structure = window_similarities(*halves)
    total = 0.0448 + 0.2856
    expected = structure.mean() ** (0.0448 / total)
    expected *= (luminance * last_structure).mean() ** (0.2856 / total)
    assert ms_ssim(x, y).item() == pytest.approx(expected.item(), rel=1e-10)


@pytest.mark.parametrize("side", [11, 22, 23, 50])
def test_ms_ssim_of_equal_images(side):
    x, y = pair(side)
    assert torch.allclose(ms_ssim(x, x), torch.ones(2).double())
    assert torch.allclose(ms_ssim(x, y), ms_ssim(y, x))
    assert (ms_ssim(x, 1 - x) < 0.2).all()


def test_class_similarity():
    varied, constant = pair(16, num=6)[0], torch.full((5, 3, 16, 16), 0.5).double()
    images = torch.cat([varied, constant])
    labels = torch.tensor([2] * 6 + [0] * 5)
    values = class_similarity(images, labels, 3, num_pairs=20)
    assert values[0] == 1
    assert values[1].isnan()
    assert values[2] < 0.3
    state = torch.get_rng_state()
    assert class_similarity(images, labels, 3, num_pairs=20)[2] == values[2]
    assert class_similarity(images, labels, 3, num_pairs=20, seed=1)[2] != values[2]
    assert torch.equal(torch.get_rng_state(), state)


def test_ms_ssim_refuses():
    x, y = pair(16)
    with raises_input_error("images", 11):
        ms_ssim(x[..., :10], y[..., :10])
    with raises_input_error("images", -1):
        ms_ssim(2 * x.round() - 1, y)
    with raises_input_error("other_images"):
        ms_ssim(x, y[:1])
    with raises_input_error("labels", 2):
        class_similarity(x, torch.zeros(3).long(), 1)
    with raises_input_error("num_pairs"):
        class_similarity(x, torch.zeros(2).long(), 1, num_pairs=0)
