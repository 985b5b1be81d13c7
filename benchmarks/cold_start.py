"""What a run costs before and beside its steps: starting, compiling, memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
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
from benchmarks.cold_start import peak
from benchmarks.step import ours
ours("iid-gan", {seeds}, "eager").once()
print(peak())
"""
TRAIN = ["-m", "iidgan", "train", "ring", "--method", "iid-gan", "--executor", "compiled"]


def peak():
    """MiB that this process has had at most; getrusage would count what started it."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def run_apart(*arguments, **environment):
    """Runs Python; gives the seconds that it took, and what it printed."""
    command = [sys.executable, *arguments]
    start = time.perf_counter()
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return time.perf_counter() - start, answer.stdout


def cache_in(place):
    """The environment of a process that keeps generated code in `place`."""
    return {"TORCHINDUCTOR_CACHE_DIR": place, "XDG_CACHE_HOME": place}


def _until_first_step(seeds, **environment):
    """Seconds from the start of a training, imports included, until its first step."""
    with tempfile.TemporaryDirectory() as out:
        text = run_apart("-c", TRAINING.format(out=out, seeds=seeds), **environment)[1]
        return float(text.split()[-1])


def _of_the_command(seeds, workers, **environment):
    """Seconds from the start of `iidgan train` until its first step, by the first line it logs."""
    with tempfile.TemporaryDirectory() as out:
        log = Path(out, "run", "log.jsonl")
        options = [f"--seeds={seeds}", f"--workers={workers}", f"--out={log.parent}"]
        command = [sys.executable, *TRAIN, *options]
        start = time.perf_counter()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, env=os.environ | environment, **quiet) as process:
            while process.poll() is None and not (log.exists() and log.stat().st_size):
                time.sleep(0.01)
            passed = time.perf_counter() - start
            process.terminate()  # it saves and ends, for which `with` waits
        return passed - json.loads(log.read_text().splitlines()[0])["seconds"]


def _median(once, times=3):
    return statistics.median(once() for _ in range(times))


def _seconds(code, **environment):
    return _median(lambda: run_apart("-c", code, **environment)[0])


def _warm(seeds, where):
    """Seconds of second trainings, each in the ways that a user begins one."""
    ways = {"`iidgan.train`": partial(_until_first_step, seeds)}
    for workers in (1, 2):
        ways[f"`iidgan train --workers {workers}`"] = partial(_of_the_command, seeds, workers)
    found = {}
    for name, way in ways.items():
        way(**where)  # compiles
        found[name] = _median(partial(way, **where))
    return found


def compare(seeds=5):
    """Seconds until a first step, of whole processes, and MiB per seed; warm ones by their way."""
    eager, compiled = (FIRST_STEP.format(seeds=seeds, executor=e) for e in ("eager", "compiled"))
    with tempfile.TemporaryDirectory() as place:
        where = cache_in(place)
        cold = run_apart("-c", compiled, **where)[0]
        found = {
            "`iidgan --help`": _seconds("import iidgan.cli as c; c.main(['--help'])"),
            "`import torch`": _seconds("import torch"),
            "first step, eager": _seconds(eager),
            "first step, compiled, cold cache": cold,
            "first step, compiled, warm cache": _seconds(compiled, **where),
        }
        warm = _warm(seeds, where)
    found |= {f"{name}, until the first step, warm cache": value for name, value in warm.items()}
    few, many = (float(run_apart("-c", MEMORY.format(seeds=s))[1].split()[-1]) for s in (1, 41))
    lines = ["| what | seconds |", "| --- | --- |"]
    lines += [f"| {name} | {value:.2f} |" for name, value in found.items()]
    lines += [
        "",
        f"Memory: {few:.0f} MiB with one seed, {(many - few) / 40:.1f} MiB more for each.",
    ]
    return "\n".join(lines), warm
