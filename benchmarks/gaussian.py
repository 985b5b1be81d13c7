"""Gaussian losses at image size, forward and backward, against one matrix product.

The product is of M x n by n x min(n, M): no loss that looks at all second moments does with less.
Beside the losses are second moments alone, x x^T or x^T x, whichever is smaller, and its product
with x, which a slope takes: as many operations each, in other shapes.
"""

import itertools
import statistics
import time
from functools import partial
from typing import get_args

import torch

from benchmarks.profiling import operations
from benchmarks.timing import Variant, measure, ratios
from iidgan.engine.compile.capture import capture_and_compile
from iidgan.engine.compile.inductor import compile_graph, compile_with_wrapper
from iidgan.functional import gaussian

NAMES = get_args(gaussian.Distance)
MOMENTS = "moments alone"
COLUMNS = (MOMENTS, *NAMES)
DIRECTIONS = 16
BATCHES = (64, 128, 256)
SMALL, LARGE = (2, 16), (128, 512, 2048)
MOST = 3  # products that a loss may take where compiled
SQUARE = 128, 128  # n and M of those that take more than products alone, and as many products:
MOST_AT_SQUARE = {"w2": 12, "kl": 8, "energy": 5}


def _slope(name, codes, directions):
    codes = codes.detach().requires_grad_()
    value = gaussian.gaussian_distance(name, codes, directions)
    (slope,) = torch.autograd.grad(value.sum(), codes)
    return value, slope


def _moments(codes):
    x = codes if codes.shape[-2] < codes.shape[-1] else codes.mT
    return (x @ x.mT) @ x


@torch.no_grad()
def _apply(code, inputs):
    return code(*inputs)


def _eager(name, n, m):
    return partial(_slope, name, torch.randn(1, n, m), torch.randn(1, DIRECTIONS, m))


def _compiled(name, n, m, generate=compile_graph):
    inputs = [torch.randn(1, n, m), torch.randn(1, DIRECTIONS, m)]
    return partial(_apply, capture_and_compile(partial(_slope, name), inputs, generate), inputs)


def _rows(made, sizes):
    """Measures each size: n, M, seconds of the product, and by name the losses in products."""
    for n, m in itertools.product(BATCHES, sizes):
        product = partial(torch.mm, torch.randn(m, n), torch.randn(n, min(n, m)))
        moments = partial(_moments, torch.randn(1, n, m))
        variants = [Variant("product", product), Variant(MOMENTS, moments)]
        variants += [Variant(name, made(name, n, m)) for name in NAMES]
        times = measure(variants, rounds=11, seconds=0.05, clock=time.thread_time)
        medians = {name: statistics.median(ratios(times, name, "product")) for name in COLUMNS}
        yield n, m, statistics.median(times["product"]), medians


def _products(name, rows):
    """Products that a loss takes, n and M, of each size that its goal is about."""
    sizes = {SQUARE} if name in MOST_AT_SQUARE else {(n, m) for n, m, *_ in rows}
    return [(row[name], n, m) for n, m, _, row in rows if (n, m) in sizes]


def most_products(name):
    """Products that a loss may take at most."""
    return MOST_AT_SQUARE.get(name, MOST)


def _table(rows):
    yield f"| n | M | product, ms | {' | '.join(COLUMNS)} |"
    yield "| --- " * (3 + len(COLUMNS)) + "|"
    for n, m, product, medians in rows:
        cells = " | ".join(f"{median:.1f}" for median in medians.values())
        yield f"| {n} | {m} | {product * 1e3:.4f} | {cells} |"


def _profiles(worst):
    """Where the time goes of each loss that takes more products than it may, at its worst size."""
    for name, (products, n, m) in worst.items():
        if products > most_products(name):
            once = _compiled(name, n, m, compile_with_wrapper)
            yield f"\nOperations of `{name}` at n = {n}, M = {m}, {products:.1f} products:\n"
            yield operations(once, times=30, rows=6)


def compare():
    """Gives both tables, and of each loss where compiled: the most products, and at which size."""
    eager, code = [*_rows(_eager, SMALL + LARGE)], [*_rows(_compiled, LARGE)]
    worst = {name: max(_products(name, code)) for name in NAMES}
    lines = [
        "Eager:",
        "",
        *_table(eager),
        "",
        "Compiled, as in long trainings:",
        "",
        *_table(code),
        *_profiles(worst),
    ]
    return "\n".join(lines), worst
