"""Fair timing on a noisy machine.

Every round times each variant once, in turn, so that what disturbs the machine disturbs all; what
counts is the median over rounds of the ratio to the first variant in the same round.
"""

import os
import platform
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

import numpy as np
import torch

from iidgan.utils.processes import num_cores


@contextmanager
def one_core():
    """Keeps this process on one core, whatever threads a library starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Variant:
    """What is timed: `once` does `work` units, such as steps times seeds."""

    name: str
    once: object
    work: float = 1.0


def measure(variants, *, rounds=11, seconds=0.4, clock=time.perf_counter):
    """Times all variants; gives seconds per unit of work, by name, one value a round.

    With 0 seconds, each runs once a round, without a run before. `time.process_time` as the clock
    counts CPU seconds, which other processes disturb less.
    """
    calls = {variant.name: _calls(variant, seconds, clock) for variant in variants}
    times = {variant.name: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            count = calls[variant.name]
            seconds_of_calls = _time(variant.once, count, clock)
            times[variant.name].append(seconds_of_calls / count / variant.work)
    return times


def _calls(variant, seconds, clock):
    """Finds how many calls take about as long as asked, after a first one."""
    if seconds == 0:
        return 1
    variant.once()
    return max(1, round(seconds / max(_time(variant.once, 3, clock) / 3, 1e-7)))


def _time(once, count, clock):
    start = clock()
    for _ in range(count):
        once()
    return clock() - start


def ratios(times, name, base):
    """The ratio of two variants in each round."""
    return [a / b for a, b in zip(times[name], times[base])]


def table(times, *, unit, scale=1e3, base=None, extra=None):
    """Lines of a Markdown table: median, its unit, how many times faster than `base`."""
    base = base or next(iter(times))
    extra = extra or {}
    head = ["variant", unit, f"times as fast as {base}", *next(iter(extra.values()), {})]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for name, values in times.items():
        faster = statistics.median(ratios(times, base, name))
        cells = [name, f"{statistics.median(values) * scale:.3g}", f"{faster:.2f}"]
        cells += extra.get(name, {}).values()
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def describe_machine():
    """Describe everything that the numbers depend on."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    jax = f"JAX {metadata.version('jax')}, " if find_spec("jax") else ""
    return (
        f"torch {torch.__version__}, numpy {np.__version__}, {jax}"
        f"Python {platform.python_version()}, "
        f"{torch.get_num_threads()} thread(s) a process, {num_cores()} cores "
        f"({torch.backends.cpu.get_cpu_capability()}), load {load}"
    )
