"""What commands that train many runs show, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from iidgan.bench.fill import Named
from iidgan.bench.workers import News
from iidgan.cli.progress import Monitor
from iidgan.engine.loop import Stop


@contextmanager
def watched(missing: Named) -> Iterator[tuple[News, Stop]]:
    """Shows trainings as they go on, and takes Ctrl-C as the wish to stop."""
    names = [name for name, _ in missing.values()]
    stop = Stop()
    with stop.listening(), Monitor([run.steps for _, run in missing.values()], names) as monitor:
        yield monitor.tell, stop


def report_endings(endings: Mapping[str, str], stop: Stop) -> int:
    """Says which trainings did not end well; returns the exit code, 0 if all did."""
    for name, ending in endings.items():
        if ending not in ("finished", "diverged"):
            print(f"{name}: {ending}", file=sys.stderr)
    if stop.signal is not None:
        print("the same command again goes on", file=sys.stderr)
        return 128 + stop.signal
    return 1 if any(ending.startswith("failed") for ending in endings.values()) else 0
