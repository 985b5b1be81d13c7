"""Trained generators, and their inverses where they have one, without the rest of the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save
from torch import Tensor, nn

from iidgan.config.run import Run
from iidgan.core import Arch, Method
from iidgan.engine.inference import apply, prior
from iidgan.engine.loop import positions
from iidgan.engine.state import build
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import Stand
from iidgan.training.migration import VERSION, read_facts
from iidgan.training.run_dir import RunFolder
from iidgan.utils.files import damage, write_folder


class Model:
    """One trained seed: samples, and codes of samples.

    Arguments:
        stand: What was trained; the first seed is this model's.
        shape: Shape of one sample.
        nets: `G`, and `F` where there is one, with a seed axis of length one.
    """

    def __init__(self, stand: Stand, shape: tuple[int, ...], nets: nn.ModuleDict) -> None:
        self.stand, self.shape, self.nets = stand, shape, nets

    def __repr__(self) -> str:
        run, (seed,), step = self.stand.run.id, self.stand.seeds, self.stand.step
        return f"Model(run={run}, seed={seed}, step={step}, shape={self.shape})"

    @property
    def latent(self) -> int:
        """Dimension M of the prior."""
        return self.stand.run.arch.latent

    def prior(self, num: int, *, stream: int = 1) -> Tensor:
        """Draws `num` latents, (num, M); another `stream` draws other ones."""
        if num < 0 or stream < 0:
            raise InputError(f"num, stream: {num}, {stream}; neither may be negative")
        return prior(self.stand.seeds, num, self.latent, stream=stream)[0]

    def sample(self, num: int, *, stream: int = 1) -> Tensor:
        """Draws `num` samples, (num, *shape); another `stream` draws other ones."""
        return self.generate(self.prior(num, stream=stream))

    def generate(self, z: Tensor) -> Tensor:
        """Maps latents (n, M) to samples (n, *shape)."""
        return self._map("G", z, (self.latent,))

    def invert(self, x: Tensor) -> Tensor:
        """Maps samples (n, *shape) to codes (n, M); images are uint8, or in [-1, 1].

        Raises:
            InputError: The method trains no inverse, or `x` has another shape.
        """
        if "F" not in self.nets:
            raise InputError("invert: this method trains no inverse; iid-gan does")
        x = torch.as_tensor(x)
        if len(self.shape) == 3:
            x = _as_images(x)
        return self._map("F", x, self.shape)

    def _map(self, net: str, inputs: Tensor, shape: tuple[int, ...]) -> Tensor:
        if tuple(inputs.shape[1:]) != shape:
            raise InputError(
                f"input: samples of shape {tuple(inputs.shape[1:])} where {shape} are needed"
            )
        return apply(self.nets[net], inputs.float()[None])[0]


def _as_images(x: Tensor) -> Tensor:
    """Brings images to [-1, 1].

    Raises:
        InputError: They are neither uint8 nor there.
    """
    if x.dtype == torch.uint8:
        return x.float() / 127.5 - 1
    if not x.is_floating_point() or (x.numel() and x.abs().max() > 1 + 1e-3):
        raise InputError(f"input: images of {x.dtype} are not uint8, nor numbers in [-1, 1]")
    return x


@dataclass(frozen=True)
class Maps:
    """The trained maps of all seeds of a run.

    Arguments:
        stand: Run, seeds and step.
        shape: Shape of one sample.
        nets: `G`, and `F` where there is one, of all seeds.
    """

    stand: Stand
    shape: tuple[int, ...]
    nets: nn.ModuleDict

    def model(self, seed: int | None = None) -> Model:
        """Takes one seed, by default the first that did not diverge."""
        position = self._position(seed)
        chosen, step = self.stand.seeds[position], self.stand.diverged[position]
        stand = Stand(self.stand.run, (chosen,), self.stand.step, (step,))
        values = self.nets.state_dict()
        nets = _blank(self.stand.run.method, Arch(stand.run.arch, self.shape), 1, set(self.nets))
        nets.load_state_dict({k: value[position : position + 1] for k, value in values.items()})
        return Model(stand, self.shape, nets)

    def _position(self, seed: int | None) -> int:
        seeds = list(self.stand.seeds)
        if seed is None:
            healthy = positions(torch.tensor(self.stand.diverged))
            if not healthy:
                raise InputError("seed: every seed of this run diverged")
            return healthy[0]
        if seed not in seeds:
            known = ", ".join(map(str, seeds))
            raise InputError(f"seed: {seed} was not trained; there are {known}")
        return seeds.index(seed)


def _blank(method: Method, arch: Arch, seeds: int, names: set[str]) -> nn.ModuleDict:
    nets = build(method, arch, range(seeds))
    kept = nn.ModuleDict({name: nets[name] for name in sorted(names)})
    return kept.requires_grad_(False).eval()


def export(folder: Path, maps: Maps) -> None:
    """Writes G (and F) of all seeds, and what it takes to build them again."""
    stand = maps.stand
    config = {
        "version": VERSION,
        "run": stand.run.to_dict(),
        "seeds": list(stand.seeds),
        "step": stand.step,
        "diverged": list(stand.diverged),
        "shape": list(maps.shape),
    }
    values = {name: value.cpu().contiguous() for name, value in maps.nets.state_dict().items()}

    def fill(place: Path) -> None:
        (place / "config.json").write_text(json.dumps(config, indent=1))
        (place / "model.safetensors").write_bytes(save(values))

    write_folder(folder, fill)


def load_maps(path: str | Path, device: torch.device | str = "cpu") -> Maps:
    """Loads the maps of all seeds from a run's folder, or from its `generator` folder.

    Raises:
        InputError: There is no such run, or its files are damaged.
    """
    folder = Path(path)
    if (folder / "run.json").exists():
        folder = RunFolder(folder).generator
    if not (folder / "config.json").exists():
        raise InputError(f"run: {path} holds no generator; train one first, or go on training")
    if reason := damage(folder):
        raise InputError(f"{folder}: damaged ({reason}); train again to write it anew")
    config = read_facts(folder / "config.json")
    stand = Stand(
        Run.from_dict(config["run"]), config["seeds"], config["step"], config["diverged"]
    )
    shape = tuple(config["shape"])
    values = load_tensors((folder / "model.safetensors").read_bytes())
    names = {name.partition(".")[0] for name in values}
    nets = _blank(stand.run.method, Arch(stand.run.arch, shape), len(stand.seeds), names)
    nets.load_state_dict(values)
    return Maps(stand, shape, nets.to(device))


def load(path: str | Path, seed: int | None = None) -> Model:
    """Loads one trained generator.

    Arguments:
        path: A run's folder, or its `generator` folder.
        seed: Which training; by default the first that did not diverge.

    Raises:
        InputError: There is no such run or seed, or its files are damaged.

    Example:
        >>> model = iidgan.load("runs/ring")  # doctest: +SKIP
        >>> z = model.invert(model.sample(1000))  # doctest: +SKIP
    """
    return load_maps(path).model(seed)
