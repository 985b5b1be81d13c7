"""Gaussian distances: closed forms, independent references, and laws."""

from typing import get_args

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from torch.autograd import gradcheck, gradgradcheck
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.functional import energy, gaussian
from tests.helpers.codes import SHAPES, draw_codes

NAMES = get_args(gaussian.Distance)
COVARIANCE = ("p-norm", "w2", "kl", "w2-1d")


def distance(name, z, seed=1, **options):
    return gaussian.gaussian_distance(
        name, z, draw_codes(5, z.shape[-1], seed=seed, dtype=z.dtype), **options
    )


def with_spectrum(n, variances, seed=0):
    """Codes whose covariance has exactly these eigenvalues, and whose mean is not 0."""
    m = len(variances)
    z = draw_codes(n, m, seed=seed)
    q, _ = torch.linalg.qr(z - z.mean(0))
    basis, _ = torch.linalg.qr(draw_codes(m, m, seed=seed + 1))
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
def test_gaussian_distance_closed_form(name, shape):
    z = 0.8 * draw_codes(*shape) + 0.2
    flat = z.reshape(-1, *shape[-2:]).numpy()
    expected = torch.tensor([reference(name, each) for each in flat]).reshape(shape[:-2])
    tolerance = 1e-9 if shape[-2] > shape[-1] else 1e-6  # a root of eigenvalues that are 0
    torch.testing.assert_close(distance(name, z), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", COVARIANCE)
@pytest.mark.parametrize(("low", "high"), [(0.1, 10.0), (0.02, 2.0), (0.5, 50.0)])
def test_gaussian_distance_ill_conditioned(name, low, high):
    z = with_spectrum(100, torch.logspace(np.log10(low), np.log10(high), 16, dtype=torch.float64))
    assert distance(name, z).item() == pytest.approx(reference(name, z.numpy()), abs=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("n", "m"), [(40, 3), (300, 64)])
def test_w2_matches_pot(n, m):
    z = 1.3 * draw_codes(n, m) - 0.1
    mu, sigma = moments(z.numpy())
    expected = ot.gaussian.bures_wasserstein_distance(mu, np.zeros(m), sigma, np.eye(m))
    assert gaussian.w2(z, root=True).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 10.0])
@pytest.mark.parametrize(("n", "m"), [(20, 4), (3, 6)])
def test_p_norm_other_exponents(n, m, p):
    z = draw_codes(n, m)
    mu, sigma = moments(z.numpy())
    expected = sum((np.abs(a) ** p).sum() ** (1 / p) for a in (mu, sigma - np.eye(m)))
    assert gaussian.p_norm(z, p).item() == pytest.approx(expected, abs=1e-12)


def test_w2_root_option():
    z = draw_codes(4, 30, 3)
    for function in (gaussian.w2, gaussian.w2_1d):
        torch.testing.assert_close(function(z, root=True) ** 2, function(z), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", COVARIANCE)
@pytest.mark.parametrize(("n", "m"), [(3, 1), (10, 2), (200, 128)])
def test_gaussian_distance_of_whitened_codes(name, n, m):
    z = whitened(n, m).requires_grad_()
    value = distance(name, z)
    (grad,) = torch.autograd.grad(value, z)
    assert abs(value.item()) < 1e-9
    assert grad.isfinite().all()
    if name in ("w2", "w2-1d"):
        root = distance(name, z, root=True)
        assert root.item() < 1e-6
        assert torch.autograd.grad(root, z)[0].isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "m"), [(7, 3), (4, 4), (3, 5), (5, 1)])
def test_gaussian_distance_derivatives(name, n, m):
    options = {"eps": 0.03} if name == "kl" else {}
    z = draw_codes(n, m).requires_grad_()
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
def test_gaussian_distance_option_derivatives(name, options):
    assert gradcheck(lambda z: distance(name, z, **options), draw_codes(2, 7, 3).requires_grad_())


def test_kl_derivatives_full_rank():
    assert gradcheck(gaussian.kl, draw_codes(2, 12, 3).requires_grad_())


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
def test_gaussian_distance_finite_any_rank(name, dtype, make):
    for n in (1, 2, 5):
        for m in (1, 2, 8):
            z = make(draw_codes(n, m, dtype=dtype)).clone().requires_grad_()
            for value in (distance(name, z, **options) for options in VARIANTS.get(name, [{}])):
                assert value.dtype == dtype
                assert value.isfinite()
                assert torch.autograd.grad(value, z)[0].isfinite().all()


@pytest.mark.parametrize("rank", [1, 3, 1000])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6])
def test_kl_cholesky_never_fails(scale, rank):
    for n, m in ((60, 60), (60, 200), (200, 60)):
        rank = min(rank, m)
        z = draw_codes(n, rank, dtype=torch.float32) @ draw_codes(
            rank, m, seed=1, dtype=torch.float32
        )
        assert gaussian.kl(z * scale + scale).isfinite()


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-9), (torch.float32, 2e-3)])
@pytest.mark.parametrize(("n", "m"), [(128, 128), (64, 200), (5, 8), (2, 2)])
def test_w2_deficient_rank(n, m, dtype, atol):
    z = draw_codes(n, m)
    assert gaussian.w2(z.to(dtype)).item() == pytest.approx(reference("w2", z.numpy()), abs=1e-3)
    singular = torch.linalg.svdvals((z - z.mean(0)) / n**0.5)
    expected = z.mean(0).square().sum() + (singular - 1).square().sum() + max(m - n, 0)
    assert gaussian.w2(z.to(dtype)).item() == pytest.approx(expected.item(), abs=atol)


REPEATED = {
    "distinct": lambda n: torch.arange(n),
    "pairs": lambda n: torch.arange(n) // 2,
    "equal": lambda n: torch.zeros(n, dtype=torch.int64),
}


@pytest.mark.parametrize("indices", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 5e-4)])
@pytest.mark.parametrize(("n", "m"), [(32, 32), (16, 50), (5, 8)])
def test_w2_slope_deficient_rank(n, m, dtype, tolerance, indices):
    """The slope is 2 μ / n + 2 (x - U Vᵀ) / √n, without singular values that are 0."""
    z = draw_codes(n, m)[indices(n)].to(dtype).requires_grad_()
    (slope,) = torch.autograd.grad(gaussian.w2(z), z)
    codes = z.detach().double()
    mu, x = codes.mean(0), (codes - codes.mean(0)) / n**0.5
    u, singular, vh = torch.linalg.svd(x, full_matrices=False)
    expected = 2 * mu / n + 2 * (x - (u * (singular > 1e-6)) @ vh) / n**0.5
    assert torch.linalg.norm(slope.double() - expected) < tolerance * torch.linalg.norm(expected)


@pytest.mark.parametrize("indices", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 5e-4)])
@pytest.mark.parametrize(("n", "m"), [(32, 32), (40, 32)])
def test_kl_slope_deficient_rank(n, m, dtype, tolerance, indices):
    z = draw_codes(n, m)[indices(n)].to(dtype).requires_grad_()
    value = gaussian.kl(z, eps=0.1)
    (slope,) = torch.autograd.grad(value, z)
    codes = z.detach().double().requires_grad_()
    mu, x = codes.mean(0), (codes - codes.mean(0)) / n**0.5
    rounding_error = 5 * torch.finfo(dtype).eps * torch.linalg.matrix_norm((x.mT @ x).detach())
    eps = 0.1 + rounding_error
    shrunk = x.mT @ x + eps * torch.eye(m, dtype=torch.float64)
    y = torch.linalg.inv(shrunk)
    y = y + eps * y @ y
    log_det = torch.logdet(shrunk) - eps * torch.linalg.inv(shrunk).trace()
    expected = 0.5 * (log_det - m + y.trace() + mu @ y @ mu)
    (expected_slope,) = torch.autograd.grad(expected, codes)
    assert value.item() == pytest.approx(expected.item(), rel=tolerance)
    error = torch.linalg.norm(slope.double() - expected_slope)
    assert error < tolerance * torch.linalg.norm(expected_slope)


@pytest.mark.parametrize(("name", "number"), [("w2", 20), ("kl", 5), ("energy", 2)])
def test_gaussian_distance_number_of_products(name, number):
    """Products are most of the time at image size: value and slope together take so many."""

    def value_and_slope(z):
        z = z.detach().requires_grad_()
        value = gaussian.gaussian_distance(name, z)
        return value, torch.autograd.grad(value.sum(), z)[0]

    graph = make_fx(value_and_slope)(draw_codes(1, 12, 12, dtype=torch.float32))
    factor_shapes = [
        [factor.meta["tensor_meta"].shape[-2:] for factor in node.all_input_nodes]
        for node in graph.graph.nodes
        if "mm" in str(node.target)
    ]
    assert sum((12, 1) not in each and (1, 12) not in each for each in factor_shapes) == number


def test_w2_decaying_spectrum():
    z = with_spectrum(100, torch.logspace(0, -16, 32, dtype=torch.float64))
    for dtype in (torch.float64, torch.float32):
        value = gaussian.w2(z.to(dtype)).item()
        assert value == pytest.approx(reference("w2", z.numpy()), abs=3e-3)


def test_p_norm_by_gram_matrix():
    z = draw_codes(3, 5, 9)
    mu, x = z.mean(1), (z - z.mean(1, keepdim=True)) / 5**0.5
    naive = mu.norm(dim=1) + (x.mT @ x - torch.eye(9)).flatten(1).norm(dim=1)
    torch.testing.assert_close(gaussian.p_norm(z), naive, rtol=1e-14, atol=0)


def epps_pulley_by_integration(y):
    def integrand(t):
        gap = np.exp(1j * t * y).mean() - np.exp(-(t**2) / 2)
        return abs(gap) ** 2 * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)

    return 2 * integrate.quad(integrand, 0, 12, epsabs=1e-12, epsrel=1e-12, limit=500)[0]


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0])
def test_epps_pulley_matches_integral(scale):
    z, directions = scale * draw_codes(20, 3) + 0.1, 7 * draw_codes(4, 3, seed=1)
    y = (z @ (directions / directions.norm(dim=1, keepdim=True)).mT).numpy()
    expected = np.mean([epps_pulley_by_integration(column) for column in y.T])
    assert gaussian.epps_pulley(z, directions).item() == pytest.approx(expected, abs=1e-9)


def test_epps_pulley_matches_pairwise_formula():
    y = draw_codes(500, 1).clamp(-6.9, 6.9)
    pairs = torch.exp(-0.5 * (y - y.mT) ** 2).mean()
    cross = 2**0.5 * torch.exp(-(y**2) / 4).mean()
    expected = pairs - cross + 3**-0.5
    value = gaussian.epps_pulley(y, torch.ones(1, 1, dtype=torch.float64))
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)


def test_epps_pulley_of_normal_codes():
    values = gaussian.epps_pulley(draw_codes(2000, 50, 1), torch.ones(1, 1, dtype=torch.float64))
    error = values.std() / 2000**0.5
    assert abs(values.mean() - (1 - 3**-0.5) / 50) < 4 * error


def test_epps_pulley_batched_directions():
    z, directions = draw_codes(3, 20, 4), draw_codes(3, 6, 4, seed=1)
    expected = torch.stack([gaussian.epps_pulley(a, b) for a, b in zip(z, directions)])
    torch.testing.assert_close(gaussian.epps_pulley(z, directions), expected)


@pytest.mark.parametrize(("n", "m"), [(128, 128), (100, 2), (64, 512)])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "kl"])
def test_gaussian_distance_single_precision(name, n, m):
    z = 1.1 * draw_codes(n, m) + 0.1
    expected = distance(name, z).item()
    values = gaussian.gaussian_distance(name, z.float(), draw_codes(5, m, seed=1).float()).item()
    assert values == pytest.approx(expected, rel=2e-4)


def test_kl_single_precision():
    z = 1.1 * draw_codes(100, 2) + 0.1
    assert gaussian.kl(z.float()).item() == pytest.approx(gaussian.kl(z).item(), rel=1e-4)


sizes = st.tuples(st.integers(1, 3), st.integers(2, 12), st.integers(1, 6), st.integers(0, 999))


def rotation(m, seed):
    return torch.linalg.qr(draw_codes(m, m, seed=seed)).Q


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(size=sizes)
def test_gaussian_distance_permutation_invariant(name, size):
    s, n, m, seed = size
    z = draw_codes(s, n, m, seed=seed)
    values = distance(name, z, eps=1e-2)
    shuffled = z[:, torch.randperm(n, generator=torch.Generator().manual_seed(seed))]
    torch.testing.assert_close(distance(name, shuffled, eps=1e-2), values)
    singles = torch.stack([distance(name, each, eps=1e-2) for each in z])
    torch.testing.assert_close(singles, values)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "w2-1d"])
@settings(max_examples=15, deadline=None)
@given(size=sizes)
def test_gaussian_distance_rotation_invariant(name, size):
    _, n, m, seed = size
    z, directions, rotation_matrix = (
        draw_codes(n, m, seed=seed),
        draw_codes(5, m, seed=1),
        rotation(m, seed + 1),
    )
    value = gaussian.gaussian_distance(name, z, directions, eps=1e-2)
    rotated_value = gaussian.gaussian_distance(
        name, z @ rotation_matrix, directions @ rotation_matrix, eps=1e-2
    )
    torch.testing.assert_close(rotated_value, value, rtol=1e-6, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(size=sizes, scale=st.floats(0.01, 30))
def test_gaussian_distance_not_negative(size, scale):
    s, n, m, seed = size
    z = scale * draw_codes(s, n, m, seed=seed)
    for name in NAMES:
        assert (distance(name, z) > -1e-9).all()


def test_gaussian_distance_by_name():
    z, directions = draw_codes(2, 8, 3), draw_codes(5, 3)
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
        assert torch.equal(gaussian.gaussian_distance(name, z, directions), function(z))
    with pytest.raises(AssertionError):
        gaussian.gaussian_distance("w3", z)
    with pytest.raises(ValueError, match="directions"):
        gaussian.gaussian_distance("epps-pulley", z)


FORBIDDEN = ("eig", "svd", "local_scalar", "nonzero", "cholesky_inverse", "lu_", "aten.inv")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "m"), [(8, 3), (4, 6)])
def test_gaussian_distance_gradient_traceable(name, n, m):
    def gradient(z, directions):
        z = z.detach().requires_grad_()
        return torch.autograd.grad(gaussian.gaussian_distance(name, z, directions).sum(), z)[0]

    z, directions = draw_codes(2, n, m), draw_codes(5, m)
    graph = make_fx(gradient, tracing_mode="fake")(z, directions)
    torch.testing.assert_close(graph(z, directions), gradient(z, directions))
    called = " ".join(str(node.target) for node in graph.graph.nodes)
    assert not [word for word in FORBIDDEN if word in called]


@pytest.mark.parametrize("name", NAMES)
def test_gaussian_distance_vmap(name):
    z, directions = draw_codes(3, 8, 4), draw_codes(5, 4)
    mapped = torch.vmap(lambda z: gaussian.gaussian_distance(name, z, directions))(z)
    torch.testing.assert_close(mapped, gaussian.gaussian_distance(name, z, directions))


def test_gaussian_distance_autocast():
    z = draw_codes(30, 4, dtype=torch.float32)
    for name in NAMES:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = distance(name, z)
        assert torch.equal(inside, distance(name, z))
        assert distance(name, z.bfloat16()).dtype == torch.float32
