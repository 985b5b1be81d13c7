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
from iidgan.engine.compile.capture import Compiled
from iidgan.engine.compile.inductor import code_for_python
from iidgan.methods import METHODS
from iidgan.training.context import Game
from iidgan.training.plan import prepare

SCAN = 20  # steps of a call into JAX


def game(method, seeds, device="cpu"):
    run = Run(source=Ring(), method=METHODS[method]())
    return Game.of(run, range(seeds), run.source.load().to(device), torch.device(device))


def taking(played, executor):
    """The engine's loop, without its log: a function that takes the next step."""
    return looped(played, prepare(executor, played)[0])


def looped(played, step):
    state, run = played.state, played.run

    def once():
        state.set_rate(run.optimiser.rate(state.step, run.steps))
        step(played.batches.at(state.step))
        state.step = (state.step + 1) % run.steps

    return once


def ours(method, seeds, executor):
    once = taking(game(method, seeds), executor)
    return Variant(f"{executor}, {seeds} seed{'s' * (seeds > 1)}", once, seeds)


def plain(method, *, loader):
    trainer = PLAIN[method](Ring().load().x, loader=loader)
    return Variant("plain loop, DataLoader" if loader else "plain loop", trainer.step)


def peer(method, seeds):
    from benchmarks.jax_baseline import many_steps

    once = many_steps(method, Ring().load().x, seeds=seeds, steps=SCAN)
    return Variant(f"JAX jit and scan, {seeds} seed{'s' * (seeds > 1)}", once, seeds * SCAN)


def flops(method):
    """Counts the floating-point operations of matrix products in a step of one seed."""
    played = game(method, 1)
    batches = played.batches.at(0)
    played.move(batches)
    with _Products() as counter:
        played.move(batches)
    return counter.flops


class _Products(TorchDispatchMode):
    """Counts as PyTorch's counter does, without the hooks that inner gradients break."""

    def __init__(self):
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if count := flop_registry.get(function.overloadpacket):
            self.flops += count(*args, **(kwargs or {}), out_val=result)
        return result


def matrices(size=1024):
    a, b = torch.randn(size, size), torch.randn(size, size)
    return Variant("matrix product", lambda: torch.mm(a, b), 2 * size**3)


def compare(method, seeds=(1, 5, 10), *, jax=True):
    """A table of one method; by variant, how many times as fast as a plain loop, and the floor."""
    variants = [plain(method, loader=True), plain(method, loader=False), matrices()]
    variants += [ours(method, s, name) for name in ("eager", "compiled") for s in seeds]
    if jax:
        variants += [peer(method, s) for s in seeds]
    times = measure(variants)
    rate = times.pop("matrix product")
    work = flops(method)
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
    """Where the time of a step goes, by operation."""
    played = game(method, seeds)
    once = looped(played, _seen(played) if executor == "compiled" else played.move)
    return operations(once, times=30, rows=8)


def _seen(played):
    """The generated code called from Python, since the profiler does not look into libraries."""
    return Compiled.record(played.move, played.batches.at(0), generate=code_for_python)
