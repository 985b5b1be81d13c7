"""What is damaged, and the command that reads it."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shutil
import tarfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from operator import eq
from pathlib import Path
from typing import Any

import numpy as np

from iidgan.cli import main
from iidgan.core import NetworkFactory
from iidgan.engine import checkpoint
from iidgan.engine.state import init_state
from iidgan.training.run_dir import RunDir
from tests.helpers.images import encode_image, random_images, write_files, write_zip

NUM_IMAGES = 12


@dataclass(frozen=True, kw_only=True)
class FuzzCase:
    """Files, and a command that reads them.

    Arguments:
        build: Writes intact files into the working directory.
        pattern: Glob of the files that are damaged.
        arguments: The command.
        read_result: Reads what a successful command made.
        is_right: Compares that on intact files with that on damaged ones.
        is_sealed: Whether the digests in the folder of a damaged file are rewritten to match it.
    """

    build: Callable[[], object]
    pattern: str
    arguments: tuple[str, ...]
    read_result: Callable[[], object] = lambda: None
    is_right: Callable[[Any, Any], bool] = eq
    is_sealed: bool = False


def run_quietly(arguments: tuple[str, ...]) -> tuple[int, str, str]:
    """Run a command; return its exit code, output and errors."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            exit_code = main(list(arguments))
        except SystemExit as exit_request:
            exit_code = int(exit_request.code or 0)
    return exit_code, output.getvalue(), errors.getvalue()


def run_successfully(*arguments: str) -> None:
    exit_code, _, errors = run_quietly(arguments)
    assert exit_code == 0, errors


def write_points() -> None:
    points = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    np.save("points.npy", points)
    np.savez("points.npz", x=points)
    np.savetxt("points.csv", points, delimiter=",", header="a,b", comments="")


TRAIN = ("train", "points.npy", "--steps", "8", "--arch.hidden", "8", "--batch", "16")
TWO_SEEDS = ("--seeds", "2", "--workers", "1")
RESUME = (*TRAIN, "--checkpoint-every", "4", "--out", "run", "--device", "cpu")


def write_run(*options: str) -> None:
    write_points()
    run_successfully(*RESUME, *options)


def write_stopped_run(*options: str) -> None:
    """A run that is resumed at step 4."""
    write_run(*options)
    for path in (*Path("run/checkpoints").glob("*8"), Path("run/generator")):
        for file in path.iterdir():
            file.unlink()
        path.rmdir()


def write_run_of_processes() -> None:
    """The same with two seeds, whose checkpoint is of two processes."""
    write_stopped_run(*TWO_SEEDS)
    run_dir = RunDir(Path("run"))
    (run, seeds), identity = run_dir.read_run(), run_dir.read_identity()
    files = checkpoint.find_latest(run_dir.checkpoint_dir, identity).files
    for seed in seeds:
        factory = NetworkFactory(run.arch, (2,))
        state = init_state(run.method, factory, run.optimiser, (seed,))
        checkpoint.load_state(state, (seed,), files)
        checkpoint.save_state(Path("parts"), state, identity=identity, seeds=(seed,))
    shutil.rmtree(run_dir.checkpoint_dir)
    Path("parts").rename(run_dir.checkpoint_dir)


def read_generator() -> bytes:
    return Path("run/generator/model.safetensors").read_bytes()


def read_samples() -> bytes:
    with np.load("samples.npz") as arrays:
        return b"".join(arrays[name].tobytes() for name in sorted(arrays))


def png_files() -> dict[str, bytes]:
    images = random_images(NUM_IMAGES)
    return {f"{i % 2}/{i}.png": encode_image(image) for i, image in enumerate(images)}


def write_image_folder() -> None:
    write_files(Path("images"), png_files())


def write_image_zip() -> None:
    write_zip(Path("images.zip"), png_files())


def write_image_tar(compression: str = "") -> None:
    with tarfile.open("images.tar", f"w:{compression}") as archive:
        for name, content in png_files().items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_image_table() -> None:
    labels = "".join(f"{i % 2}/{i}.png,{i % 3}\n" for i in range(NUM_IMAGES))
    write_image_folder()
    Path("labels.csv").write_text(f"name,label\n{labels}")


def write_image_arrays() -> None:
    """As MedMNIST does."""
    images, labels = random_images(NUM_IMAGES), np.arange(NUM_IMAGES) % 3
    np.savez_compressed("images.npz", train_images=images, train_labels=labels)


def write_stylegan_folder() -> None:
    """Numbered folders, with the labels in one file beside them."""
    files = {f"{i // 6:05}/{i}.png": content for i, content in enumerate(png_files().values())}
    write_files(Path("images"), files)
    labels = [[name, i % 3] for i, name in enumerate(files)]
    Path("images/dataset.json").write_text(json.dumps({"labels": labels}))


def write_cifar_archive() -> None:
    write_cifar()
    with tarfile.open("cifar.tar.gz", "w:gz") as archive:
        archive.add("cifar", "cifar-10-batches-py")


def write_idx() -> None:
    images = random_images(NUM_IMAGES, 28, 1)
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (NUM_IMAGES, 28, 28))
    labels = bytes([0, 0, 8, 1]) + NUM_IMAGES.to_bytes(4, "big") + bytes(NUM_IMAGES)
    Path("idx").mkdir()
    for part in ("train", "t10k"):
        Path(f"idx/{part}-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(header + images.tobytes())
        )
        Path(f"idx/{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


def write_cifar() -> None:
    Path("cifar").mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        pixels = random_images(10, 32).reshape(10, 3072)
        content = {b"data": pixels, b"labels": [i % 10 for i in range(10)]}
        Path("cifar", name).write_bytes(pickle.dumps(content, protocol=2))


def write_prepared() -> None:
    write_image_folder()
    run_successfully(*PREPARE, "images")


def write_records() -> None:
    """Records of a results folder: two tables' worth."""
    write_run()
    Path("results").mkdir()
    Path("results/ring.jsonl").write_bytes(Path("run/metrics.jsonl").read_bytes())


PREPARE = ("prepare", "x", "--root", "sets", "--size", "8", "--from")


def read_images() -> tuple[list[bytes], int]:
    """The images of a prepared set, and the number of skipped ones."""
    facts = json.loads(Path("sets/x/manifest.json").read_text())
    images = np.load("sets/x/images.npy")
    return [image.tobytes() for image in images], sum(facts.get("skipped", {}).values())


def are_all_right(intact: tuple[list[bytes], int], damaged: tuple[list[bytes], int]) -> bool:
    """Every image that is not missing is right."""
    return set(damaged[0]) <= set(intact[0])


def are_all_accounted_for(
    intact: tuple[list[bytes], int], damaged: tuple[list[bytes], int]
) -> bool:
    """Every image is right, or was reported as skipped."""
    images, num_skipped = damaged
    return are_all_right(intact, damaged) and len(images) + num_skipped >= len(intact[0])


CASES: dict[str, FuzzCase] = {
    "sample": FuzzCase(
        build=write_run,
        pattern="run/generator/*",
        arguments=("sample", "run", "-n", "5"),
        read_result=read_samples,
    ),
    "sample, sealed": FuzzCase(
        build=write_run,
        pattern="run/generator/[!M]*",
        arguments=("sample", "run", "-n", "5"),
        is_sealed=True,
    ),
    "evaluate": FuzzCase(
        build=write_run, pattern="run/*.json*", arguments=("evaluate", "run", "-n", "20")
    ),
    "invert": FuzzCase(
        build=write_run, pattern="points.np[yz]", arguments=("invert", "run", "-i", "points.npz")
    ),
    "invert array": FuzzCase(
        build=write_run, pattern="points.npy", arguments=("invert", "run", "-i", "points.npy")
    ),
    "figure": FuzzCase(build=write_run, pattern="run/*.*", arguments=("figure", "run")),
    "resume": FuzzCase(
        build=write_stopped_run,
        pattern="run/[!d]*",
        arguments=RESUME,
        read_result=read_generator,
    ),
    "resume from checkpoint": FuzzCase(
        build=write_stopped_run,
        pattern="run/checkpoints/*/*",
        arguments=RESUME,
        read_result=read_generator,
    ),
    "resume of processes": FuzzCase(
        build=write_run_of_processes,
        pattern="run/checkpoints/*/*",
        arguments=(*RESUME, *TWO_SEEDS),
        read_result=read_generator,
    ),
    "resume, sealed": FuzzCase(
        build=write_stopped_run,
        pattern="run/checkpoints/*/[!M]*",
        arguments=RESUME,
        is_sealed=True,
    ),
    "figure from arrays": FuzzCase(
        build=write_run, pattern="run/arrays.npz", arguments=("figure", "run")
    ),
    "why": FuzzCase(
        build=write_records,
        pattern="results/*",
        arguments=("why", "ring", "GAN", "Ring quality %", "--results", "results"),
    ),
    "train on array": FuzzCase(build=write_points, pattern="points.npy", arguments=TRAIN),
    "train on table": FuzzCase(
        build=write_points, pattern="points.csv", arguments=("train", "points.csv", *TRAIN[2:])
    ),
    "folder": FuzzCase(
        build=write_image_folder,
        pattern="images/*/*",
        arguments=(*PREPARE, "images"),
        read_result=read_images,
        is_right=are_all_right,
    ),
    "zip": FuzzCase(
        build=write_image_zip,
        pattern="images.zip",
        arguments=(*PREPARE, "images.zip"),
        read_result=read_images,
        is_right=are_all_accounted_for,
    ),
    "tar": FuzzCase(
        build=write_image_tar,
        pattern="images.tar",
        arguments=(*PREPARE, "images.tar"),
        read_result=read_images,
        is_right=are_all_accounted_for,
    ),
    "tar.gz": FuzzCase(
        build=lambda: write_image_tar("gz"),
        pattern="images.tar",
        arguments=(*PREPARE, "images.tar"),
        read_result=read_images,
        is_right=are_all_accounted_for,
    ),
    "labels": FuzzCase(
        build=write_image_table,
        pattern="labels.csv",
        arguments=(*PREPARE, "images", "--labels", "labels.csv"),
    ),
    "idx": FuzzCase(
        build=write_idx, pattern="idx/*", arguments=("prepare", "mnist", *PREPARE[2:], "idx")
    ),
    "cifar": FuzzCase(
        build=write_cifar,
        pattern="cifar/*",
        arguments=("prepare", "cifar10", *PREPARE[2:], "cifar"),
    ),
    "cifar.tar.gz": FuzzCase(
        build=write_cifar_archive,
        pattern="cifar.tar.gz",
        arguments=("prepare", "cifar10", *PREPARE[2:], "cifar.tar.gz"),
    ),
    "image arrays": FuzzCase(
        build=write_image_arrays,
        pattern="images.npz",
        arguments=(*PREPARE, "images.npz"),
        read_result=read_images,
        is_right=are_all_right,
    ),
    "dataset.json": FuzzCase(
        build=write_stylegan_folder,
        pattern="images/dataset.json",
        arguments=(*PREPARE, "images"),
        read_result=read_images,
        is_right=are_all_right,
    ),
    "prepared set": FuzzCase(
        build=write_prepared,
        pattern="sets/x/*",
        arguments=("train", "x", "--source.root", "sets", "--steps", "1", "--batch", "4"),
    ),
    "results": FuzzCase(
        build=write_records,
        pattern="results/*",
        arguments=("table", "ring", "--no-train", "--results", "results", "--format", "csv"),
    ),
}
