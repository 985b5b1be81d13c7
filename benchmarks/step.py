"""Time per step and seed on the 2D-Ring: the engine, a plain loop, JAX, and the floor."""

import statistics
import time

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.interleaved import Variant, measure, ratios, table
from benchmarks.plain import PLAIN
from iidgan.bench.game import Game
from iidgan.bench.plan import prepare
from iidgan.bench.run import Run
from iidgan.data import Ring
from iidgan.engine.compiled import Compiled
from iidgan.engine.generate import code_for_python
from iidgan.methods import METHODS

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
    from benchmarks.peer import many_steps

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
    """A table of one method, and the median times of a step at best over its floor."""
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
    best = min((name for name in times if "JAX" not in name), key=lambda n: floor[n])
    facts = {
        "best": best,
        "faster": statistics.median(ratios(times, base, best)),
        "floor": floor[best],
    }
    return f"{text}\n\n{line}", facts


def profile(executor, method="iid-gan", seeds=5, steps=30):
    """Where the time of a step goes, by operation."""
    played = game(method, seeds)
    once = looped(played, _seen(played) if executor == "compiled" else played.move)
    once()
    with torch.profiler.profile() as found:
        for _ in range(steps):
            once()
    events = sorted(found.key_averages(), key=lambda e: -e.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    lines = ["| operation | calls a step | share % |", "| --- | --- | --- |"]
    lines += [
        f"| {_named(e.key)} | {e.count / steps:.0f} | {100 * e.self_cpu_time_total / total:.1f} |"
        for e in events[:8]
    ]
    return "\n".join(lines)


def _seen(played):
    """The generated code called from Python, since the profiler does not look into libraries."""
    return Compiled.record(played.move, played.batches.at(0), generate=code_for_python)


def _named(key):
    return "generated code, and its calls" if "CompiledFxGraph" in key else key


def whole_machine(workers, method="iid-gan", *, seeds=10, steps=700, rounds=3):
    """Steps of all seeds a second with one process and with several, whole runs in turn."""
    import tempfile

    from iidgan.bench.train import train

    run = Run(source=Ring(), method=METHODS[method](), steps=steps)
    speeds = {1: [], workers: []}
    for _ in range(rounds):
        for number, found in speeds.items():
            times = []

            def listener(news, tick, times=times):
                if tick is not None:
                    times.append((tick.step, time.perf_counter()))

            with tempfile.TemporaryDirectory() as out:
                train(
                    run,
                    out=f"{out}/run",
                    seeds=seeds,
                    workers=number,
                    executor="compiled",
                    checkpoint_every=10**6,
                    listener=listener,
                )
            # The last tick waits for the samples that end a run; the first for the compiler.
            (first, start), (last, end) = times[0], times[-2]
            found.append((last - first) * seeds / (end - start))
    gain = statistics.median(b / a for a, b in zip(speeds[1], speeds[workers]))
    return gain, {number: statistics.median(found) for number, found in speeds.items()}
