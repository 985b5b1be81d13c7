"""From a trained state to samples: final weights, standing statistics, and maps in chunks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from iidgan.core import Standing
from iidgan.engine.sampling import Batches
from iidgan.engine.state import State, entropy

CHUNK = 1024  # samples a forward pass, per seed: more is slower, as activations leave the caches


def prior(seeds: Sequence[int], num: int, latent: int, *, stream: int = 0) -> Tensor:
    """Draws latents (S, num, M), those of a seed the same whatever stands beside it.

    Arguments:
        seeds: Seeds of the run.
        num: Latents per seed.
        latent: Dimension M.
        stream: Which of the unrelated sets of latents.
    """
    generators = [torch.Generator().manual_seed(entropy(seed, 2, stream)) for seed in seeds]
    return torch.stack([torch.randn(num, latent, generator=g) for g in generators])


@torch.no_grad()
def final(state: State, batches: Batches, *, num_batches: int = 50) -> nn.ModuleDict:
    """Copies the maps G and F with final (or averaged) weights, ready for evaluation.

    Layers that normalised by the batch get standing statistics from `num_batches` batches.
    """
    source = state.nets if state.average is None else state.average
    nets = nn.ModuleDict(
        {name: copy.deepcopy(source[name]) for name in ("G", "F") if name in source}
    )
    nets.requires_grad_(False).train()
    if any(isinstance(module, Standing) for module in nets.modules()):
        with _observed(nets):
            for step in range(num_batches):
                batch = batches.at(step)[0]
                nets["G"](batch.z)
                if "F" in nets:
                    nets["F"](batch.x)
    return nets.eval()


@contextmanager
def _observed(nets: nn.ModuleDict) -> Iterator[None]:
    """Averages the moments of every normalising layer's inputs and lets it stand on them."""
    layers = [module for module in nets.modules() if isinstance(module, Standing)]
    seen: list[list[tuple[Tensor, Tensor]]] = [[] for _ in layers]

    def observe(
        index: int,
    ) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen[index].append(layers[index].moments(inputs[0]))

        return hook

    hooks = [
        layer.register_forward_pre_hook(observe(index))
        for index, layer in enumerate(layers)
        if isinstance(layer, nn.Module)
    ]
    yield
    for hook in hooks:
        hook.remove()
    for layer, moments in zip(layers, seen, strict=True):
        means, squares = zip(*moments)
        layer.stand(torch.stack(means).mean(0), torch.stack(squares).mean(0))


@torch.no_grad()
def apply(net: nn.Module, inputs: Tensor) -> Tensor:
    """Maps (S, N, ...) through a network in chunks of N, to the CPU."""
    device = next(net.parameters()).device
    first, *others = inputs.split(CHUNK, dim=1)
    part = net(first.to(device))
    # Filled rather than joined, lest everything be there twice.
    found = torch.empty(len(part), inputs.shape[1], *part.shape[2:], dtype=part.dtype)
    place, *places = found.split(CHUNK, dim=1)
    place.copy_(part)
    for place, chunk in zip(places, others, strict=True):
        place.copy_(net(chunk.to(device)))
    return found
