"""What is damaged, and the command that reads it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from operator import eq
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np

from iidgan.cli import main
from tests.fuzz import image_sets
from tests.fuzz.image_sets import are_all_accounted_for, are_all_right, read_images
from tests.fuzz.mutations import mutate_file
from tests.helpers.training import rewrite_checkpoint


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
        mutate: Damages a file.
        environment: What the command runs in.
        packages: Packages that it needs.
    """

    build: Callable[[], object]
    pattern: str
    arguments: tuple[str, ...]
    read_result: Callable[[], object] = lambda: None
    is_right: Callable[[Any, Any], bool] = eq
    is_sealed: bool = False
    mutate: Callable[[Path, Random], None] = mutate_file
    environment: Callable[[], AbstractContextManager[object]] = nullcontext
    packages: tuple[str, ...] = ()

    def run(self) -> tuple[int, str, str]:
        """Run the command; return its exit code, output and errors."""
        with self.environment():
            return run_quietly(self.arguments)


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


def write_mixtures() -> None:
    mixture = {"centres": [[0.0, 1.5], [2.0, -0.5]], "weights": [3, 1], "stds": [0.5, 0.25]}
    np.savez("modes.npz", **{name: np.array(values) for name, values in mixture.items()})
    Path("modes.json").write_text(json.dumps(mixture))


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
    rewrite_checkpoint(Path("run"), 4, [(0,), (1,)])


def without_layout() -> AbstractContextManager[object]:
    """Draw figures whose axes stay where they are: to fit them takes most of the time."""
    return patch("matplotlib.layout_engine.do_constrained_layout")


def read_generator() -> bytes:
    return Path("run/generator/model.safetensors").read_bytes()


def read_samples() -> bytes:
    with np.load("samples.npz") as arrays:
        return b"".join(arrays[name].tobytes() for name in sorted(arrays))


def write_prepared() -> None:
    image_sets.write_image_folder()
    run_successfully(*PREPARE, "images")


def write_records() -> None:
    """Records of a results folder: two tables' worth."""
    write_run()
    Path("results").mkdir()
    Path("results/ring.jsonl").write_bytes(Path("run/metrics.jsonl").read_bytes())


PREPARE = ("prepare", "x", "--root", "sets", "--size", "8", "--from")


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
    "figure": FuzzCase(
        build=write_run,
        pattern="run/*.*",
        arguments=("figure", "run"),
        environment=without_layout,
    ),
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
        build=write_run,
        pattern="run/arrays.npz",
        arguments=("figure", "run"),
        environment=without_layout,
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
    "train on mixture": FuzzCase(
        build=write_mixtures,
        pattern="modes.json",
        arguments=("train", "modes.json", *TRAIN[2:], "--source.size", "100"),
    ),
    "train on mixture of arrays": FuzzCase(
        build=write_mixtures,
        pattern="modes.npz",
        arguments=("train", "modes.npz", *TRAIN[2:], "--source.size", "100"),
    ),
    "folder": FuzzCase(
        build=image_sets.write_image_folder,
        pattern="images/*/*",
        arguments=(*PREPARE, "images"),
        read_result=read_images,
        is_right=are_all_right,
    ),
    "zip": FuzzCase(
        build=image_sets.write_image_zip,
        pattern="images.zip",
        arguments=(*PREPARE, "images.zip"),
        read_result=read_images,
        is_right=are_all_accounted_for,
    ),
    "tar": FuzzCase(
        build=image_sets.write_image_tar,
        pattern="images.tar",
        arguments=(*PREPARE, "images.tar"),
        read_result=read_images,
        is_right=are_all_accounted_for,
    ),
    "tar.gz": FuzzCase(
        build=lambda: image_sets.write_image_tar("gz"),
        pattern="images.tar",
        arguments=(*PREPARE, "images.tar"),
        read_result=read_images,
        is_right=image_sets.are_all_unchanged,
    ),
    "tar.xz": FuzzCase(
        build=lambda: image_sets.write_image_tar("xz"),
        pattern="images.tar",
        arguments=(*PREPARE, "images.tar"),
        read_result=read_images,
        is_right=image_sets.are_all_unchanged,
    ),
    "labels": FuzzCase(
        build=image_sets.write_image_table,
        pattern="labels.csv",
        arguments=(*PREPARE, "images", "--labels", "labels.csv"),
    ),
    "idx": FuzzCase(
        build=lambda: image_sets.write_idx(""),
        pattern="idx/train*",
        arguments=("prepare", "mnist", *PREPARE[2:], "idx"),
        read_result=read_images,
        is_right=image_sets.are_all_present,
    ),
    "idx.gz": FuzzCase(
        build=lambda: image_sets.write_idx(".gz"),
        pattern="idx/train*",
        arguments=("prepare", "mnist", *PREPARE[2:], "idx"),
        read_result=read_images,
        is_right=image_sets.are_all_unchanged,
    ),
    "cifar": FuzzCase(
        build=image_sets.write_cifar,
        pattern="cifar/*",
        arguments=("prepare", "cifar10", *PREPARE[2:], "cifar"),
    ),
    "cifar.tar.gz": FuzzCase(
        build=image_sets.write_cifar_archive,
        pattern="cifar.tar.gz",
        arguments=("prepare", "cifar10", *PREPARE[2:], "cifar.tar.gz"),
    ),
    "stl10": FuzzCase(
        build=image_sets.write_stl10,
        pattern="stl/*",
        arguments=("prepare", "stl10", "--split", "train", *PREPARE[2:], "stl"),
        read_result=read_images,
        is_right=image_sets.are_all_present,
    ),
    "image array": FuzzCase(
        build=image_sets.write_image_array,
        pattern="images.npy",
        arguments=(*PREPARE, "images.npy"),
        read_result=read_images,
        is_right=image_sets.are_all_present,
    ),
    "image arrays": FuzzCase(
        build=image_sets.write_image_arrays,
        pattern="images.npz",
        arguments=(*PREPARE, "images.npz"),
        read_result=read_images,
        is_right=are_all_right,
    ),
    "dataset.json": FuzzCase(
        build=image_sets.write_stylegan_folder,
        pattern="images/dataset.json",
        arguments=(*PREPARE, "images"),
        read_result=read_images,
        is_right=are_all_right,
    ),
    "parquet": FuzzCase(
        build=image_sets.write_parquet,
        pattern="images.parquet",
        arguments=(*PREPARE, "images.parquet"),
        read_result=read_images,
        is_right=are_all_accounted_for,
        packages=("datasets",),
    ),
    "parquet folder": FuzzCase(
        build=image_sets.write_parquet_folder,
        pattern="pets/data/*",
        arguments=(*PREPARE, "pets"),
        read_result=read_images,
        is_right=are_all_accounted_for,
        packages=("datasets",),
    ),
    "hub": FuzzCase(
        build=image_sets.write_parquet,
        pattern="images.parquet",
        arguments=("prepare", "me/x", *PREPARE[2:], "hub"),
        read_result=read_images,
        is_right=are_all_accounted_for,
        environment=image_sets.local_hub,
        packages=("datasets",),
    ),
    "lmdb": FuzzCase(
        build=image_sets.write_lmdb,
        pattern="church/data.mdb",
        arguments=("prepare", "lsun-church", *PREPARE[2:], "church"),
        read_result=read_images,
        is_right=are_all_accounted_for,
        mutate=image_sets.damage_lmdb,
        packages=("lmdb",),
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
