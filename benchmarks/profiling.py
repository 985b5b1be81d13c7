"""Where the time of a computation goes."""

import torch


def operations(once, *, times, rows):
    """A table of the operations that take most of the CPU's time, for each call of `once`."""
    once()  # the first makes what later ones find
    with torch.profiler.profile() as profile:
        for _ in range(times):
            once()
    events = sorted(profile.key_averages(), key=lambda e: -e.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    lines = ["| operation | calls | share % |", "| --- | --- | --- |"]
    lines += [
        f"| {_named(e.key)} | {e.count / times:.0f} | {100 * e.self_cpu_time_total / total:.1f} |"
        for e in events[:rows]
    ]
    return "\n".join(lines)


def _named(key):
    return "generated code, and its calls" if "CompiledFxGraph" in key else key
