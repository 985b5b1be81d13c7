"""Gaussian consistency: closed forms, independent references, and laws."""

from typing import get_args

import mpmath
import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special
from torch.autograd import gradcheck, gradgradcheck
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.functional import energy, gaussian, linalg

NAMES = get_args(gaussian.Distance)
COVARIANCE = ("p-norm", "w2", "kl", "w2-1d")
SHAPES = [(50, 3), (7, 7), (4, 9), (2, 3, 30, 5)]


def draw(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def distance(name, z, seed=1, **options):
    return gaussian.distance(name, z, draw(5, z.shape[-1], seed=seed, dtype=z.dtype), **options)


def with_spectrum(n, variances, seed=0):
    """Codes whose covariance has exactly these eigenvalues, and whose mean is not 0."""
    m = len(variances)
    z = draw(n, m, seed=seed)
    q, _ = torch.linalg.qr(z - z.mean(0))
    basis, _ = torch.linalg.qr(draw(m, m, seed=seed + 1))
    return n**0.5 * q * torch.as_tensor(variances).sqrt() @ basis + 0.3


def whitened(n, m):
    return with_spectrum(n, torch.ones(m, dtype=torch.float64)) - 0.3


def moments(z):
    return z.mean(0), np.atleast_2d(np.cov(z, rowvar=False, bias=True))


def reference(name, z):
    mu, sigma = moments(z)
    eye = np.eye(len(mu))
    if name == "p-norm":
        return np.linalg.norm(mu) + np.linalg.norm(sigma - eye)
    if name == "w2":
        roots = np.sqrt(np.maximum(np.linalg.eigvalsh(sigma), 0))
        return mu @ mu + np.trace(sigma + eye) - 2 * roots.sum()
    if name == "kl":
        inverse = np.linalg.inv(sigma)
        log_det = np.linalg.slogdet(sigma)[1]
        return 0.5 * (log_det - len(mu) + np.trace(inverse) + mu @ inverse @ mu)
    return (mu**2).sum() + ((z.std(0) - 1) ** 2).sum()


FINITE = [(a, b) for a in COVARIANCE for b in SHAPES if a != "kl" or b[-2] > b[-1]]


@pytest.mark.parametrize(("name", "shape"), FINITE)
def test_closed_form(name, shape):
    z = 0.8 * draw(*shape) + 0.2
    flat = z.reshape(-1, *shape[-2:]).numpy()
    expected = torch.tensor([reference(name, each) for each in flat]).reshape(shape[:-2])
    tolerance = 1e-9 if shape[-2] > shape[-1] else 1e-6  # a root of eigenvalues that are 0
    torch.testing.assert_close(distance(name, z), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", COVARIANCE)
@pytest.mark.parametrize(("low", "high"), [(0.1, 10.0), (0.02, 2.0), (0.5, 50.0)])
def test_condition_number_of_a_hundred(name, low, high):
    z = with_spectrum(100, torch.logspace(np.log10(low), np.log10(high), 16, dtype=torch.float64))
    assert distance(name, z).item() == pytest.approx(reference(name, z.numpy()), abs=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("n", "m"), [(40, 3), (300, 64)])
def test_bures_of_pot(n, m):
    z = 1.3 * draw(n, m) - 0.1
    mu, sigma = moments(z.numpy())
    expected = ot.gaussian.bures_wasserstein_distance(mu, np.zeros(m), sigma, np.eye(m))
    assert gaussian.w2(z, root=True).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 10.0])
@pytest.mark.parametrize(("n", "m"), [(20, 4), (3, 6)])
def test_other_exponents(n, m, p):
    z = draw(n, m)
    mu, sigma = moments(z.numpy())
    expected = sum((np.abs(a) ** p).sum() ** (1 / p) for a in (mu, sigma - np.eye(m)))
    assert gaussian.p_norm(z, p).item() == pytest.approx(expected, abs=1e-12)


def test_roots_are_square_roots():
    z = draw(4, 30, 3)
    for function in (gaussian.w2, gaussian.w2_1d):
        torch.testing.assert_close(function(z, root=True) ** 2, function(z), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", COVARIANCE)
@pytest.mark.parametrize(("n", "m"), [(3, 1), (10, 2), (200, 128)])
def test_whitened_codes_are_at_zero(name, n, m):
    z = whitened(n, m).requires_grad_()
    value = distance(name, z)
    (grad,) = torch.autograd.grad(value, z)
    assert abs(value.item()) < 1e-9
    assert grad.isfinite().all()
    if name in ("w2", "w2-1d"):
        root = distance(name, z, root=True)
        assert root.item() < 1e-6
        assert torch.autograd.grad(root, z)[0].isfinite().all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "m"), [(7, 3), (4, 4), (3, 5), (5, 1)])
def test_first_and_second_derivatives(name, n, m):
    options = {"eps": 0.03} if name == "kl" else {}
    z = draw(n, m).requires_grad_()
    assert gradcheck(lambda z: distance(name, z, **options), z)
    assert gradgradcheck(lambda z: distance(name, z, **options), z)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("p-norm", {"p": 1.5}),
        ("p-norm", {"p": 3.0}),
        ("w2", {"root": True}),
        ("w2-1d", {"root": True}),
    ],
)
def test_derivatives_of_the_variants(name, options):
    assert gradcheck(lambda z: distance(name, z, **options), draw(2, 7, 3).requires_grad_())


def test_derivatives_of_kl_at_full_rank():
    assert gradcheck(gaussian.kl, draw(2, 12, 3).requires_grad_())


VARIANTS = {
    "p-norm": [{}, {"p": 1.0}, {"p": 3.0}],
    "w2": [{}, {"root": True}],
    "w2-1d": [{}, {"root": True}],
}
DEGENERATE = {
    "random": lambda z: z,
    "equal": lambda z: z[:1].expand_as(z),
    "zero": torch.zeros_like,
    "line": lambda z: z[:, :1] * z[:1],
    "pairs": lambda z: z[torch.arange(len(z)) // 2],
    "tiny": lambda z: z * 1e-22,
    "huge": lambda z: z * 1e4,
}


@pytest.mark.parametrize("make", DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_finite_at_any_rank(name, dtype, make):
    for n in (1, 2, 5):
        for m in (1, 2, 8):
            z = make(draw(n, m, dtype=dtype)).clone().requires_grad_()
            for value in (distance(name, z, **options) for options in VARIANTS.get(name, [{}])):
                assert value.dtype == dtype
                assert value.isfinite()
                assert torch.autograd.grad(value, z)[0].isfinite().all()


@pytest.mark.parametrize("rank", [1, 3, 1000])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6])
def test_cholesky_never_fails(scale, rank):
    for n, m in ((60, 60), (60, 200), (200, 60)):
        rank = min(rank, m)
        z = draw(n, rank, dtype=torch.float32) @ draw(rank, m, seed=1, dtype=torch.float32)
        assert gaussian.kl(z * scale + scale).isfinite()


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-9), (torch.float32, 2e-3)])
@pytest.mark.parametrize(("n", "m"), [(128, 128), (64, 200), (5, 8), (2, 2)])
def test_w2_at_deficient_rank(n, m, dtype, atol):
    z = draw(n, m)
    assert gaussian.w2(z.to(dtype)).item() == pytest.approx(reference("w2", z.numpy()), abs=1e-3)
    singular = torch.linalg.svdvals((z - z.mean(0)) / n**0.5)
    expected = z.mean(0).square().sum() + (singular - 1).square().sum() + max(m - n, 0)
    assert gaussian.w2(z.to(dtype)).item() == pytest.approx(expected.item(), abs=atol)


def test_w2_of_a_spectrum_that_fades_away():
    z = with_spectrum(100, torch.logspace(0, -16, 32, dtype=torch.float64))
    for dtype in (torch.float64, torch.float32):
        value = gaussian.w2(z.to(dtype)).item()
        assert value == pytest.approx(reference("w2", z.numpy()), abs=3e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_polar_factor(dtype):
    x = draw(3, 40, 6, dtype=dtype)
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for y, expected in ((x, u @ v), (x.mT, (u @ v).mT)):
        torch.testing.assert_close(linalg.polar(1e-6 * y), expected, rtol=0, atol=tolerance)
        torch.testing.assert_close(
            linalg.nuclear_norm(y), torch.linalg.svdvals(y).sum(-1), rtol=1e-6, atol=0
        )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-3)])
def test_polar_factor_of_long_matrices(dtype, tolerance):
    """Most products are of x x^T there, which has the squares of the singular values."""
    u, v = torch.linalg.qr(draw(12, 12)).Q, torch.linalg.qr(draw(400, 12, seed=1)).Q
    x = (u * torch.logspace(-2, 0, 12, dtype=torch.float64)) @ v.mT
    found = linalg.polar(x.to(dtype))
    torch.testing.assert_close(found, (u @ v.mT).to(dtype), rtol=0, atol=tolerance)
    singular = torch.linalg.svdvals(found)
    torch.testing.assert_close(singular, torch.ones_like(singular), rtol=0, atol=1e-6)


def test_polar_response_to_a_singular_value_is_increasing():
    s = torch.logspace(-8, 0, 500, dtype=torch.float64)
    x = torch.diag_embed(torch.stack([torch.ones_like(s), s], -1))
    response = linalg.polar(x)[:, 1, 1]
    assert (response.diff() > -1e-13).all()
    assert (response - 1)[s > 3e-4].abs().max() < 1e-12


def test_inverse_and_determinant():
    a = draw(2, 9, 4)
    a = a.mT @ a
    inverse, log_det = linalg.inverse(a)
    torch.testing.assert_close(inverse, torch.linalg.inv(a))
    torch.testing.assert_close(log_det, torch.linalg.slogdet(a).logabsdet)


def test_p_norm_by_gram_matrix_is_that_by_covariance():
    z = draw(3, 5, 9)
    mu, x = z.mean(1), (z - z.mean(1, keepdim=True)) / 5**0.5
    naive = mu.norm(dim=1) + (x.mT @ x - torch.eye(9)).flatten(1).norm(dim=1)
    torch.testing.assert_close(gaussian.p_norm(z), naive, rtol=1e-14, atol=0)


def epps_pulley_by_integration(y):
    def integrand(t):
        gap = np.exp(1j * t * y).mean() - np.exp(-(t**2) / 2)
        return abs(gap) ** 2 * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)

    return 2 * integrate.quad(integrand, 0, 12, epsabs=1e-12, epsrel=1e-12, limit=500)[0]


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0])
def test_epps_pulley_is_its_integral(scale):
    z, directions = scale * draw(20, 3) + 0.1, 7 * draw(4, 3, seed=1)
    y = (z @ (directions / directions.norm(dim=1, keepdim=True)).mT).numpy()
    expected = np.mean([epps_pulley_by_integration(column) for column in y.T])
    assert gaussian.epps_pulley(z, directions).item() == pytest.approx(expected, abs=1e-9)


def test_epps_pulley_by_pairwise_differences():
    y = draw(500, 1).clamp(-6.9, 6.9)
    pairs = torch.exp(-0.5 * (y - y.mT) ** 2).mean()
    cross = 2**0.5 * torch.exp(-(y**2) / 4).mean()
    expected = pairs - cross + 3**-0.5
    value = gaussian.epps_pulley(y, torch.ones(1, 1, dtype=torch.float64))
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)


def test_epps_pulley_of_normal_codes():
    values = gaussian.epps_pulley(draw(2000, 50, 1), torch.ones(1, 1, dtype=torch.float64))
    error = values.std() / 2000**0.5
    assert abs(values.mean() - (1 - 3**-0.5) / 50) < 4 * error


def test_epps_pulley_takes_directions_per_batch():
    z, directions = draw(3, 20, 4), draw(3, 6, 4, seed=1)
    expected = torch.stack([gaussian.epps_pulley(a, b) for a, b in zip(z, directions)])
    torch.testing.assert_close(gaussian.epps_pulley(z, directions), expected)


def mean_distance(a, m):
    """E|a - Y| by mpmath, as scipy's hyp1f1 overflows where m and a are large."""
    ratio = mpmath.gamma(mpmath.mpf(m + 1) / 2) / mpmath.gamma(mpmath.mpf(m) / 2)
    series = mpmath.hyp1f1(mpmath.mpf(-1) / 2, mpmath.mpf(m) / 2, -(mpmath.mpf(a) ** 2) / 2)
    return float(mpmath.sqrt(2) * ratio * series)


@pytest.mark.parametrize("m", [1, 2, 3, 10, 64, 511, 512])
def test_mean_distance_to_a_normal_vector(m):
    a = [0.0, 1e-4, 0.1, 1.0, 2.5, 5.0, 10.0, 22.0, 40.0, 100.0]
    expected = torch.tensor([mean_distance(each, m) for each in a], dtype=torch.float64)
    a = torch.tensor(a, dtype=torch.float64)
    found = energy.distance_to_normal(a.square(), m)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)
    if m <= 64:
        ratio = np.sqrt(2) * np.exp(special.gammaln((m + 1) / 2) - special.gammaln(m / 2))
        scipy = ratio * special.hyp1f1(-0.5, m / 2, -(a.numpy() ** 2) / 2)
        torch.testing.assert_close(found, torch.from_numpy(scipy), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_energy_by_its_definition(shape):
    z = 0.7 * draw(*shape) + 0.4
    m = shape[-1]
    expected = []
    for codes in z.reshape(-1, *shape[-2:]):
        pairs = (codes[:, None] - codes).norm(dim=-1).mean().item()
        to_normal = np.mean([mean_distance(code.norm().item(), m) for code in codes])
        expected.append(2 * to_normal - pairs - mean_distance(0.0, m) * 2**0.5)
    expected = torch.tensor(expected, dtype=torch.float64).reshape(shape[:-2])
    torch.testing.assert_close(energy.energy(z), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("m", [4, 12])
def test_mean_distance_has_the_slope_of_distances(m):
    z = draw(9, m)
    z[3] = z[7]  # which neither attract nor repel each other
    z.requires_grad_()
    expected = torch.autograd.grad(torch.cdist(z, z).mean(), z)[0]
    value = energy.mean_distance(z)
    assert value.item() == pytest.approx(torch.cdist(z, z).mean().item(), abs=1e-12)
    torch.testing.assert_close(torch.autograd.grad(value, z)[0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-4, 1e-5])
def test_energy_pushes_the_codes_of_a_narrow_cluster_apart(width):
    """Codes of narrow modes are such clusters, and inner products lose what is within them."""
    angle = torch.arange(80) % 8 * torch.pi / 4
    centres = torch.stack([angle.cos(), angle.sin()], -1)
    z = (2**0.5 * centres + width * draw(80, 2)).float()  # exactly what both precisions see
    slopes = []
    for codes in (z, z.double()):
        codes = codes.detach().requires_grad_()
        (slope,) = torch.autograd.grad(energy.energy(codes), codes)
        means = torch.stack([slope[k::8].mean(0) for k in range(8)])
        slopes.append(slope.double() - means.double().repeat(10, 1))
    error = torch.linalg.norm(slopes[0] - slopes[1]) / torch.linalg.norm(slopes[1])
    assert error < 1e-3


def test_energy_by_monte_carlo():
    z, y, other = 1.5 * draw(4, 3) + 0.5, draw(400_000, 3, seed=1), draw(400_000, 3, seed=2)
    to_normal = torch.stack([(code - y).norm(dim=1).mean() for code in z]).mean()
    expected = 2 * to_normal - torch.cdist(z, z).mean() - (y - other).norm(dim=1).mean()
    assert energy.energy(z).item() == pytest.approx(expected.item(), abs=0.01)


def test_energy_of_many_normal_codes_vanishes():
    value = energy.energy(draw(1000, 2)).item()
    assert 0 < value < 0.01


@pytest.mark.parametrize(("n", "m"), [(128, 128), (100, 2), (64, 512)])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "kl"])
def test_single_precision(name, n, m):
    z = 1.1 * draw(n, m) + 0.1
    expected = distance(name, z).item()
    found = gaussian.distance(name, z.float(), draw(5, m, seed=1).float()).item()
    assert found == pytest.approx(expected, rel=2e-4)


def test_single_precision_of_kl():
    z = 1.1 * draw(100, 2) + 0.1
    assert gaussian.kl(z.float()).item() == pytest.approx(gaussian.kl(z).item(), rel=1e-4)


sizes = st.tuples(st.integers(1, 3), st.integers(2, 12), st.integers(1, 6), st.integers(0, 999))


def rotation(m, seed):
    return torch.linalg.qr(draw(m, m, seed=seed)).Q


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(size=sizes)
def test_order_and_company_of_codes_do_not_matter(name, size):
    s, n, m, seed = size
    z = draw(s, n, m, seed=seed)
    values = distance(name, z, eps=1e-2)
    shuffled = z[:, torch.randperm(n, generator=torch.Generator().manual_seed(seed))]
    torch.testing.assert_close(distance(name, shuffled, eps=1e-2), values)
    singles = torch.stack([distance(name, each, eps=1e-2) for each in z])
    torch.testing.assert_close(singles, values)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "w2-1d"])
@settings(max_examples=15, deadline=None)
@given(size=sizes)
def test_rotations_do_not_matter(name, size):
    _, n, m, seed = size
    z, directions, turn = draw(n, m, seed=seed), draw(5, m, seed=1), rotation(m, seed + 1)
    value = gaussian.distance(name, z, directions, eps=1e-2)
    turned = gaussian.distance(name, z @ turn, directions @ turn, eps=1e-2)
    torch.testing.assert_close(turned, value, rtol=1e-6, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(size=sizes, scale=st.floats(0.01, 30))
def test_distances_are_not_negative(size, scale):
    s, n, m, seed = size
    z = scale * draw(s, n, m, seed=seed)
    for name in NAMES:
        assert (distance(name, z) > -1e-9).all()


def test_names_are_functions():
    z, directions = draw(2, 8, 3), draw(5, 3)
    functions = {
        "p-norm": gaussian.p_norm,
        "w2": gaussian.w2,
        "kl": gaussian.kl,
        "w2-1d": gaussian.w2_1d,
        "epps-pulley": lambda z: gaussian.epps_pulley(z, directions),
        "energy": energy.energy,
    }
    assert tuple(functions) == NAMES
    for name, function in functions.items():
        assert torch.equal(gaussian.distance(name, z, directions), function(z))
    with pytest.raises(AssertionError):
        gaussian.distance("w3", z)
    with pytest.raises(ValueError, match="directions"):
        gaussian.distance("epps-pulley", z)


FORBIDDEN = ("eig", "svd", "local_scalar", "nonzero", "cholesky_inverse", "lu_", "aten.inv")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "m"), [(8, 3), (4, 6)])
def test_gradient_is_traceable_without_reading_a_value(name, n, m):
    def gradient(z, directions):
        z = z.detach().requires_grad_()
        return torch.autograd.grad(gaussian.distance(name, z, directions).sum(), z)[0]

    z, directions = draw(2, n, m), draw(5, m)
    graph = make_fx(gradient, tracing_mode="fake")(z, directions)
    torch.testing.assert_close(graph(z, directions), gradient(z, directions))
    called = " ".join(str(node.target) for node in graph.graph.nodes)
    assert not [word for word in FORBIDDEN if word in called]


@pytest.mark.parametrize("name", NAMES)
def test_vectorises(name):
    z, directions = draw(3, 8, 4), draw(5, 4)
    mapped = torch.vmap(lambda z: gaussian.distance(name, z, directions))(z)
    torch.testing.assert_close(mapped, gaussian.distance(name, z, directions))


def test_half_precision_and_autocast_are_left():
    z = draw(30, 4, dtype=torch.float32)
    for name in NAMES:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = distance(name, z)
        assert torch.equal(inside, distance(name, z))
        assert distance(name, z.bfloat16()).dtype == torch.float32
