"""Images converted in order, on all cores where that is worth starting processes for."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from multiprocessing.connection import wait

from iidgan.data.prepare.decode import Converted, convert
from iidgan.data.prepare.reader import Item, Skip
from iidgan.data.prepare.resize import Rule
from iidgan.utils.processes import deaf, num_cores

CHUNK, CHUNK_BYTES = 64, 1 << 24
"""Images, and bytes, that are handed over at once."""
WORTH = 8.0
"""Seconds of work for which processes are started: each imports the library for a few."""

Chunk = list[Item | Skip]


def chunked(items: Iterable[Item | Skip]) -> Iterator[Chunk]:
    """Groups items, few of them where they are large."""
    chunk, size = Chunk(), 0
    for item in items:
        chunk.append(item)
        size += item.size if isinstance(item, Item) else 0
        if len(chunk) == CHUNK or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = Chunk(), 0
    if chunk:
        yield chunk


def converted(
    items: Iterable[Item | Skip], rule: Rule, total: int | None, *, workers: int | None = None
) -> Generator[Converted, None, None]:
    """Converts all items in their order.

    Arguments:
        items: What to convert.
        rule: To which size.
        total: How many there are, where that is known.
        workers: Processes; by default as many as there are cores, where the work is worth it.
    """
    chunks, cores = chunked(items), workers or num_cores()
    done, spent = 0, 0.0
    for chunk in chunks:
        start = time.perf_counter()
        yield convert(chunk, rule)
        spent += time.perf_counter() - start
        done += len(chunk)
        left = spent if total is None else spent / done * (total - done)
        if cores > 1 and (workers is not None or left > WORTH):
            yield from _shared(chunks, rule, cores)


def _shared(chunks: Iterator[Chunk], rule: Rule, workers: int) -> Iterator[Converted]:
    """Converts in processes; in this one what is left if one of them is killed."""
    waiting: deque[tuple[Chunk, Future[Converted]]] = deque()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_start)
    try:
        for chunk in chunks:
            with deaf([signal.SIGINT]):  # which may come while it imports
                waiting.append((chunk, pool.submit(convert, chunk, rule)))
            if len(waiting) >= 2 * workers + 2:
                yield waiting[0][1].result()
                waiting.popleft()
        while waiting:
            yield waiting[0][1].result()
            waiting.popleft()
    except BrokenProcessPool:
        yield from (convert(chunk, rule) for chunk in chain((c for c, _ in waiting), chunks))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    """Ends a process with its parent."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
