"""Time per step and seed on the 2D-Ring: the engine, a plain loop, JAX, and the floor."""

import statistics

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.profiling import operations
from benchmarks.timing import Variant, measure, ratios, table
from benchmarks.torch_baseline import PLAIN
from iidgan.config.run import Run
from iidgan.data import Ring
from iidgan.engine.compile.capture import CompiledStep
from iidgan.engine.compile.inductor import compile_with_wrapper
from iidgan.methods import METHODS
from iidgan.training.context import TrainContext
from iidgan.training.plan import build_step

STEPS_PER_SCAN = 20  # steps of a call into JAX


def create_context(method, seeds, device="cpu"):
    run = Run(source=Ring(), method=METHODS[method]())
    return TrainContext.create(
        run, range(seeds), run.source.load().to(device), torch.device(device)
    )


def build_stepper(context, executor):
    """Return a function that takes the next step as the engine does, without logging."""
    return loop_steps(context, build_step(executor, context)[0])


def loop_steps(context, step):
    state, run = context.state, context.run

    def once():
        state.set_lr(run.optimiser.lr_at(state.step, run.steps))
        step(context.batches.batches_at(state.step))
        state.step = (state.step + 1) % run.steps

    return once


def time_engine(method, seeds, executor):
    once = build_stepper(create_context(method, seeds), executor)
    return Variant(f"{executor}, {seeds} seed{'s' * (seeds > 1)}", once, seeds)


def time_plain_loop(method, *, loader):
    trainer = PLAIN[method](Ring().load().x, loader=loader)
    return Variant("plain loop, DataLoader" if loader else "plain loop", trainer.step)


def time_jax(method, seeds):
    from benchmarks.jax_baseline import many_steps

    once = many_steps(method, Ring().load().x, seeds=seeds, steps=STEPS_PER_SCAN)
    return Variant(
        f"JAX jit and scan, {seeds} seed{'s' * (seeds > 1)}", once, seeds * STEPS_PER_SCAN
    )


def count_flops(method):
    """Count the floating-point operations of matrix products in a step of one seed."""
    context = create_context(method, 1)
    batches = context.batches.batches_at(0)
    context.train_step(batches)
    with FlopCounter() as counter:
        context.train_step(batches)
    return counter.flops


class FlopCounter(TorchDispatchMode):
    """Counts as PyTorch's counter does, without its hooks, which fail with inner gradients."""

    def __init__(self):
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if count := flop_registry.get(function.overloadpacket):
            self.flops += count(*args, **(kwargs or {}), out_val=result)
        return result


def time_matrix_product(size=1024):
    a, b = torch.randn(size, size), torch.randn(size, size)
    return Variant("matrix product", lambda: torch.mm(a, b), 2 * size**3)


def compare(method, seeds=(1, 5, 10), *, jax=True):
    """Return a table, and by variant the speedup over a plain loop and the ratio to the floor."""
    variants = [
        time_plain_loop(method, loader=True),
        time_plain_loop(method, loader=False),
        time_matrix_product(),
    ]
    variants += [time_engine(method, s, name) for name in ("eager", "compiled") for s in seeds]
    if jax:
        variants += [time_jax(method, s) for s in seeds]
    times = measure(variants)
    rate = times.pop("matrix product")
    work = count_flops(method)
    floor = {
        name: statistics.median(t / (work * r) for t, r in zip(values, rate))
        for name, values in times.items()
    }
    extra = {name: {"times the floor": f"{value:.2f}"} for name, value in floor.items()}
    text = table(times, unit="ms a step and seed", extra=extra)
    line = (
        f"A step of one seed is {work / 1e6:.0f} MFLOP of matrix products; a product of "
        f"1024 x 1024 ran at {1e-9 / statistics.median(rate):.0f} GFLOP/s beside it."
    )
    base = "plain loop, DataLoader"
    facts = {
        name: (statistics.median(ratios(times, base, name)), value)
        for name, value in floor.items()
    }
    return f"{text}\n\n{line}", facts


def profile(executor, method="iid-gan", seeds=5):
    """Profile a step by operation."""
    context = create_context(method, seeds)
    once = loop_steps(
        context, _record_python_code(context) if executor == "compiled" else context.train_step
    )
    return operations(once, times=30, rows=8)


def _record_python_code(context):
    """The generated code called from Python, since the profiler does not look into libraries."""
    return CompiledStep.capture(
        context.train_step, context.batches.batches_at(0), graph_compiler=compile_with_wrapper
    )
