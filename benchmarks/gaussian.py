"""Gaussian losses at image size, forward and backward, against one matrix product.

The product is of M x n by n x min(n, M): no loss that looks at all second moments does with less.
Beside the losses are second moments alone, x x^T or x^T x, whichever is smaller, and its product
with x, which a slope takes: as many operations each, in other shapes.
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
MOMENTS = "moments alone"
COLUMNS = (MOMENTS, *NAMES)
DIRECTIONS = 16
BATCHES = (64, 128, 256)
SMALL, LARGE = (2, 16), (128, 512, 2048)


def _slope(name, codes, directions):
    codes = codes.detach().requires_grad_()
    value = gaussian.distance(name, codes, directions)
    (slope,) = torch.autograd.grad(value.sum(), codes)
    return value, slope


def _moments(codes):
    x = codes if codes.shape[-2] < codes.shape[-1] else codes.mT
    return (x @ x.mT) @ x


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
        moments = partial(_moments, torch.randn(1, n, m))
        variants = [Variant("product", product), Variant(MOMENTS, moments)]
        times = measure([*variants, *_variants(n, m, executor)], rounds=5, seconds=0.05)
        medians = [statistics.median(ratios(times, name, "product")) for name in COLUMNS]
        yield n, m, statistics.median(times["product"]), medians


def _table(rows):
    yield f"| n | M | product, ms | {' | '.join(COLUMNS)} |"
    yield "| --- " * (3 + len(COLUMNS)) + "|"
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
    worst = dict(zip(COLUMNS, map(max, zip(*(medians for *_, medians in code)))))
    return "\n".join(lines), {name: worst[name] for name in NAMES}
