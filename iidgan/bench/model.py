"""A trained generator, and its inverse where it has one, without the rest of the run."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor, nn

from iidgan.bench.folder import RunFolder
from iidgan.bench.run import Run, decode, encode
from iidgan.core import Arch
from iidgan.engine.sample import apply, prior
from iidgan.engine.state import build
from iidgan.errors import InputError
from iidgan.files import damage, write_folder


class Model:
    """One trained seed: samples, and codes of samples.

    Arguments:
        run: What was trained.
        seed: Which training.
        shape: Shape of one sample.
        nets: `G`, and `F` where there is one, with a seed axis of length one.
    """

    def __init__(self, run: Run, seed: int, shape: tuple[int, ...], nets: nn.ModuleDict) -> None:
        self.run, self.seed, self.shape, self.nets = run, seed, shape, nets

    def __repr__(self) -> str:
        return f"Model(run={self.run.id}, seed={self.seed}, shape={self.shape})"

    def sample(self, num: int, *, stream: int = 1) -> Tensor:
        """Draws `num` samples, (num, *shape); another `stream` draws other ones."""
        return self.generate(prior([self.seed], num, self.run.arch.latent, stream=stream)[0])

    def generate(self, z: Tensor) -> Tensor:
        """Maps latents (n, M) to samples (n, *shape)."""
        return self._map("G", z, (self.run.arch.latent,))

    def invert(self, x: Tensor) -> Tensor:
        """Maps samples (n, *shape) to codes (n, M).

        Raises:
            InputError: The method trains no inverse, or `x` has another shape.
        """
        if "F" not in self.nets:
            raise InputError("invert: this method trains no inverse; iid-gan does")
        return self._map("F", x, self.shape)

    def _map(self, net: str, inputs: Tensor, shape: tuple[int, ...]) -> Tensor:
        if tuple(inputs.shape[1:]) != shape:
            raise InputError(
                f"input: samples of shape {tuple(inputs.shape[1:])} where {shape} are needed"
            )
        return apply(self.nets[net], inputs.float()[None])[0]


def export(
    folder: Path,
    run: Run,
    seeds: tuple[int, ...],
    diverged: list[int],
    shape: tuple[int, ...],
    nets: nn.ModuleDict,
) -> None:
    """Writes G (and F) of all seeds, and what it takes to build them again."""
    config = {"run": encode(run), "seeds": seeds, "diverged": diverged, "shape": shape}
    values = {name: value.cpu().contiguous() for name, value in nets.state_dict().items()}

    def fill(place: Path) -> None:
        (place / "config.json").write_text(json.dumps(config, indent=1))
        (place / "model.safetensors").write_bytes(save(values))

    write_folder(folder, fill)


def load_model(path: str | Path, seed: int | None = None) -> Model:
    """Loads a trained generator from a run's folder, or from its `generator` folder.

    Arguments:
        path: The folder.
        seed: Which training; by default the first that did not diverge.

    Raises:
        InputError: There is no such run or seed, or its files are damaged.
    """
    folder = Path(path)
    if (folder / "run.json").exists():
        folder = RunFolder(folder).generator
    if not (folder / "config.json").exists():
        raise InputError(f"run: {path} holds no generator; train first, or go on training")
    if reason := damage(folder):
        raise InputError(f"{folder}: damaged ({reason}); train again to write it anew")
    config = json.loads((folder / "config.json").read_text())
    run, shape, seeds = decode(config["run"]), tuple(config["shape"]), config["seeds"]
    position = _position(seeds, config["diverged"], seed)
    nets = build(run.method, Arch(run.arch, shape), [seeds[position]])
    saved = load((folder / "model.safetensors").read_bytes())
    names = {name.partition(".")[0] for name in saved}
    kept = nn.ModuleDict({name: nets[name] for name in sorted(names)})
    kept.load_state_dict({name: value[position : position + 1] for name, value in saved.items()})
    return Model(run, seeds[position], shape, kept.requires_grad_(False).eval())


def _position(seeds: list[int], diverged: list[int], seed: int | None) -> int:
    if seed is None:
        healthy = [i for i, step in enumerate(diverged) if step < 0]
        if not healthy:
            raise InputError("seed: every seed of this run diverged")
        return healthy[0]
    if seed not in seeds:
        raise InputError(f"seed: {seed} was not trained; there are {', '.join(map(str, seeds))}")
    return seeds.index(seed)
