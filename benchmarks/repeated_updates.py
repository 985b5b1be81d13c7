"""What it saves to compile the update of a player once that is updated several times per step."""

import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from unittest import mock

import torch

from benchmarks.cold_start import cache_in
from benchmarks.step import create_context, loop_steps
from iidgan.engine.compile import CompiledStep
from iidgan.engine.compile.capture import capture_and_compile
from iidgan.engine.step import StepSegment, TrainStep

STEPS_PER_BLOCK = 5


class UnrolledStep(TrainStep):
    """A step as one graph, in which the updates of a player follow each other."""

    @property
    def segments(self):
        whole_step = (slice(0, self.num_batches),)
        has_ema = self.state.ema_nets is not None
        return [StepSegment(self, self.active_players, whole_step, updates_ema=has_ema)]


VARIANTS = {"one graph": UnrolledStep, "repeated updates once": TrainStep}


@contextmanager
def empty_cache():
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, cache_in(folder)),
    ):
        yield


def cpu_seconds():
    """CPU seconds of this process and of those that it has waited for, such as compilers."""
    usages = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def compile_cold(method, seeds, step_type):
    """Return a function that takes the next step, and the CPU seconds of compiling it."""
    context = create_context(method, seeds)
    run, example = context.run, context.batches.batches_at(0)
    step = step_type(run.method, context.state, steps=run.steps, ema=run.ema)
    with empty_cache():
        start = cpu_seconds()
        compiled_step = CompiledStep.capture(step, example)
        seconds = cpu_seconds() - start
    return loop_steps(context, compiled_step), seconds


def time_blocks(once_by_name, rounds):
    """CPU seconds per step of each variant, in turn, one value a round."""
    times = {name: [] for name in once_by_name}
    for round_index in range(rounds + 1):
        for name, once in once_by_name.items():
            start = time.process_time()
            for _ in range(STEPS_PER_BLOCK):
                once()
            if round_index > 0:  # the first fills the processor's caches
                times[name].append((time.process_time() - start) / STEPS_PER_BLOCK)
    return times


def compare(method="ivgan", seeds=5, rounds=7):
    """Return a table, and the ratios of compiling and of a step to those of one graph."""
    with empty_cache():  # imports the compiler, and compiles the headers of generated code
        capture_and_compile(lambda x: [x + 1], [torch.ones(1)])
    once_by_name, compile_times = {}, {}
    for name, step_type in VARIANTS.items():
        once_by_name[name], compile_times[name] = compile_cold(method, seeds, step_type)
    step_times = time_blocks(once_by_name, rounds)
    lines = ["| compiled as | compiling, CPU s | a step, CPU ms |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {compile_times[name]:.0f} | {1e3 * statistics.median(step_times[name]):.3g} |"
        for name in VARIANTS
    ]
    before, after = VARIANTS
    step_ratios = [b / a for a, b in zip(step_times[before], step_times[after])]
    facts = {
        "compiling": compile_times[after] / compile_times[before],
        "step": statistics.median(step_ratios),
    }
    return "\n".join(lines), facts


def main():
    torch.set_num_threads(1)
    method, seeds = sys.argv[1:] or ("ivgan", 5)
    text, facts = compare(method, int(seeds))
    print(text, "", *(f"{name}: {ratio:.2f}" for name, ratio in facts.items()), sep="\n")


if __name__ == "__main__":
    main()
