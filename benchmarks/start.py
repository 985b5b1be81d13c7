"""What a run costs before and beside its steps: starting, compiling, memory."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

FIRST_STEP = """
import torch
from benchmarks.step import ours
torch.set_num_threads(1)
ours("iid-gan", {seeds}, "{executor}").once()
"""
MEMORY = """
import resource
from benchmarks.step import ours
variant = ours("iid-gan", {seeds}, "eager")
variant.once()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _run(code, **environment):
    command = [sys.executable, "-c", code]
    start = time.perf_counter()
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return time.perf_counter() - start, answer.stdout


def _median(code, times=3, **environment):
    return statistics.median(_run(code, **environment)[0] for _ in range(times))


def compare(seeds=5):
    """Seconds until the first step is done, of whole processes; MiB per seed."""
    eager, compiled = (FIRST_STEP.format(seeds=seeds, executor=e) for e in ("eager", "compiled"))
    with tempfile.TemporaryDirectory() as place:
        where = {"TORCHINDUCTOR_CACHE_DIR": place, "XDG_CACHE_HOME": place}
        cold = _run(compiled, **where)[0]
        found = {
            "`iidgan --help`": _median("import iidgan.cli as c; c.main(['--help'])"),
            "`import torch`": _median("import torch"),
            "first step, eager": _median(eager),
            "first step, compiled, cold cache": cold,
            "first step, compiled, warm cache": _median(compiled, **where),
        }
    few, many = (float(_run(MEMORY.format(seeds=s))[1].split()[-1]) for s in (1, 41))
    lines = ["| what | seconds |", "| --- | --- |"]
    lines += [f"| {name} | {value:.2f} |" for name, value in found.items()]
    lines += [
        "",
        f"Memory: {few:.0f} MiB with one seed, {(many - few) / 40:.1f} MiB more for each.",
    ]
    facts = {"warm": found["first step, compiled, warm cache"] - found["`import torch`"]}
    return "\n".join(lines), facts
