"""Codes of samples: known linear generators."""

import numpy as np
import torch
from scipy import stats

from iidgan.latent import invert, radius_quantiles, refine
from tests.helpers.errors import raises_input_error
from tests.helpers.latent import make_linear_model

MATRIX = torch.tensor([[2.0, 0.5, 0.0], [0.0, 1.0, -0.5], [0.3, 0.0, 1.5]])
CODES = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))


def test_inversion_by_exact_inverse_has_no_error():
    inversion = invert(make_linear_model(MATRIX, MATRIX.inverse()), CODES @ MATRIX)
    torch.testing.assert_close(inversion.z, CODES)
    torch.testing.assert_close(inversion.errors, torch.zeros(8), atol=1e-10, rtol=0)


def test_refinement_recovers_codes():
    model, samples = make_linear_model(MATRIX, torch.eye(3)), CODES @ MATRIX
    refined = refine(model, invert(model, samples), 400)
    torch.testing.assert_close(refined.z, CODES, atol=1e-3, rtol=0)
    assert refined.errors.max() < 1e-6


def test_refinement_without_inverse_starts_at_zero():
    model, samples = make_linear_model(MATRIX), CODES @ MATRIX
    initial = invert(model, samples)
    assert torch.equal(initial.z, torch.zeros(8, 3))
    torch.testing.assert_close(initial.errors, samples.square().mean(1))
    torch.testing.assert_close(refine(model, initial, 400).z, CODES, atol=1e-3, rtol=0)


def test_refinement_makes_no_sample_worse():
    """One step of Adam overshoots a code that is right already."""
    model, samples = make_linear_model(MATRIX, MATRIX.inverse()), CODES @ MATRIX
    initial = invert(model, samples)
    for steps in (0, 1, 3, 20):
        refined = refine(model, initial, steps)
        assert (refined.errors <= initial.errors).all()
    assert torch.equal(refine(model, initial, 0).z, initial.z)


def test_refinement_in_chunks(monkeypatch):
    model, samples = make_linear_model(MATRIX), CODES @ MATRIX
    whole = refine(model, invert(model, samples), 30)
    monkeypatch.setattr("iidgan.latent.inversion.CHUNK_SIZE", 3)
    torch.testing.assert_close(refine(model, invert(model, samples), 30).z, whole.z)


def test_radius_quantiles_of_chi_squared():
    z = torch.randn(50, 7, generator=torch.Generator().manual_seed(1))
    expected = stats.chi2(7).cdf(z.double().square().sum(1).numpy())
    np.testing.assert_allclose(radius_quantiles(z).numpy(), expected, rtol=1e-5)


def test_radius_quantile_of_typical_code():
    """The median of |z|² is about M."""
    far = torch.zeros(1, 128)
    far[0, 0] = 128**0.5
    torch.testing.assert_close(radius_quantiles(far), torch.tensor([0.5]), atol=0.02, rtol=0)


def test_invert_refuses():
    model = make_linear_model(MATRIX, torch.full((3, 3), torch.inf))
    with raises_input_error("input", "row 0"):
        invert(model, torch.ones(2, 3))
    with raises_input_error("input", "(2,)", "(3,)"):
        invert(model, torch.ones(2, 2))
    with raises_input_error("refine", "-1"):
        refine(model, invert(make_linear_model(MATRIX), CODES), -1)
