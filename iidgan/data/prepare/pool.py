"""Work on chunks of images in order, on all cores if there is enough for several processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

from iidgan.data.prepare.reader import RawImage, SkippedImage
from iidgan.utils.processes import (
    STOP_SIGNALS,
    blocked_signals,
    check_main_guard,
    num_cores,
    worker_context,
)

CHUNK_IMAGES, CHUNK_BYTES = 64, 1 << 24
"""Maximum number of images, and bytes after which a chunk is full."""
MIN_POOL_SECONDS = 8.0
"""Seconds of remaining work above which processes are started, which takes a few."""

Chunk = list[RawImage | SkippedImage]
ResultT = TypeVar("ResultT")


def split_chunks(raw_images: Iterable[RawImage | SkippedImage]) -> Iterator[Chunk]:
    """Group images into chunks of at most 64, and of fewer if they are large.

    Arguments:
        raw_images: The images.

    Examples:
        >>> images = (RawImage(f"image {i}", b"") for i in range(100))
        >>> [len(chunk) for chunk in split_chunks(images)]
        [64, 36]
    """
    chunk, chunk_bytes = Chunk(), 0
    for raw_image in raw_images:
        chunk.append(raw_image)
        chunk_bytes += raw_image.num_bytes if isinstance(raw_image, RawImage) else 0
        if len(chunk) == CHUNK_IMAGES or chunk_bytes >= CHUNK_BYTES:
            yield chunk
            chunk, chunk_bytes = Chunk(), 0
    if chunk:
        yield chunk


def process_chunks(
    raw_images: Iterable[RawImage | SkippedImage],
    process_chunk: Callable[[Chunk], ResultT],
    num_images: int | None,
    *,
    workers: int | None = None,
) -> Generator[ResultT, None, None]:
    """Yield the result of a function for each chunk of images, in order.

    Arguments:
        raw_images: Images to process.
        process_chunk: Function of some images; it is sent to other processes.
        num_images: Number of images, if it is known.
        workers: Number of processes; None: one per core if there is enough work.
    """
    chunks, num_workers = split_chunks(raw_images), workers or num_cores()
    num_done, seconds = 0, 0.0
    for chunk in chunks:
        start = time.perf_counter()
        yield process_chunk(chunk)
        seconds += time.perf_counter() - start
        num_done += len(chunk)
        # Without a known number, as much work is expected to come as has been done.
        remaining_seconds = (
            seconds if num_images is None else seconds / num_done * (num_images - num_done)
        )
        if num_workers > 1 and (workers is not None or remaining_seconds > MIN_POOL_SECONDS):
            yield from _process_in_processes(chunks, process_chunk, num_workers)


def _process_in_processes(
    chunks: Iterator[Chunk], process_chunk: Callable[[Chunk], ResultT], workers: int
) -> Iterator[ResultT]:
    """Work in several processes; if one of them is killed, continue in this process.

    Raises:
        InputError: The main script has no guard.
    """
    pending: deque[tuple[Chunk, Future[ResultT]]] = deque()
    context = worker_context("iidgan.data.prepare.decode")
    pool = ProcessPoolExecutor(workers, context, initializer=_exit_with_parent)
    unsubmitted: list[Chunk] = []
    processes: set[BaseProcess] = set()
    try:
        for chunk in chunks:
            unsubmitted = [chunk]
            # Signals may arrive while a process imports.
            with blocked_signals(STOP_SIGNALS), _broken_without_server():
                pending.append((chunk, pool.submit(process_chunk, chunk)))
            unsubmitted = []
            processes.update(multiprocessing.active_children())
            if len(pending) >= 2 * workers + 2:
                yield pending[0][1].result()
                pending.popleft()
        while pending:
            yield pending[0][1].result()
            pending.popleft()
    except BrokenProcessPool:
        pool.shutdown(wait=True, cancel_futures=True)  # after which all exit codes are known
        for process in processes:
            check_main_guard(process.exitcode)
        unfinished = chain((chunk for chunk, _ in pending), unsubmitted, chunks)
        yield from map(process_chunk, unfinished)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _broken_without_server() -> Iterator[None]:
    """Treat the end of the server that is forked, as without memory, like that of a worker."""
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise BrokenProcessPool from error


def _exit_with_parent() -> None:
    """Start a thread that ends this process when its parent ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_parent() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait_for_parent, daemon=True).start()
