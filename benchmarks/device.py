"""Steps on a CUDA device: `python -m benchmarks.device`, on a device that does nothing else."""

import statistics
import time

import torch

from benchmarks.step import build_stepper, create_context
from benchmarks.timing import Variant, measure

EXECUTORS = ("eager", "graphed", "compiled")
METHODS = ("gan", "veegan", "iid-gan", "unrolled")
STACKS = (5, 10, 20)  # seeds side by side
STEPS_PER_SYNC = 50  # steps between waits for the device
HEAD = "| method, executor, seeds | ms a step | kernels | us of the device | s to prepare |"


def prepare_case(method, executor, seeds, device):
    """Return a function that takes `STEPS_PER_SYNC` steps, and the seconds to build it."""
    context = create_context(method, seeds, device)
    start = time.perf_counter()
    once = build_stepper(context, executor)

    def many():
        for _ in range(STEPS_PER_SYNC):
            once()
        torch.cuda.synchronize()

    many()
    return many, time.perf_counter() - start


def kernels(many):
    """Count the kernels of a step and the microseconds they take on the device."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        many()
    events = profile.key_averages()
    number, time_us = (sum(values) / STEPS_PER_SYNC for values in zip(*map(_count, events)))
    return number, time_us


def _count(event):
    return event.count, event.self_device_time_total


def compare(device="cuda"):
    """A table of all methods and executors with five seeds, and of IID-GAN's larger stacks."""
    cases = [(method, executor, 5) for method in METHODS for executor in EXECUTORS]
    cases += [("iid-gan", "compiled", seeds) for seeds in STACKS[1:]]
    prepared_cases = {case: prepare_case(*case, device) for case in cases}
    variants = [Variant(case, many, STEPS_PER_SYNC) for case, (many, _) in prepared_cases.items()]
    times = measure(variants, rounds=5)
    lines = [HEAD, "| --- | --- | --- | --- | --- |"]
    for case, (many, seconds) in prepared_cases.items():
        number, time_us = kernels(many)
        lines.append(
            f"| {', '.join(map(str, case))} | {1e3 * statistics.median(times[case]):.3f} "
            f"| {number:.0f} | {time_us:.0f} | {seconds:.1f} |"
        )
    return "\n".join([f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n", *lines])


if __name__ == "__main__":
    print(compare())
