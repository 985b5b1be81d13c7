"""Images are converted by several processes only if there is much work."""

from concurrent.futures.process import BrokenProcessPool
from functools import partial

import numpy as np
import pytest

from iidgan.data.prepare import pool
from iidgan.data.prepare.decode import convert_images
from iidgan.data.prepare.pool import CHUNK_IMAGES, process_chunks, split_chunks
from iidgan.data.prepare.reader import RawImage, SkippedImage
from iidgan.data.prepare.resize import ResizeRule
from tests.helpers.images import encode_image, random_images

convert_to_8 = partial(convert_images, resize_rule=ResizeRule(size=8))


def make_raw_images(number):
    return [
        SkippedImage(f"{i}", "gone")
        if i % 50 == 7
        else RawImage(f"{i}", encode_image(random_images(1, 4 + i % 9)[0]))
        for i in range(number)
    ]


@pytest.mark.slow
def test_process_chunks_keeps_order():
    raw_images = make_raw_images(5 * CHUNK_IMAGES + 3)
    sequential, parallel = (
        list(process_chunks(raw_images, convert_to_8, len(raw_images), workers=workers))
        for workers in (1, 2)
    )
    assert len(sequential) == len(parallel) == 6
    for a, b in zip(sequential, parallel):
        assert all(np.array_equal(x, y) for x, y in zip(a.pixels, b.pixels, strict=True))
        assert (a.skipped, a.num_enlarged) == (b.skipped, b.num_enlarged)


class DoneFuture:
    def __init__(self, value):
        self.result = lambda: value


class DeadFuture:
    def result(self):
        raise BrokenProcessPool


class DyingPool:
    """Converts three chunks; then its processes are dead."""

    def __init__(self, *arguments, **options):
        self.remaining_calls = 3

    def submit(self, call, *arguments):
        self.remaining_calls -= 1
        return self.fail() if self.remaining_calls < 0 else DoneFuture(call(*arguments))

    def fail(self):
        return DeadFuture()

    def shutdown(self, **options):
        pass


class RefusingPool(DyingPool):
    """As the executor behaves after it has noticed that a process is dead."""

    def fail(self):
        raise BrokenProcessPool


class ServerlessPool(DyingPool):
    """As when the server that forks workers is dead."""

    def fail(self):
        raise EOFError


@pytest.mark.parametrize("pool_class", [DyingPool, RefusingPool, ServerlessPool])
def test_process_chunks_survives_dead_workers(monkeypatch, pool_class):
    """As on a machine out of memory."""
    raw_images = make_raw_images(20 * CHUNK_IMAGES)
    sequential = process_chunks(raw_images, convert_to_8, len(raw_images), workers=1)
    monkeypatch.setattr(pool, "ProcessPoolExecutor", pool_class)
    chunks = list(process_chunks(raw_images, convert_to_8, len(raw_images), workers=2))
    assert sum(len(part.pixels) + len(part.skipped) for part in chunks) == len(raw_images)
    assert [len(part.pixels) for part in chunks] == [len(part.pixels) for part in sequential]


def test_process_chunks_starts_no_process(monkeypatch):
    def refuse(*arguments):
        raise AssertionError

    monkeypatch.setattr(pool, "ProcessPoolExecutor", refuse)
    assert len(list(process_chunks(make_raw_images(200), convert_to_8, 200))) == 4
    assert list(process_chunks([], convert_to_8, None)) == []


def test_split_chunks_limits_bytes(monkeypatch):
    monkeypatch.setattr(pool, "CHUNK_BYTES", 1000)
    raw_images = [RawImage(f"{i}", bytes(400)) for i in range(7)]
    assert [len(chunk) for chunk in split_chunks(raw_images)] == [3, 3, 1]
