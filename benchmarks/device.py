"""Steps on a CUDA device: `python -m benchmarks.device`, on a device that does nothing else."""

import statistics
import time

import torch

from benchmarks.step import game, taking
from benchmarks.timing import Variant, measure

EXECUTORS = ("eager", "graphed", "compiled")
METHODS = ("gan", "veegan", "iid-gan", "unrolled")
STACKS = (5, 10, 20)  # seeds side by side
AT_ONCE = 50  # steps between waits for the device
HEAD = "| method, executor, seeds | ms a step | kernels | us of the device | s to prepare |"


def prepared(method, executor, seeds, device):
    """Gives what takes `AT_ONCE` steps and waits for them, and the seconds until it could."""
    played = game(method, seeds, device)
    start = time.perf_counter()
    once = taking(played, executor)

    def many():
        for _ in range(AT_ONCE):
            once()
        torch.cuda.synchronize()

    many()
    return many, time.perf_counter() - start


def kernels(many):
    """Counts the kernels of a step and the microseconds that the device works on them."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as found:
        many()
    events = found.key_averages()
    number, time_us = (sum(values) / AT_ONCE for values in zip(*map(_count, events)))
    return number, time_us


def _count(event):
    return event.count, event.self_device_time_total


def compare(device="cuda"):
    """A table of all methods and executors with five seeds, and of IID-GAN's larger stacks."""
    cases = [(method, executor, 5) for method in METHODS for executor in EXECUTORS]
    cases += [("iid-gan", "compiled", seeds) for seeds in STACKS[1:]]
    made = {case: prepared(*case, device) for case in cases}
    variants = [Variant(case, many, AT_ONCE) for case, (many, _) in made.items()]
    times = measure(variants, rounds=5)
    lines = [HEAD, "| --- | --- | --- | --- | --- |"]
    for case, (many, seconds) in made.items():
        number, time_us = kernels(many)
        lines.append(
            f"| {', '.join(map(str, case))} | {1e3 * statistics.median(times[case]):.3f} "
            f"| {number:.0f} | {time_us:.0f} | {seconds:.1f} |"
        )
    return "\n".join([f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n", *lines])


if __name__ == "__main__":
    print(compare())
