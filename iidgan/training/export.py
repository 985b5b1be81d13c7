"""Trained networks on disk: written as a folder, and read back by name of their classes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save

from iidgan.config.plugins import Plugin
from iidgan.config.run import Run
from iidgan.core import Classes, Standardisation
from iidgan.engine.checkpoint import RunIdentity, check_identity
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.training.migration import VERSION, decode_run, read_facts, require_integers
from iidgan.training.model import Model, TrainedNetworks, build_inference_networks
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import (
    damage_as_input_error,
    integrity_error,
    read_regular_file,
    write_folder,
)

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


def export_networks(generator_dir: Path, networks: TrainedNetworks) -> None:
    """Write G (and F) of all seeds, and the config that `load_networks` needs.

    Arguments:
        generator_dir: Folder to write; it is replaced as a whole.
        networks: The networks.
    """
    point = networks.point
    config = {
        "version": VERSION,
        "id": point.run.id,
        "run": point.run.to_dict(),
        "seeds": list(point.seeds),
        "steps": list(point.steps),
        "diverged": list(point.diverged),
        "shape": list(networks.shape),
    }
    config |= _encode_scaling(networks.scaling) | _encode_classes(networks.classes)
    state_dict = networks.nets.state_dict()
    tensors_by_name = {name: value.cpu().contiguous() for name, value in state_dict.items()}

    def write_files(partial_dir: Path) -> None:
        (partial_dir / CONFIG_FILE).write_text(json.dumps(config, indent=1))
        (partial_dir / WEIGHTS_FILE).write_bytes(save(tensors_by_name))

    write_folder(generator_dir, write_files)


def load_networks(
    path: str | Path, device: torch.device | str = "cpu", *, plugins: Sequence[Plugin] = ()
) -> TrainedNetworks:
    """Load the networks of all seeds from a run directory, or from a folder of exported networks.

    Arguments:
        path: A run directory, its `generator` folder, or that of the networks of one seed at its
            best coverage, such as `best/seed-0`.
        device: Device of the networks.
        plugins: As for `load`.

    Raises:
        UnnamedPluginError: The run uses a class that is neither part of the package nor among
            `plugins`.
        InputError: There is no such run, a plug-in cannot be imported, or files are damaged or
            of another run.
    """
    export = _read_export(path, plugins)
    weights_file = export.folder / WEIGHTS_FILE
    with damage_as_input_error(weights_file, RERUN_ADVICE):
        tensors_by_name = load_tensors(read_regular_file(weights_file))
        network_names = {"G"} | {name.partition(".")[0] for name in tensors_by_name}
        run, num_seeds = export.point.run, len(export.point.seeds)
        arch = run.network_factory(export.shape, export.classes)
        nets = build_inference_networks(run.method, arch, num_seeds, network_names)
        nets.load_state_dict(tensors_by_name)
    return TrainedNetworks(
        export.point, export.shape, nets.to(device), export.scaling, export.classes
    )


def load_point(path: str | Path, *, plugins: Sequence[Plugin] = ()) -> EvaluationPoint:
    """Load the run, seeds and steps of exported networks whose files are whole.

    Arguments:
        path: As for `load_networks`.
        plugins: As for `load`.

    Raises:
        UnnamedPluginError: As for `load_networks`.
        InputError: As for `load_networks`; the weights are compared with their digest alone.
    """
    return _read_export(path, plugins).point


@dataclass(frozen=True)
class _Export:
    """What a `generator` folder says of its networks."""

    folder: Path
    point: EvaluationPoint
    shape: tuple[int, ...]
    scaling: Standardisation | None
    classes: Classes | None


def _read_export(path: str | Path, plugins: Sequence[Plugin]) -> _Export:
    """Read the config of exported networks, and check their digests and their run.

    Raises:
        UnnamedPluginError: As for `load_networks`.
        InputError: As for `load_networks`.
    """
    generator_dir, run_dir = Path(path), RunDir(Path(path))
    is_run_dir = run_dir.run_file.exists()
    if is_run_dir:
        generator_dir = run_dir.generator_dir
    if not (generator_dir / CONFIG_FILE).exists():
        raise InputError(
            f"run: {path} contains no generator; train a run first, or resume this one"
        )
    if reason := integrity_error(generator_dir, (CONFIG_FILE, WEIGHTS_FILE)):
        raise InputError(f"{generator_dir}: damaged ({reason}); {RERUN_ADVICE}")
    config_file = generator_dir / CONFIG_FILE
    config = read_facts(config_file)
    run = decode_run(config, config_file, plugins)
    with damage_as_input_error(config_file, RERUN_ADVICE):
        point = _decode_point(run, config)
        shape = require_integers(config["shape"], "shape", at_least=1)
        scaling = _decode_scaling(config.get("scaling"), shape)
        classes = _decode_classes(config.get("classes"), run)
    if is_run_dir and "id" in config:
        stored = RunIdentity(config["id"], tuple(point.seeds))
        check_exported_run(generator_dir, stored, run_dir.read_identity())
    return _Export(generator_dir, point, shape, scaling, classes)


def check_exported_run(generator_dir: Path, stored: RunIdentity, run: RunIdentity) -> None:
    """Check that exported networks are those of a run.

    Of a run that is still trained by several processes, some seeds may be missing.

    Arguments:
        generator_dir: Their folder.
        stored: What the folder says of them.
        run: The run, with all of its seeds.

    Raises:
        InputError: They belong to another run.
    """
    seeds = tuple(seed for seed in run.seeds if seed in stored.seeds)
    check_identity(generator_dir, stored, RunIdentity(run.id, seeds))


RERUN_ADVICE = "rerun training to write it again"


def _decode_point(run: Run, config: Mapping[str, Any]) -> EvaluationPoint:
    seeds = require_integers(config["seeds"], "seeds")
    steps = require_integers(config["steps"], "steps")
    diverged = require_integers(config["diverged"], "diverged", at_least=-1)
    if not seeds or not len(seeds) == len(steps) == len(diverged):
        raise ValueError(f"expected as many seeds as in steps and diverged, got {len(seeds)}")
    return EvaluationPoint(run, seeds, steps, diverged)


def _encode_scaling(scaling: Standardisation | None) -> dict[str, Any]:
    if scaling is None:
        return {}
    return {"scaling": {"mean": scaling.mean.tolist(), "std": scaling.std.tolist()}}


def _decode_scaling(
    encoded_scaling: Mapping[str, Any] | None, shape: tuple[int, ...]
) -> Standardisation | None:
    if encoded_scaling is None:
        return None
    mean, std = (torch.tensor(encoded_scaling[name], dtype=torch.float32) for name in SCALING)
    if mean.shape != shape or std.shape != shape or not (mean.isfinite() & (std > 0)).all():
        raise ValueError(f"scaling must be a mean and a positive std of shape {shape}")
    return Standardisation(mean, std)


SCALING = ("mean", "std")


def _encode_classes(classes: Classes | None) -> dict[str, Any]:
    if classes is None:
        return {}
    return {"classes": {"names": classes.names, "probabilities": classes.probabilities}}


def _decode_classes(encoded_classes: Mapping[str, Any] | None, run: Run) -> Classes | None:
    if run.method.conditioning is None:
        return None
    if encoded_classes is None:
        raise ValueError("expected the classes of a conditional method, got none")
    names = tuple(map(str, encoded_classes["names"]))
    probabilities = tuple(map(float, encoded_classes["probabilities"]))
    if not names or len(names) != len(probabilities):
        raise ValueError(f"classes must have a probability each, got {len(probabilities)}")
    if not (min(probabilities) > 0 and math.isclose(math.fsum(probabilities), 1)):
        raise ValueError(f"probabilities of classes must be > 0 with sum 1, got {probabilities}")
    return Classes(names, probabilities)


def load(path: str | Path, seed: int | None = None, *, plugins: Sequence[Plugin] = ()) -> Model:
    """Load one trained generator.

    Arguments:
        path: A run directory, its `generator` folder, or that of the networks of one seed at its
            best coverage, such as `best/seed-0`.
        seed: Which seed; by default the first that did not diverge.
        plugins: Classes that the run uses and that are not part of the package, or their names
            such as `my_package.gans:MyGAN`. Nothing else is imported, whatever the files say.

    Returns:
        The model, with `sample`, and `invert` if the method trains an inverse.

    Raises:
        UnnamedPluginError: The run uses a class that is neither part of the package nor among
            `plugins`.
        InputError: There is no such run or seed, a plug-in cannot be imported, or files are
            damaged.

    Examples:
        >>> import tempfile
        >>> import iidgan
        >>> source, arch = iidgan.Ring(size=100), iidgan.MLP(hidden=(8,))
        >>> run = iidgan.Run(source=source, method=iidgan.GAN(), arch=arch, steps=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = iidgan.train(run, out=f"{folder}/ring")
        ...     model = iidgan.load(f"{folder}/ring")
        >>> model.sample(1000).shape
        torch.Size([1000, 2])
    """
    return load_networks(path, plugins=plugins).select_model(seed)
