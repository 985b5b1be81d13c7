"""Trained networks: generators, and inverses where the method trains one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from iidgan.core import Classes, HasStyles, Method, NetworkFactory, Standardisation
from iidgan.data.array_files import to_float32, to_native
from iidgan.engine.inference import (
    encode_codes,
    in_own_units,
    iterate_prior,
    map_chunked,
    sample_prior,
)
from iidgan.engine.loop import surviving_positions
from iidgan.engine.state import build_networks
from iidgan.errors import InputError
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.methods import METHODS
from iidgan.nn import MLP


class Model:
    """The trained networks of one seed: samples, and codes of samples.

    Arguments:
        point: Run and step; its only seed is this model's.
        shape: Shape of one sample.
        nets: `G`, and `F` if the method trains an inverse, with a seed axis of length one, in
            the data's own units.
        classes: Classes that a conditional model generates, or None.

    Examples:
        A model of networks that have not been trained; `iidgan.load` opens trained ones.

        >>> from iidgan import Model, Run, iid_gan
        >>> from iidgan.core import NetworkFactory
        >>> from iidgan.engine.state import build_networks
        >>> from iidgan.evaluation.evaluate import EvaluationPoint
        >>> run = Run(method=iid_gan())
        >>> nets = build_networks(run.method, NetworkFactory(run.arch, shape=(2,)), seeds=[0])
        >>> point = EvaluationPoint(run, seeds=(0,), steps=(0,), diverged=(-1,))
        >>> model = Model(point, (2,), nets)
        >>> samples = model.sample(1000)
        >>> codes = model.invert(samples)
        >>> samples.shape, codes.shape
        (torch.Size([1000, 2]), torch.Size([1000, 2]))
    """

    def __init__(
        self,
        point: EvaluationPoint,
        shape: tuple[int, ...],
        nets: nn.ModuleDict,
        classes: Classes | None = None,
    ) -> None:
        self.point, self.shape, self.nets, self.classes = point, shape, nets, classes

    def __repr__(self) -> str:
        run, (seed,), (step,) = self.point.run.id, self.point.seeds, self.point.steps
        return f"Model(run={run}, seed={seed}, step={step}, shape={self.shape})"

    @property
    def latent(self) -> int:
        """Dimension M of the prior."""
        return self.point.run.arch.latent

    def sample_prior(
        self, num: int, *, stream: int = 1, psi: float = 1.0, label: str | int | None = None
    ) -> Tensor:
        """Draw latents psi z, with z from the prior N(0, I), and classes for a conditional model.

        Arguments:
            num: Number of latents.
            stream: Index of the random stream; each is an independent set.
            psi: Truncation of latents; styles are truncated by `generate`.
            label: Name or label of the class of all of them; by default classes are drawn as often
                as the data have them.

        Returns:
            Latents, (num, M); of a conditional model codes [z; c] with one-hot classes,
            (num, M + K).

        Raises:
            InputError: A number is negative, or `psi` not finite; there is no such class, or the
                model is not conditional.
        """
        _check_numbers(num=num, stream=stream, psi=psi)
        codes = sample_prior(self.point.seeds, num, self.latent, self.classes, stream=stream)[0]
        return self._change_codes(codes, psi, label)

    def _change_codes(self, codes: Tensor, psi: float, label: str | int | None) -> Tensor:
        """Scale latents by psi, and replace the class."""
        z, c = self.split_codes(codes)
        return torch.cat([psi * z, c], 1) if label is None else self.encode(psi * z, label)

    def encode(self, z: Tensor, label: str | int) -> Tensor:
        """Append a class to latents.

        Arguments:
            z: Latents, (..., M).
            label: Name or label of the class.

        Returns:
            Codes [z; c], (..., M + K).

        Raises:
            InputError: There is no such class, or the model is not conditional.
        """
        if self.classes is None:
            raise InputError(
                "label: this model is not conditional; cgan, msgan, pd-gan, ac-gan "
                "and conditional-iid-gan are"
            )
        labels = torch.full(z.shape[:-1], self.classes.find(label))
        return encode_codes(z, labels, len(self.classes))

    def iterate_prior(
        self, num: int, *, stream: int = 1, psi: float = 1.0, label: str | int | None = None
    ) -> Iterator[Tensor]:
        """Yield the latents of `sample_prior` in blocks: memory does not bound their number.

        Arguments:
            num: Number of latents.
            stream: Index of the random stream; each is an independent set.
            psi: Truncation, as of `sample`.
            label: As for `sample_prior`.

        Yields:
            Latents, (n, M), or codes, (n, M + K).

        Raises:
            InputError: As for `sample_prior`.
        """
        _check_numbers(num=num, stream=stream, psi=psi)
        num_values = self.latent + self._num_classes
        values_per_row = max(num_values, math.prod(self.shape))
        block_size = min(MAX_BLOCK_ROWS, MAX_BLOCK_VALUES // values_per_row)
        (seed,) = self.point.seeds
        blocks = iterate_prior(
            seed, num, self.latent, self.classes, stream=stream, block_size=block_size
        )
        self._change_codes(torch.empty(0, num_values), psi, label)  # checks the label
        return (self._change_codes(block, psi, label) for block in blocks)

    def sample(
        self, num: int, *, stream: int = 1, psi: float = 1.0, label: str | int | None = None
    ) -> Tensor:
        """Draw samples G(psi z) of latents z from the prior, or of truncated styles.

        With psi < 1 they are more typical and less varied. A generator of styles draws these
        towards their mean in training, to mean + psi (w - mean): StyleGAN's truncation. Others
        read psi z, and samples are closer to G(0): truncation of the latents themselves, or
        sampling at the temperature psi.

        Arguments:
            num: Number of samples.
            stream: Index of the random stream; each is an independent set.
            psi: Truncation psi >= 0; 1 changes nothing, and with 0 all samples of a class are the
                same.
            label: Name or label of the class of a conditional model; by default classes are drawn
                as often as the data have them.

        Returns:
            Samples, (num, *shape), in the units of the data; for images [-1, 1].

        Raises:
            InputError: As for `sample_prior`.

        References:
            * A Style-Based Generator Architecture for Generative Adversarial Networks (Karras,
              Laine and Aila, 2019), https://arxiv.org/abs/1812.04948, appendix B
            * Glow: Generative Flow with Invertible 1x1 Convolutions (Kingma and Dhariwal, 2018),
              https://arxiv.org/abs/1807.03039, for the temperature
        """
        return self.generate(self.sample_prior(num, stream=stream, label=label), psi)

    def generate(self, z: Tensor, psi: float = 1.0) -> Tensor:
        """Map latents to samples G(z).

        Arguments:
            z: Latents, (n, M), or of a conditional model codes [z; c], (n, M + K).
            psi: Truncation, as of `sample`.

        Returns:
            Samples, (n, *shape), in the units of the data; for images [-1, 1].

        Raises:
            InputError: `z` has another shape, or `psi` is negative or not finite.
        """
        _check_numbers(psi=psi)
        _check_shape(z, (self.latent + self._num_classes,))
        generator = self.nets["G"]
        if psi == 1:
            return _apply(generator, z)
        if isinstance(generator, HasStyles):
            return _apply(_TruncatedGenerator(generator, psi), z)
        return _apply(generator, self._change_codes(z, psi, None))

    def generate_differentiably(self, z: Tensor) -> Tensor:
        """Map latents to samples G(z) in one batch, through which gradients flow to `z`.

        Arguments:
            z: Latents, (n, M).

        Returns:
            Samples, (n, *shape), as of `generate`, on the device of `z`.
        """
        network = self.nets["G"]
        device = next(network.parameters()).device
        samples: Tensor = network(z.to(device)[None])[0]
        return samples.to(z.device)

    def invert(self, x: Tensor | NDArray[Any]) -> Tensor:
        """Map samples to codes F(x).

        Arguments:
            x: Samples, (n, *shape); images are uint8, or floats in [-1, 1].

        Returns:
            Codes, (n, M); of a conditional model with probabilities of classes, (n, M + K).

        Raises:
            InputError: The method trains no inverse, or `x` has another shape, or a value that is
                not finite in float32.
        """
        if not self.has_inverse:
            raise missing_inverse_error()
        return _apply(self.nets["F"], self.convert_samples(x))

    @property
    def has_inverse(self) -> bool:
        """Whether the method trains an inverse F."""
        return "F" in self.nets

    def convert_samples(self, x: Tensor | NDArray[Any]) -> Tensor:
        """Convert samples to what G returns and F reads.

        Arguments:
            x: Samples, (n, *shape); images are uint8, or floats in [-1, 1].

        Returns:
            Samples, float32 (n, *shape); images in [-1, 1].

        Raises:
            InputError: `x` has another shape, or a value that is not finite in float32.
        """
        x = _as_tensor(x)
        _check_shape(x, self.shape)
        if len(self.shape) == 3:
            x = _normalise_images(x)
        if not x.float().isfinite().all():
            to_float32("input", x.detach().cpu().double().numpy())  # names the value
        return x.float()

    def classify(self, x: Tensor | NDArray[Any]) -> Tensor:
        """Classify samples by F.

        Arguments:
            x: Samples, as for `invert`.

        Returns:
            Probabilities of the classes, (n, K).

        Raises:
            InputError: The model is not conditional, or as for `invert`.
        """
        if self.classes is None:
            raise InputError("classify: this model is not conditional; conditional-iid-gan is")
        return self.invert(x)[:, self.latent :]

    def split_codes(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Split codes into latents and classes.

        Arguments:
            codes: Codes, (..., M + K).

        Returns:
            Latents (..., M), and probabilities of the classes (..., K), of which there are none if
            the model is not conditional.
        """
        return codes[..., : self.latent], codes[..., self.latent :]

    @property
    def _num_classes(self) -> int:
        return len(self.classes) if self.classes else 0


class _TruncatedGenerator(nn.Module):
    """A generator of styles, which are drawn towards their mean."""

    def __init__(self, generator: nn.Module, psi: float) -> None:
        super().__init__()
        self.generator, self.psi = generator, psi

    def forward(self, z: Tensor) -> Tensor:
        styles = cast(HasStyles, self.generator)
        samples: Tensor = self.generator(styles.truncate(styles.styles(z), self.psi))
        return samples


def _apply(network: nn.Module, inputs: Tensor) -> Tensor:
    return map_chunked(network, inputs.float()[None])[0]


MAX_BLOCK_ROWS, MAX_BLOCK_VALUES = 2**16, 2**23
"""Bounds of the blocks in which `Model.iterate_prior` draws: samples, and numbers in them."""


def _check_numbers(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < math.inf:
            raise InputError(f"{name}: must be >= 0 and finite, got {number}")


def _check_shape(inputs: Tensor, expected_shape: tuple[int, ...]) -> None:
    if tuple(inputs.shape[1:]) != expected_shape:
        raise InputError(
            f"input: each sample must have shape {expected_shape}, "
            f"got {tuple(inputs.shape[1:])}{_suggest_reshape(inputs.shape, expected_shape)}"
        )


def missing_inverse_error() -> InputError:
    """Create the error of a run whose method trains no inverse F; it names methods that do."""
    factory = NetworkFactory(MLP(hidden=(1,)), shape=(2,), num_classes=1)
    names = sorted(name for name, make in METHODS.items() if "F" in make().networks(factory))
    return InputError(
        "invert: this run has no inverse F; train the method with --term cycle, or train "
        f"{', '.join(names)}"
    )


def _suggest_reshape(shape: tuple[int, ...], sample_shape: tuple[int, ...]) -> str:
    """Suggest axes of length 1 that are missing, such as the batch axis of a single sample."""
    long_axes, long_sample_axes = (
        [size for size in sizes if size != 1] for sizes in (shape, sample_shape)
    )
    num_batch_axes = len(long_axes) - len(long_sample_axes)
    if num_batch_axes not in (0, 1) or long_axes[num_batch_axes:] != long_sample_axes:
        return ""
    num_samples = long_axes[0] if num_batch_axes else 1
    return f"; reshape the array from {tuple(shape)} to {(num_samples, *sample_shape)}"


def _as_tensor(x: object) -> Tensor:
    """Convert what torch can read, and arrays of any byte order and precision."""
    if isinstance(x, np.ndarray):
        x = np.require(to_native(x), requirements="W")  # torch shares the memory
    return torch.as_tensor(x)


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
        point: Run, seeds and their steps.
        shape: Shape of one sample.
        nets: `G`, and `F` if the method trains an inverse, of all seeds.
        scaling: Map from the data's own units to those of `nets`, if these differ.
        classes: Classes that the method generates, if it is conditional.
    """

    point: EvaluationPoint
    shape: tuple[int, ...]
    nets: nn.ModuleDict
    scaling: Standardisation | None = None
    classes: Classes | None = None

    def select_model(self, seed: int | None = None) -> Model:
        """Select the networks of one seed.

        Arguments:
            seed: Which seed; by default the first that did not diverge.

        Raises:
            InputError: The seed was not trained, or every seed diverged.
        """
        selected = self._select_position(self._find_position(seed))
        nets = in_own_units(selected.nets, self.scaling)
        return Model(selected.point, self.shape, nets, self.classes)

    def select_seed(self, seed: int) -> TrainedNetworks:
        """Select the networks of one seed, whether or not it diverged.

        Arguments:
            seed: Which seed.

        Raises:
            InputError: The seed was not trained.
        """
        return self._select_position(self._find_position(seed))

    def _select_position(self, position: int) -> TrainedNetworks:
        point = EvaluationPoint(
            self.point.run,
            (self.point.seeds[position],),
            (self.point.steps[position],),
            (self.point.diverged[position],),
        )
        arch = point.run.network_factory(self.shape, self.classes)
        nets = build_inference_networks(point.run.method, arch, 1, set(self.nets))
        tensors_by_name = self.nets.state_dict()
        nets.load_state_dict(
            {name: value[position : position + 1] for name, value in tensors_by_name.items()}
        )
        return replace(self, point=point, nets=nets)

    def merge(self, newer: TrainedNetworks, seeds: Sequence[int]) -> TrainedNetworks:
        """Combine the networks of different seeds of a run, in the order of `seeds`.

        A seed that both have is taken from `newer`. Seeds that neither has are left out.

        Arguments:
            newer: Networks of other seeds, or of the same at a later step.
            seeds: Seeds of the result, in order.
        """
        origin = {
            seed: (part, i) for part in (self, newer) for i, seed in enumerate(part.point.seeds)
        }
        sources = [origin[seed] for seed in seeds if seed in origin]
        point = EvaluationPoint(
            newer.point.run,
            [part.point.seeds[i] for part, i in sources],
            [part.point.steps[i] for part, i in sources],
            [part.point.diverged[i] for part, i in sources],
        )
        arch = point.run.network_factory(self.shape, self.classes)
        nets = build_inference_networks(point.run.method, arch, len(sources), {*newer.nets})
        states = {id(part): part.nets.state_dict() for part in (self, newer)}
        nets.load_state_dict(
            {
                name: torch.stack([states[id(part)][name][i].cpu() for part, i in sources])
                for name in newer.nets.state_dict()
            }
        )
        return replace(newer, point=point, nets=nets)

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


def build_inference_networks(
    method: Method, arch: NetworkFactory, num_seeds: int, network_names: set[str]
) -> nn.ModuleDict:
    """Build networks in evaluation mode, whose weights are to be loaded.

    Arguments:
        method: Defines the networks.
        arch: Builds them.
        num_seeds: Number of seeds.
        network_names: Networks to keep, such as `G` and `F`.
    """
    nets = build_networks(method, arch, range(num_seeds))
    selected_nets = nn.ModuleDict({name: nets[name] for name in sorted(network_names)})
    return selected_nets.requires_grad_(False).eval()
