"""Gaussian losses at image size, forward and backward, against one matrix product.

The product is of M x n by n x min(n, M): no loss that looks at all second moments does with less.
"""

import itertools
import statistics
from functools import partial
from typing import get_args

import torch

from benchmarks.interleaved import Variant, measure, ratios
from iidgan.engine.compiled import compiled
from iidgan.functional import gaussian

NAMES = get_args(gaussian.Distance)
DIRECTIONS = 16
BATCHES = (64, 128, 256)
SMALL, LARGE = (2, 16), (128, 512, 2048)


def _slope(name, codes, directions):
    codes = codes.detach().requires_grad_()
    value = gaussian.distance(name, codes, directions)
    (slope,) = torch.autograd.grad(value.sum(), codes)
    return value, slope


@torch.no_grad()
def _apply(code, inputs):
    return code(*inputs)


def _variants(n, m, executor):
    inputs = [torch.randn(1, n, m), torch.randn(1, DIRECTIONS, m)]
    for name in NAMES:
        slope = partial(_slope, name)
        if executor == "compiled":
            yield Variant(name, partial(_apply, compiled(slope, inputs), inputs))
        else:
            yield Variant(name, partial(slope, *inputs))


def _rows(executor, sizes):
    """Measures each size: n, M, seconds of the product, and the losses in products."""
    for n, m in itertools.product(BATCHES, sizes):
        product = partial(torch.mm, torch.randn(m, n), torch.randn(n, min(n, m)))
        variants = [Variant("product", product), *_variants(n, m, executor)]
        times = measure(variants, rounds=5, seconds=0.05)
        medians = [statistics.median(ratios(times, name, "product")) for name in NAMES]
        yield n, m, statistics.median(times["product"]), medians


def _table(rows):
    yield f"| n | M | product, ms | {' | '.join(NAMES)} |"
    yield "| --- " * (3 + len(NAMES)) + "|"
    for n, m, product, medians in rows:
        cells = " | ".join(f"{median:.1f}" for median in medians)
        yield f"| {n} | {m} | {product * 1e3:.4f} | {cells} |"


def compare():
    """Gives both tables, and the greatest number of products of each loss where compiled."""
    eager, code = [*_rows("eager", SMALL + LARGE)], [*_rows("compiled", LARGE)]
    lines = [
        "Eager:",
        "",
        *_table(eager),
        "",
        "Compiled, as in long trainings:",
        "",
        *_table(code),
    ]
    worst = map(max, zip(*(medians for *_, medians in code)))
    return "\n".join(lines), dict(zip(NAMES, worst))
