"""What a run costs before and beside its steps: starting, compiling, memory."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FIRST_STEP = """
import torch
from benchmarks.step import ours
torch.set_num_threads(1)
ours("iid-gan", {seeds}, "{executor}").once()
"""
TRAINING = """
import os, time
start = time.perf_counter()
import iidgan

def listener(news, tick):
    if tick is not None:
        print(time.perf_counter() - start - tick.seconds, flush=True)
        os._exit(0)

run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan())
iidgan.train(run, out="{out}/run", seeds={seeds}, executor="compiled", listener=listener)
"""
MEMORY = """
from benchmarks.start import peak
from benchmarks.step import ours
ours("iid-gan", {seeds}, "eager").once()
print(peak())
"""


def peak():
    """MiB that this process has had at most; getrusage would count what started it."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def run_apart(code, **environment):
    command = [sys.executable, "-c", code]
    start = time.perf_counter()
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return time.perf_counter() - start, answer.stdout


def _until_first_step(seeds, times=3, **environment):
    """Seconds from the start of a training, imports included, until its first step."""
    found = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as out:
            text = run_apart(TRAINING.format(out=out, seeds=seeds), **environment)[1]
            found.append(float(text.split()[-1]))
    return statistics.median(found)


def _median(code, times=3, **environment):
    return statistics.median(run_apart(code, **environment)[0] for _ in range(times))


def compare(seeds=5):
    """Seconds until the first step is done, of whole processes; MiB per seed."""
    eager, compiled = (FIRST_STEP.format(seeds=seeds, executor=e) for e in ("eager", "compiled"))
    with tempfile.TemporaryDirectory() as place:
        where = {"TORCHINDUCTOR_CACHE_DIR": place, "XDG_CACHE_HOME": place}
        cold = run_apart(compiled, **where)[0]
        found = {
            "`iidgan --help`": _median("import iidgan.cli as c; c.main(['--help'])"),
            "`import torch`": _median("import torch"),
            "first step, eager": _median(eager),
            "first step, compiled, cold cache": cold,
            "first step, compiled, warm cache": _median(compiled, **where),
            "`iidgan.train`, until the first step, warm cache": _until_first_step(seeds, **where),
        }
    few, many = (float(run_apart(MEMORY.format(seeds=s))[1].split()[-1]) for s in (1, 41))
    lines = ["| what | seconds |", "| --- | --- |"]
    lines += [f"| {name} | {value:.2f} |" for name, value in found.items()]
    lines += [
        "",
        f"Memory: {few:.0f} MiB with one seed, {(many - few) / 40:.1f} MiB more for each.",
    ]
    return "\n".join(lines), found["`iidgan.train`, until the first step, warm cache"]
