"""Preparing a folder of images, and what data cost a step that reads them from the disk."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.timing import Variant, measure, ratios, table
from iidgan.config.defaults import recommended
from iidgan.data import prepared
from iidgan.training.context import TrainContext
from iidgan.utils.processes import num_cores

NUMBER, SIDE = 10_000, 64


def write_images(folder, number=NUMBER, side=SIDE):
    """Writes PNGs that compress as photographs do: smooth, with some noise."""
    draw = np.random.default_rng(0)
    for i in range(number):
        coarse = Image.fromarray(draw.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), dtype=np.int16)
        noisy = smooth + draw.integers(-6, 7, (side, side, 3), dtype=np.int16)
        path = Path(folder, f"{i % 10}", f"{i:05}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path)


def seconds(origin, root, *options):
    """Seconds of a whole `iidgan prepare`, the start of the program included."""
    command = [sys.executable, "-m", "iidgan", "prepare", "photos", "--from", origin]
    start = time.perf_counter()
    subprocess.run([*command, "--root", root, *options], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def share(source, method="gan", steps=40):
    """The part of a step that goes into its batches, on one thread of the CPU."""
    run = recommended(source, method)
    data = source.load()
    context = TrainContext.create(run, (0,), data, torch.device("cpu"))
    for_data, whole = 0.0, 0.0
    for step in range(steps + 4):
        start = time.perf_counter()
        batches = context.batches.batches_at(step)
        drawn = time.perf_counter()
        context.train_step(batches)
        if step >= 4:
            for_data += drawn - start
            whole += time.perf_counter() - start
    return for_data / whole


def streamed(source, batch=64):
    """Batches out of the mapped file, and out of memory, in turn."""
    mapped = source.load()
    in_memory = torch.empty_like(mapped.x).copy_(mapped.x)
    draw = torch.Generator().manual_seed(0)

    def gather(x):
        return lambda: x[torch.randint(len(x), (batch,), generator=draw)].float() / 127.5 - 1

    variants = [Variant("memory", gather(in_memory)), Variant("mapped file", gather(mapped.x))]
    return measure(variants)


def compare():
    with tempfile.TemporaryDirectory() as work_dir:
        folder, root = f"{work_dir}/photos", f"{work_dir}/sets"
        write_images(folder)
        first_seconds, second_seconds = seconds(folder, root), seconds(folder, root)
        source = prepared("photos", root)
        parts = {name: share(source, name) for name in ("gan", "iid-gan")}
        times = streamed(source)
    lines = [
        f"* {NUMBER:,} PNGs of {SIDE} pixels in {first_seconds:.1f} s, {num_cores()} cores; "
        f"the same command again takes {second_seconds:.1f} s",
        *(f"* data take {100 * part:.2f} % of a step of {name}" for name, part in parts.items()),
        "",
        table(times, unit="ms a batch of 64"),
    ]
    facts = {
        "seconds": first_seconds,
        "share": max(parts.values()),
        "mapped": statistics.median(ratios(times, "mapped file", "memory")),
    }
    return "\n".join(lines), facts


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(compare()[0])
