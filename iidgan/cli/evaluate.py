"""`iidgan evaluate`, `sample` and `invert`: what can be done with a trained run."""

from __future__ import annotations

import json
import sys
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from zipfile import BadZipFile

import numpy as np
import torch
import tyro

from iidgan.cli.parse import parse
from iidgan.cli.summary import summary
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import judge_of
from iidgan.evaluation.evaluate import rows as measure
from iidgan.evaluation.sampling import draw
from iidgan.figures.run import picture
from iidgan.records import append
from iidgan.training.model import load as load_model
from iidgan.training.model import load_maps
from iidgan.training.run_dir import RunFolder
from iidgan.utils.device import device_from
from iidgan.utils.files import write
from iidgan.utils.provenance import provenance

RUN = Annotated[str, tyro.conf.Positional]


@dataclass(frozen=True)
class Evaluate:
    """Measures a trained run anew, and appends the rows to its evaluations.jsonl."""

    run: RUN
    """Folder of the run."""
    num: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Generated samples per seed; by default as many as the papers take for the source."""
    json: bool = False
    """Print the rows as JSON lines instead of a table."""
    device: str = "auto"
    """cpu, cuda, ...; auto takes an accelerator if there is one."""


def evaluate_command(arguments: list[str]) -> int:
    options = parse(Evaluate, "iidgan evaluate", arguments)
    if options.num is not None and options.num < 1:
        raise InputError(f"num: {options.num} is too small; at least 1")
    device = device_from(options.device)
    maps = load_maps(options.run, device)
    data = maps.stand.run.source.load()
    folder = RunFolder(Path(options.run))
    if folder.run_file.exists():
        folder.check_data(data)
    judge = judge_of(maps.stand.run.source, data, device)
    if judge.news:
        print(f"iidgan: {judge.news}", file=sys.stderr)
    samples = draw(maps.nets, data, maps.stand, judge, options.num)
    rows = measure(samples, maps.stand, provenance(device))
    if folder.run_file.exists():
        append(folder.evaluations, rows)
    if options.json:
        for row in rows:
            value = row.value if np.isfinite(row.value) else None
            print(json.dumps({**asdict(row), "value": value}))
    else:
        summary(rows, title=f"{options.run}, step {maps.stand.step}")
    return 0


@dataclass(frozen=True)
class Sample:
    """Draws samples of one seed."""

    run: RUN
    """Folder of the run."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 1000
    """How many."""
    out: str = "samples.npz"
    """.npz: arrays x (n, *shape) and z (n, M); .png: a grid of images, or points in the plane."""
    seed: int | None = None
    """Which training; by default the first that did not diverge."""
    stream: int = 1
    """Another stream draws other samples."""


def sample_command(arguments: list[str]) -> int:
    options = parse(Sample, "iidgan sample", arguments)
    if options.num < 1:
        raise InputError(f"num: {options.num} is too small; at least 1")
    out = _with_suffix(options.out, (".npz", ".png"))
    model = load_model(options.run, options.seed)
    z = model.prior(options.num, stream=options.stream)
    x = model.generate(z)
    if out.suffix == ".png":
        picture(x.numpy(), out)
    else:
        _save(out, x=x, z=z)
    print(f"{out}: {options.num} samples of seed {model.stand.seeds[0]}")
    return 0


@dataclass(frozen=True)
class Invert:
    """Maps samples to their latent codes."""

    run: RUN
    """Folder of the run."""
    input: Annotated[str, tyro.conf.arg(aliases=["-i"])]
    """.npz with an array x, or .npy: samples (n, *shape); images uint8 or in [-1, 1]."""
    out: str = "codes.npz"
    """.npz: arrays z (n, M) and x_cycled = G(z) (n, *shape)."""
    seed: int | None = None
    """Which training; by default the first that did not diverge."""


def invert_command(arguments: list[str]) -> int:
    options = parse(Invert, "iidgan invert", arguments)
    out = _with_suffix(options.out, (".npz",))
    model = load_model(options.run, options.seed)
    z = model.invert(_read_samples(Path(options.input)))
    _save(out, z=z, x_cycled=model.generate(z))
    print(f"{out}: {len(z)} codes of seed {model.stand.seeds[0]}")
    return 0


def _with_suffix(name: str, known: tuple[str, ...]) -> Path:
    path = Path(name)
    if path.suffix not in known:
        raise InputError(f"out: {name!r} does not end in {' or '.join(known)}")
    return path


def _save(path: Path, **arrays: torch.Tensor) -> None:
    values = {name: value.numpy() for name, value in arrays.items()}
    write(path, lambda place: np.savez_compressed(place, allow_pickle=False, **values))


def _read_samples(path: Path) -> torch.Tensor:
    try:
        with path.open("rb") as file:  # closed also where numpy gives up half-way
            loaded = np.load(file, allow_pickle=False)
            array = loaded["x"] if isinstance(loaded, np.lib.npyio.NpzFile) else loaded
    except FileNotFoundError:
        raise InputError(f"input: {path} does not exist") from None
    except KeyError:
        raise InputError(f"input: {path} holds no array named x") from None
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        why = "" if "allow_pickle" in str(error) else f" ({error})"  # advice that is not ours
        raise InputError(
            f"input: {path} is no .npz or .npy file{why}; samples are an array (n, *shape)"
        ) from None
    if array.dtype.kind not in "fiu":
        raise InputError(f"input: {path} holds {array.dtype}, not numbers")
    if not np.isfinite(array).all():
        raise InputError(f"input: {path} holds numbers that are not finite")
    return torch.from_numpy(np.ascontiguousarray(array))
