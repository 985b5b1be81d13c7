"""Trained networks: generators, and inverses where the method trains one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save
from torch import Tensor, nn

from iidgan.config.plugins import Plugin
from iidgan.core import Method, NetworkFactory
from iidgan.engine.checkpoint import RunIdentity, check_identity
from iidgan.engine.inference import map_chunked, sample_prior
from iidgan.engine.loop import surviving_positions
from iidgan.engine.state import build_networks
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.training.migration import VERSION, decode_run, read_facts
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import (
    integrity_error,
    oserror_as_input_error,
    read_regular_file,
    write_folder,
)

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


class Model:
    """The trained networks of one seed: samples, and codes of samples.

    Arguments:
        point: Run and step; its only seed is this model's.
        shape: Shape of one sample.
        nets: `G`, and `F` if the method trains an inverse, with a seed axis of length one.
    """

    def __init__(
        self, point: EvaluationPoint, shape: tuple[int, ...], nets: nn.ModuleDict
    ) -> None:
        self.point, self.shape, self.nets = point, shape, nets

    def __repr__(self) -> str:
        run, (seed,), step = self.point.run.id, self.point.seeds, self.point.step
        return f"Model(run={run}, seed={seed}, step={step}, shape={self.shape})"

    @property
    def latent(self) -> int:
        """Dimension M of the prior."""
        return self.point.run.arch.latent

    def sample_prior(self, num: int, *, stream: int = 1) -> Tensor:
        """Draw `num` latents, (num, M); each `stream` is an independent set."""
        for name, number in {"num": num, "stream": stream}.items():
            if number < 0:
                raise InputError(f"{name}: must be >= 0, got {number}")
        return sample_prior(self.point.seeds, num, self.latent, stream=stream)[0]

    def sample(self, num: int, *, stream: int = 1) -> Tensor:
        """Draw `num` samples, (num, *shape); each `stream` is an independent set."""
        return self.generate(self.sample_prior(num, stream=stream))

    def generate(self, z: Tensor) -> Tensor:
        """Map latents (n, M) to samples (n, *shape)."""
        return self._apply_network("G", z, (self.latent,))

    def invert(self, x: Tensor) -> Tensor:
        """Map samples (n, *shape) to codes (n, M); images are uint8, or floats in [-1, 1].

        Raises:
            InputError: The method trains no inverse, or `x` has another shape.
        """
        if "F" not in self.nets:
            raise InputError("invert: this method trains no inverse; iid-gan does")
        x = torch.as_tensor(x)
        if len(self.shape) == 3:
            x = _normalise_images(x)
        return self._apply_network("F", x, self.shape)

    def _apply_network(self, name: str, inputs: Tensor, expected_shape: tuple[int, ...]) -> Tensor:
        if tuple(inputs.shape[1:]) != expected_shape:
            raise InputError(
                f"input: each sample must have shape {expected_shape}, "
                f"got {tuple(inputs.shape[1:])}"
            )
        return map_chunked(self.nets[name], inputs.float()[None])[0]


def _normalise_images(x: Tensor) -> Tensor:
    """Scale uint8 images to [-1, 1].

    Raises:
        InputError: They are neither uint8 nor in [-1, 1].
    """
    if x.dtype == torch.uint8:
        return x.float() / 127.5 - 1
    if not x.is_floating_point():
        raise InputError(f"input: images must be uint8, or floats in [-1, 1], got {x.dtype}")
    if x.numel() and x.abs().max() > 1 + 1e-3:
        raise InputError(
            f"input: images must be uint8, or floats in [-1, 1], got values up to "
            f"{x.abs().max().item():g}"
        )
    return x


@dataclass(frozen=True)
class TrainedNetworks:
    """The trained networks of all seeds of a run.

    Arguments:
        point: Run, seeds and step.
        shape: Shape of one sample.
        nets: `G`, and `F` if the method trains an inverse, of all seeds.
    """

    point: EvaluationPoint
    shape: tuple[int, ...]
    nets: nn.ModuleDict

    def select_model(self, seed: int | None = None) -> Model:
        """Select one seed, by default the first that did not diverge."""
        seed_position = self._find_position(seed)
        point = EvaluationPoint(
            self.point.run,
            (self.point.seeds[seed_position],),
            self.point.step,
            (self.point.diverged[seed_position],),
        )
        arch = NetworkFactory(point.run.arch, self.shape)
        nets = _build_inference_networks(point.run.method, arch, 1, set(self.nets))
        tensors_by_name = self.nets.state_dict()
        nets.load_state_dict(
            {
                name: value[seed_position : seed_position + 1]
                for name, value in tensors_by_name.items()
            }
        )
        return Model(point, self.shape, nets)

    def _find_position(self, seed: int | None) -> int:
        seeds = list(self.point.seeds)
        if seed is None:
            healthy_positions = surviving_positions(torch.tensor(self.point.diverged))
            if not healthy_positions:
                raise InputError("seed: every seed of this run diverged")
            return healthy_positions[0]
        if seed not in seeds:
            trained_seeds = ", ".join(map(str, seeds))
            raise InputError(f"seed: {seed} was not trained; trained seeds: {trained_seeds}")
        return seeds.index(seed)


def _build_inference_networks(
    method: Method, arch: NetworkFactory, num_seeds: int, network_names: set[str]
) -> nn.ModuleDict:
    nets = build_networks(method, arch, range(num_seeds))
    selected_nets = nn.ModuleDict({name: nets[name] for name in sorted(network_names)})
    return selected_nets.requires_grad_(False).eval()


def export_networks(generator_dir: Path, networks: TrainedNetworks) -> None:
    """Write G (and F) of all seeds, and the config that `load_networks` needs."""
    point = networks.point
    config = {
        "version": VERSION,
        "id": point.run.id,
        "run": point.run.to_dict(),
        "seeds": list(point.seeds),
        "step": point.step,
        "diverged": list(point.diverged),
        "shape": list(networks.shape),
    }
    state_dict = networks.nets.state_dict()
    tensors_by_name = {name: value.cpu().contiguous() for name, value in state_dict.items()}

    def write_files(partial_dir: Path) -> None:
        (partial_dir / CONFIG_FILE).write_text(json.dumps(config, indent=1))
        (partial_dir / WEIGHTS_FILE).write_bytes(save(tensors_by_name))

    write_folder(generator_dir, write_files)


def load_networks(
    path: str | Path, device: torch.device | str = "cpu", *, plugins: Sequence[Plugin] = ()
) -> TrainedNetworks:
    """Load the networks of all seeds from a run directory, or from its `generator` folder.

    Arguments:
        path: A run directory, or its `generator` folder.
        device: Device of the networks.
        plugins: As for `load`.

    Raises:
        UnnamedPluginError: The run uses a class that is neither part of the package nor among
            `plugins`.
        InputError: There is no such run, a plug-in cannot be imported, or files are damaged or
            of another run.
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
        raise InputError(f"{generator_dir}: damaged ({reason}); rerun training to write it again")
    config_file = generator_dir / CONFIG_FILE
    config = read_facts(config_file)
    if is_run_dir and "id" in config:
        identity = RunIdentity(config["id"], tuple(config["seeds"]))
        check_identity(generator_dir, identity, run_dir.read_identity())
    run = decode_run(config, config_file, plugins)
    point = EvaluationPoint(run, config["seeds"], config["step"], config["diverged"])
    shape = tuple(config["shape"])
    with oserror_as_input_error(generator_dir):
        tensors_by_name = load_tensors(read_regular_file(generator_dir / WEIGHTS_FILE))
    network_names = {name.partition(".")[0] for name in tensors_by_name}
    arch = NetworkFactory(point.run.arch, shape)
    nets = _build_inference_networks(point.run.method, arch, len(point.seeds), network_names)
    nets.load_state_dict(tensors_by_name)
    return TrainedNetworks(point, shape, nets.to(device))


def load(path: str | Path, seed: int | None = None, *, plugins: Sequence[Plugin] = ()) -> Model:
    """Load one trained generator.

    Arguments:
        path: A run directory, or its `generator` folder.
        seed: Which seed; by default the first that did not diverge.
        plugins: Classes that the run uses and that are not part of the package, or their names
            such as `my_package.gans:MyGAN`. Nothing else is imported, whatever the files say.

    Raises:
        UnnamedPluginError: The run uses a class that is neither part of the package nor among
            `plugins`.
        InputError: There is no such run or seed, a plug-in cannot be imported, or files are
            damaged.

    Example:
        >>> model = iidgan.load("runs/ring")  # doctest: +SKIP
        >>> z = model.invert(model.sample(1000))  # doctest: +SKIP
    """
    return load_networks(path, plugins=plugins).select_model(seed)
