"""From a trained state to samples: networks for inference, latents, and mapping in chunks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from iidgan.core import Classes, HasBatchStatistics, Standardisation
from iidgan.engine.sampling import BatchStream
from iidgan.engine.state import State, derive_seed

NUM_STATISTICS_BATCHES = 50
"""Number of batches from which fixed statistics are computed."""
CHUNK_SIZE = 1024  # samples per forward pass and seed; larger activations no longer fit in caches


def sample_prior(
    seeds: Sequence[int],
    num_samples: int,
    latent_dim: int,
    classes: Classes | None = None,
    *,
    stream: int = 0,
) -> Tensor:
    """Draw latents (S, N, M), or codes with classes; a seed does not depend on the other seeds.

    Arguments:
        seeds: Seeds of the run.
        num_samples: Latents per seed, N.
        latent_dim: Dimension M.
        classes: Classes that a conditional generator reads, drawn as often as the data have them.
        stream: Index of the random stream; different streams are unrelated.

    Returns:
        Latents, float32 (S, N, M); with K classes codes [z; c], (S, N, M + K).

    Examples:
        >>> from iidgan.engine.inference import sample_prior
        >>> latents = sample_prior([0, 1, 2], 1000, 2)
        >>> latents.shape
        torch.Size([3, 1000, 2])
        >>> bool((sample_prior([2], 1000, 2)[0] == latents[2]).all())  # of seed 2 in either case
        True
    """
    generators = [torch.Generator().manual_seed(derive_seed(seed, 2, stream)) for seed in seeds]
    z = torch.stack([torch.randn(num_samples, latent_dim, generator=g) for g in generators])
    if classes is None:
        return z
    labels = [_draw_labels(_label_generator(seed, stream), num_samples, classes) for seed in seeds]
    return encode_codes(z, torch.stack(labels), len(classes))


def encode_codes(z: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Append one-hot labels to latents.

    Arguments:
        z: Latents, (..., M).
        labels: Labels, int64 (...).
        num_classes: Number K of classes.

    Returns:
        Codes [z; c], (..., M + K).

    Examples:
        >>> encode_codes(torch.zeros(2, 1), torch.tensor([1, 0]), 2)
        tensor([[0., 0., 1.],
                [0., 1., 0.]])
    """
    return torch.cat([z, functional.one_hot(labels, num_classes).to(z.dtype)], dim=-1)


def _label_generator(seed: int, stream: int) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed(seed, 3, stream))


def _draw_labels(generator: torch.Generator, num_samples: int, classes: Classes) -> Tensor:
    """Draw labels with the probabilities of the classes."""
    bounds = torch.tensor(classes.probabilities, dtype=torch.float64).cumsum(0)[:-1]
    return torch.bucketize(
        torch.rand(num_samples, generator=generator, dtype=torch.float64), bounds, right=True
    )


def iterate_prior(
    seed: int,
    num_samples: int,
    latent_dim: int,
    classes: Classes | None = None,
    *,
    stream: int,
    block_size: int,
) -> Iterator[Tensor]:
    """Yield the latents or codes of one seed that `sample_prior` draws, in blocks (n, M).

    Arguments:
        seed: Seed of the run.
        num_samples: Number of latents.
        latent_dim: Dimension M.
        classes: Classes that a conditional generator reads.
        stream: Index of the random stream.
        block_size: Smallest number of latents in a block, rounded to a multiple of 16; the last
            block has up to twice as many.

    Examples:
        >>> from iidgan.engine.inference import iterate_prior
        >>> [len(block) for block in iterate_prior(0, 100, 2, stream=0, block_size=32)]
        [32, 32, 36]
    """
    # torch draws 16 numbers at a time, and the rest in another way: only the last block has one
    rows = max(block_size // RANDOM_GROUP, 1) * RANDOM_GROUP
    generator = torch.Generator().manual_seed(derive_seed(seed, 2, stream))
    label_generator = _label_generator(seed, stream)

    def draw(num: int) -> Tensor:
        z = torch.randn(num, latent_dim, generator=generator)
        if classes is None:
            return z
        return encode_codes(z, _draw_labels(label_generator, num, classes), len(classes))

    while num_samples >= 2 * rows:
        yield draw(rows)
        num_samples -= rows
    yield draw(num_samples)


RANDOM_GROUP = 16


@torch.no_grad()
def inference_networks(
    state: State, batch_stream: BatchStream, *, num_batches: int = NUM_STATISTICS_BATCHES
) -> nn.ModuleDict:
    """Copy the maps G and F with their final (or averaged) weights, in evaluation mode.

    Layers that normalise by batch statistics get fixed statistics from `num_batches` batches.

    Arguments:
        state: The state of S seeds.
        batch_stream: Batches from which the fixed statistics are computed.
        num_batches: Number of these batches.

    Returns:
        `G`, and `F` if the method trains an inverse.
    """
    trained_nets = state.nets if state.ema_nets is None else state.ema_nets
    nets = nn.ModuleDict(
        {name: copy.deepcopy(trained_nets[name]) for name in ("G", "F") if name in trained_nets}
    )
    nets.requires_grad_(False).train()
    if any(isinstance(module, HasBatchStatistics) for module in nets.modules()):
        with _recorded_statistics(nets):
            for step in range(num_batches):
                batch = batch_stream.batches_at(step)[0]
                nets["G"](batch.z)
                if "F" in nets:
                    nets["F"](batch.x)
    return nets.eval()


@contextmanager
def _recorded_statistics(nets: nn.ModuleDict) -> Iterator[None]:
    """Record the batch moments of every normalising layer and fix their means on exit."""
    norm_layers = [module for module in nets.modules() if isinstance(module, HasBatchStatistics)]
    recorded: list[list[tuple[Tensor, Tensor]]] = [[] for _ in norm_layers]

    def make_hook(index: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def record_moments(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            recorded[index].append(norm_layers[index].batch_moments(inputs[0]))

        return record_moments

    handles = [
        layer.register_forward_pre_hook(make_hook(index))
        for index, layer in enumerate(norm_layers)
        if isinstance(layer, nn.Module)
    ]
    yield
    for handle in handles:
        handle.remove()
    for layer, layer_moments in zip(norm_layers, recorded, strict=True):
        means, squares = zip(*layer_moments)
        layer.set_statistics(torch.stack(means).mean(0), torch.stack(squares).mean(0))


def in_own_units(nets: nn.ModuleDict, scaling: Standardisation | None) -> nn.ModuleDict:
    """Let G return, and F read, samples in the data's own units.

    Arguments:
        nets: `G`, and `F` if there is one, trained on standardised samples if there is a scaling.
        scaling: Map from the data's own units to standardised samples, if these differ.
    """
    if scaling is None:
        return nets
    wrappers = {"G": _RestoredOutput, "F": _StandardisedInput}
    return nn.ModuleDict({name: wrappers[name](net, scaling) for name, net in nets.items()})


class _RestoredOutput(nn.Module):
    def __init__(self, network: nn.Module, scaling: Standardisation) -> None:
        super().__init__()
        self.network, self.scaling = network, scaling

    def forward(self, z: Tensor) -> Tensor:
        return self.scaling.restore(self.network(z))


class _StandardisedInput(nn.Module):
    def __init__(self, network: nn.Module, scaling: Standardisation) -> None:
        super().__init__()
        self.network, self.scaling = network, scaling

    def forward(self, x: Tensor) -> Tensor:
        codes: Tensor = self.network(self.scaling.standardise(x))
        return codes


@torch.no_grad()
def map_chunked(network: nn.Module, inputs: Tensor) -> Tensor:
    """Map inputs through a network in chunks of `CHUNK_SIZE` samples.

    Arguments:
        network: Map from (S, n, ...) to (S, n, ...).
        inputs: Inputs of S seeds, (S, N, ...).

    Returns:
        Outputs, (S, N, ...), on the CPU.

    Examples:
        >>> import torch
        >>> from iidgan.engine.inference import map_chunked
        >>> from iidgan.nn.layers.linear import Linear
        >>> map_chunked(Linear(2, 3), torch.zeros(1, 5000, 2)).shape
        torch.Size([1, 5000, 3])
    """
    device = next(network.parameters()).device
    first_chunk, *other_chunks = inputs.split(CHUNK_SIZE, dim=1)
    first_output = network(first_chunk.to(device))
    num_seeds, num_samples = len(first_output), inputs.shape[1]
    # Chunks are written into one tensor: concatenating them would need twice the memory.
    outputs = torch.empty(
        num_seeds, num_samples, *first_output.shape[2:], dtype=first_output.dtype
    )
    first_target, *other_targets = outputs.split(CHUNK_SIZE, dim=1)
    first_target.copy_(first_output)
    for target, chunk in zip(other_targets, other_chunks, strict=True):
        target.copy_(network(chunk.to(device)))
    return outputs
