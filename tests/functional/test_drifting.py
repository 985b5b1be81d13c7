"""The drifting field, compared with loops, and its laws."""

import math

import pytest
import torch

from iidgan.functional.drifting import drifting_field, drifting_loss
from tests.helpers.codes import draw_codes

TAU = 0.7


def field_by_loops(samples, positives, negatives):
    """The field of one seed; a negative that is the sample itself is left out."""
    targets = [*positives, *negatives]
    kernels = [
        [0.0 if y is x else math.exp(-(x - y).norm().item() / TAU) for y in targets]
        for x in samples
    ]
    weights = [
        [k / math.sqrt(sum(row) * sum(other[j] for other in kernels)) for j, k in enumerate(row)]
        for row in kernels
    ]
    num_positives = len(positives)
    return torch.stack(
        [
            sum(
                row[j] * row[num_positives + k] * (y_positive - y_negative)
                for j, y_positive in enumerate(positives)
                for k, y_negative in enumerate(negatives)
            )
            for row in weights
        ]
    )


def test_drifting_field_by_loops():
    samples, positives, negatives = (draw_codes(2, n, 3, seed=n) for n in (4, 5, 6))
    field = drifting_field(samples, positives, negatives, temperature=TAU)
    for seed in range(2):
        expected = field_by_loops(samples[seed], positives[seed], negatives[seed])
        torch.testing.assert_close(field[seed], expected)


def test_drifting_field_without_negatives_has_the_other_samples():
    samples, positives = draw_codes(1, 4, 3), draw_codes(1, 5, 3, seed=1)
    points = list(samples[0])
    expected = field_by_loops(points, positives[0], points)
    field = drifting_field(samples, positives, temperature=TAU)
    torch.testing.assert_close(field[0], expected)


def test_drifting_field_is_antisymmetric():
    samples, positives, negatives = (draw_codes(2, 8, 3, seed=seed) for seed in range(3))
    field = drifting_field(samples, positives, negatives, temperature=TAU)
    exchanged = drifting_field(samples, negatives, positives, temperature=TAU)
    torch.testing.assert_close(exchanged, -field)
    assert field.abs().min() > 0


def test_drifting_field_is_zero_between_equal_sets():
    samples, positives = draw_codes(2, 8, 3), draw_codes(2, 8, 3, seed=1)
    negatives = positives.flip(1)  # in any order
    field = drifting_field(samples, positives, negatives, temperature=TAU)
    torch.testing.assert_close(field, torch.zeros_like(field), rtol=0, atol=1e-14)


def test_drifting_field_points_from_the_negative_to_the_positive():
    sample = torch.zeros(1, 1, 2)
    positive, negative = torch.tensor([[[0.6, 0.8]]]), torch.tensor([[[0.0, 1.0]]])
    field = drifting_field(sample, positive, negative, temperature=TAU)
    torch.testing.assert_close(field, (positive - negative) / 2)


def test_drifting_field_follows_translations():
    samples, positives = draw_codes(1, 8, 2), draw_codes(1, 8, 2, seed=1)
    shifted = drifting_field(samples + 5, positives + 5, temperature=TAU)
    torch.testing.assert_close(shifted, drifting_field(samples, positives, temperature=TAU))


def gradient(samples, positives, temperatures=(0.02, 0.2)):
    samples = samples.clone().requires_grad_()
    loss = drifting_loss(samples, positives, temperatures)
    return torch.autograd.grad(loss.sum(), samples)[0]


def test_drifting_loss_descends_along_the_normalised_fields():
    """On vectors whose mean distance is the root of their dimension, so that scales are 1."""
    samples, positives = draw_codes(1, 6, 4), draw_codes(1, 7, 4, seed=1)
    targets = torch.cat([positives, samples], 1)[0]
    distances = [(x - y).norm() for x in samples[0] for y in targets if x is not y]
    distances = [distance for distance in distances if distance > 0]
    assert len(distances) == 6 * (7 + 5)
    scale = sum(distances) / len(distances) / 2
    samples, positives = samples / scale, positives / scale
    expected = torch.zeros_like(samples)
    for temperature in (0.1, 0.3):
        field = drifting_field(samples, positives, temperature=2 * temperature)
        expected = expected + field / field.square().mean().sqrt()
    descent = -gradient(samples, positives, (0.1, 0.3)) * samples[0].numel() / 2
    torch.testing.assert_close(descent, expected)
    loss = drifting_loss(samples, positives, (0.1, 0.3))
    torch.testing.assert_close(loss, expected.square().mean((1, 2)))


def test_drifting_loss_does_not_depend_on_the_scale():
    samples, positives = draw_codes(2, 6, 1, 2, 2), draw_codes(2, 7, 1, 2, 2, seed=1)
    loss, larger = (drifting_loss(c * samples, c * positives, [0.2]) for c in (1, 1000))
    torch.testing.assert_close(larger, loss)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_drifting_loss_of_collapsed_samples_is_finite(dtype):
    positives = draw_codes(1, 6, 2, dtype=dtype)
    for samples in (torch.zeros(1, 6, 2), torch.full((1, 6, 2), 1e4)):
        assert gradient(samples.to(dtype), positives).isfinite().all()
    assert not gradient(torch.zeros(1, 6, 2), torch.zeros(1, 6, 2)).any()
