"""Gaussian losses at image size, forward and backward, against one matrix product.

The product is of M x n by n x min(n, M): no loss that looks at all second moments does with less.
"""

import statistics
from typing import get_args

import torch

from benchmarks.interleaved import Variant, measure, ratios
from iidgan.functional import gaussian

NAMES = get_args(gaussian.Distance)
DIRECTIONS = 16
SIZES = [(n, m) for n in (64, 128, 256) for m in (2, 16, 128, 512, 2048)]


def _losses(n, m):
    codes = torch.randn(1, n, m, requires_grad=True)
    directions = torch.randn(1, DIRECTIONS, m)

    def both(name):
        value = gaussian.distance(name, codes, directions)
        (slope,) = torch.autograd.grad(value.sum(), codes)
        return slope

    return [Variant(name, lambda name=name: both(name)) for name in NAMES]


def compare():
    lines = [f"| n | M | product, ms | {' | '.join(NAMES)} |", "| --- " * (3 + len(NAMES)) + "|"]
    worst = {}
    for n, m in SIZES:
        a, b = torch.randn(m, n), torch.randn(n, min(n, m))
        variants = [Variant("product", lambda a=a, b=b: torch.mm(a, b))]
        variants += _losses(n, m)
        times = measure(variants, rounds=5, seconds=0.05)
        medians = {name: statistics.median(ratios(times, name, "product")) for name in NAMES}
        if m >= 128:
            worst = {name: max(medians[name], worst.get(name, 0)) for name in NAMES}
        cells = " | ".join(f"{medians[name]:.1f}" for name in NAMES)
        lines.append(f"| {n} | {m} | {statistics.median(times['product']) * 1e3:.4f} | {cells} |")
    return "\n".join(lines), worst
