"""Fine-tuning: a run that starts from trained networks.

References:
    * Transferring GANs: Generating Images from Limited Data (Wang, Wu, Herranz, van de Weijer,
      Gonzalez-Garcia and Raducanu, 2018), https://arxiv.org/abs/1805.01677
    * Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs (Mo, Cho and Shin, 2020),
      https://arxiv.org/abs/2002.10964, for `freeze_d`
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from iidgan.config.plugins import Plugin
from iidgan.config.start import Start
from iidgan.engine import checkpoint
from iidgan.engine.loop import surviving_positions
from iidgan.engine.state import State
from iidgan.errors import InputError
from iidgan.training.export import load_networks
from iidgan.training.run_dir import RunDir

Tensors = Mapping[str, Tensor]
"""Tensors by name, such as `G.head.layer.bias`, with a seed axis of length one."""
MAX_LISTED_NAMES = 3


def read_start(
    path: str | Path,
    seed: int | None = None,
    *,
    freeze_d: int = 0,
    plugins: Sequence[Plugin] = (),
) -> Start:
    """Describe trained networks, for a run that starts from them.

    Of a run directory, all networks of the newest checkpoint are taken, D among them; of exported
    networks, such as those of a hub, G and F, as samples are drawn with them.

    Arguments:
        path: A run directory, or a folder of exported networks.
        seed: Which seed; by default the first that did not diverge.
        freeze_d: Number of layers of D, from its input, that keep their weights (FreezeD).
        plugins: As for `load`; exported networks need them.

    Returns:
        The value of `Run.start`.

    Raises:
        InputError: There are no such networks, or D is to be frozen and is not among them.

    Examples:
        >>> import tempfile
        >>> import iidgan
        >>> source, arch = iidgan.Ring(size=100), iidgan.MLP(hidden=(8,))
        >>> run = iidgan.Run(source=source, method=iidgan.GAN(), arch=arch, steps=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = iidgan.train(run, out=f"{folder}/ring")
        ...     start = iidgan.read_start(f"{folder}/ring", freeze_d=1)
        >>> start.seed, start.freeze_d
        (0, 1)
    """
    found_seed, tensors = _read_networks(path, seed, plugins)
    if freeze_d and not any(name.startswith("D.") for name in tensors):
        raise InputError(
            f"freeze-d: {path} has no D, which a run directory has and exported networks have not"
        )
    return Start(
        path=os.path.abspath(path),
        seed=found_seed,
        digest=_compute_digest(tensors),
        freeze_d=freeze_d,
    )


def start_from(state: State, start: Start, plugins: Sequence[Plugin]) -> str:
    """Copy the trained networks into a state before its first step, wherever their shapes fit.

    Every seed gets the same weights, and moving averages start from them.

    Arguments:
        state: The state.
        start: The trained networks.
        plugins: Classes that they may use.

    Returns:
        What fitted and what did not, in one line.

    Raises:
        InputError: The networks are not those that `start` describes, or no weight fits, or not
            all that is frozen.
    """
    _, tensors = _read_networks(start.path, start.seed, plugins)
    if (digest := _compute_digest(tensors)) != start.digest:
        raise InputError(
            f"from: the networks in {start.path} have the digest {digest}, not {start.digest}: "
            "they were trained further, or are others"
        )
    own_tensors = state.nets.state_dict()
    fitting = [name for name, value in own_tensors.items() if _fits(tensors.get(name), value)]
    frozen = [name for name, value in state.nets.named_parameters() if not value.requires_grad]
    if unfit_names := [name for name in frozen if name not in fitting]:
        raise InputError(f"freeze-d: {unfit_names[0]} does not fit, and cannot be kept")
    if not any("weight" in name for name in fitting):  # a bias of one number fits anything
        raise InputError(
            f"from: no weight in {start.path} fits; choose its method, --arch and sizes"
        )
    with torch.no_grad():
        for name in fitting:
            own_tensors[name].copy_(tensors[name].expand_as(own_tensors[name]))
    if state.ema_nets is not None:
        state.ema_nets.load_state_dict(own_tensors)
    network_texts = [_describe_fit(name, own_tensors, fitting) for name in state.nets]
    return f"starts from {start.path}, seed {start.seed}: {'; '.join(network_texts)}"


def _fits(trained: Tensor | None, own: Tensor) -> bool:
    return trained is not None and trained.shape[1:] == own.shape[1:]


def _describe_fit(network: str, own_tensors: Tensors, fitting: Sequence[str]) -> str:
    names = [name for name in own_tensors if name.startswith(f"{network}.")]
    others = [name for name in names if name not in fitting]
    if not others:
        return f"{network} fits"
    if len(others) == len(names):
        return f"{network} is new"
    listed = ", ".join(others[:MAX_LISTED_NAMES])
    dots = ", ..." * (len(others) > MAX_LISTED_NAMES)
    num_fitting = len(names) - len(others)
    return f"{num_fitting} of {len(names)} tensors of {network} fit, not {listed}{dots}"


def _read_networks(
    path: str | Path, seed: int | None, plugins: Sequence[Plugin]
) -> tuple[int, dict[str, Tensor]]:
    """Read the tensors of one seed, and say which seed it is."""
    run_dir = RunDir(Path(path))
    if not run_dir.run_file.exists():
        networks = load_networks(path, plugins=plugins)
        point = networks.select_model(seed).point
        return point.seeds[0], networks.select_seed(point.seeds[0]).nets.state_dict()
    identity = run_dir.read_identity()
    files = checkpoint.find_latest(run_dir.checkpoint_dir, identity).files
    seeds = [number for number in identity.seeds if number in files]
    if not seeds:
        raise InputError(f"from: {path} has no checkpoint yet; train it first")
    diverged = torch.tensor([files[number].diverged_step_of(number) for number in seeds])
    healthy_seeds = [seeds[position] for position in surviving_positions(diverged)]
    if seed is None and not healthy_seeds:
        raise InputError(f"from: every seed of {path} diverged")
    chosen_seed = healthy_seeds[0] if seed is None else seed
    if chosen_seed not in seeds:
        listed = ", ".join(map(str, seeds))
        raise InputError(f"from-seed: {chosen_seed} was not trained; trained seeds: {listed}")
    tensors = checkpoint.read_tensors([chosen_seed], files)
    prefix = "nets."
    return chosen_seed, {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _compute_digest(tensors: Tensors) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
