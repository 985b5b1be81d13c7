"""What a run costs before and beside its steps: starting, compiling, memory."""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

FIRST_STEP = """
import torch
from benchmarks.step import time_engine
torch.set_num_threads(1)
time_engine("iid-gan", {seeds}, "{executor}").once()
"""
TRAINING = """
import os, time
start = time.perf_counter()
import iidgan

def print_time(message, record):
    if record is not None:
        print(time.perf_counter() - start - record.seconds, flush=True)
        os._exit(0)

run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan())
iidgan.train(run, out="{out}/run", seeds={seeds}, executor="compiled", on_progress=print_time)
"""
MEMORY = """
from benchmarks.cold_start import peak
from benchmarks.step import time_engine
time_engine("iid-gan", {seeds}, "eager").once()
print(peak())
"""
IMPORTS = {
    "`import iidgan`": "import iidgan",
    "`import iidgan` and the names of a training": "import iidgan; iidgan.Run, iidgan.train",
}
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


def _cpu_seconds(code):
    """CPU seconds of a fresh process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_apart("-c", code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _import_ratios(rounds=11):
    """CPU time of imports over that of torch, in turns; medians by name."""
    ratios = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        torch_seconds = _cpu_seconds("import torch")
        for name, code in IMPORTS.items():
            ratios[name].append(_cpu_seconds(code) / torch_seconds)
    return {name: statistics.median(values) for name, values in ratios.items()}


def cache_in(cache_folder):
    """The environment of a process that keeps generated code in `cache_folder`."""
    return {"TORCHINDUCTOR_CACHE_DIR": cache_folder, "XDG_CACHE_HOME": cache_folder}


def _time_first_step(seeds, **environment):
    """Seconds from the start of a training, imports included, until its first step."""
    with tempfile.TemporaryDirectory() as out:
        text = run_apart("-c", TRAINING.format(out=out, seeds=seeds), **environment)[1]
        return float(text.split()[-1])


def _time_command(seeds, workers, **environment):
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


def _warm(seeds, environment):
    """Seconds of second trainings, each with each way to start one."""
    time_starts = {"`iidgan.train`": partial(_time_first_step, seeds)}
    for workers in (1, 2):
        time_starts[f"`iidgan train --workers {workers}`"] = partial(_time_command, seeds, workers)
    seconds_by_name = {}
    for name, time_start in time_starts.items():
        time_start(**environment)  # compiles
        seconds_by_name[name] = _median(partial(time_start, **environment))
    return seconds_by_name


def compare(seeds=5):
    """Return a table, seconds until the first step with a warm cache, and a ratio of imports."""
    import_ratios = _import_ratios()
    eager, compiled = (FIRST_STEP.format(seeds=seeds, executor=e) for e in ("eager", "compiled"))
    with tempfile.TemporaryDirectory() as cache_folder:
        environment = cache_in(cache_folder)
        cold = run_apart("-c", compiled, **environment)[0]
        seconds_by_name = {
            "`iidgan --help`": _seconds("import iidgan.cli as c; c.main(['--help'])"),
            "`import torch`": _seconds("import torch"),
            "first step, eager": _seconds(eager),
            "first step, compiled, cold cache": cold,
            "first step, compiled, warm cache": _seconds(compiled, **environment),
        }
        warm = _warm(seeds, environment)
    seconds_by_name |= {
        f"{name}, until the first step, warm cache": value for name, value in warm.items()
    }
    few, many = (float(run_apart("-c", MEMORY.format(seeds=s))[1].split()[-1]) for s in (1, 41))
    lines = ["| what | seconds |", "| --- | --- |"]
    lines += [f"| {name} | {value:.2f} |" for name, value in seconds_by_name.items()]
    lines += [
        "",
        *(f"CPU time of {name}: {r:.2f} of `import torch`." for name, r in import_ratios.items()),
        "",
        f"Memory: {few:.0f} MiB with one seed, {(many - few) / 40:.1f} MiB more for each.",
    ]
    return "\n".join(lines), warm, import_ratios["`import iidgan`"]
