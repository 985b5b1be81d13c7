"""Networks as losses call them, and optional protocols that networks and layers implement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from typing import Protocol, TypeGuard, runtime_checkable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.func import functional_call

from iidgan.core.batch import Batch
from iidgan.distributed.batch_share import BatchShare
from iidgan.distributed.network_calls import (
    NetworkPart,
    call_with_parameters,
    divide_inputs,
    replicate_parameters,
)
from iidgan.errors import InputError

TensorMap = Callable[[Tensor], Tensor]


class Nets(Mapping[str, nn.Module]):
    """Networks by name, callable as attributes: `nets.D(nets.G(batch.z))`.

    Outputs are cached: the same network is evaluated on the same tensor once, so that losses can
    be pure and self-contained while all players share G(z) and all terms share F(x).
    `invalidate` removes the outputs that depend on networks that have just been updated.

    Arguments:
        modules: The networks.
        use_bfloat16: Whether they compute in bfloat16 where autocast does. Outputs and features
            have the dtype of the inputs in either case, so that maps of them and losses are
            computed in full precision.
        group: Processes that evaluate networks on the same batches, of which each computes its
            share; inputs and outputs are those of the whole batch in every process. None: this
            process computes all of it.

    Examples:
        >>> nets = Nets({"G": nn.Linear(2, 3), "F": nn.Linear(3, 2)})
        >>> z = torch.zeros(1, 64, 2)
        >>> nets.F(nets.G(z)).shape
        torch.Size([1, 64, 2])
        >>> nets.G(z) is nets.G(z)  # computed once
        True
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        *,
        use_bfloat16: bool = False,
        group: dist.ProcessGroup | None = None,
    ) -> None:
        self._modules, self._use_bfloat16 = modules, use_bfloat16
        self._group = group
        # (name, input ids) -> (inputs, output); the inputs are kept so that no id is reused.
        self._cache: dict[tuple[object, ...], tuple[tuple[Tensor, ...], Tensor]] = {}
        # id of an output -> names of all networks that it depends on
        self._dependencies: dict[int, frozenset[str]] = {}
        self._input_maps: dict[str, tuple[TensorMap, ...]] = {}
        self._output_maps: dict[str, tuple[TensorMap, ...]] = {}
        self._conditions: dict[str, Tensor] = {}
        # name -> parameters for computations with shares of a batch
        self._replicas: dict[str, dict[str, Tensor]] = {}

    def __getitem__(self, name: str) -> nn.Module:
        if name not in self._modules:
            raise KeyError(self._unknown_name_message(name))
        return self._modules[name]

    def _unknown_name_message(self, name: str) -> str:
        return f"unknown network {name!r}; known: {', '.join(self._modules)}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        if name.startswith("_") or name not in self._modules:
            raise AttributeError(self._unknown_name_message(name))
        return lambda *inputs: self._call_network(name, *inputs)

    def features(self, name: str, x: Tensor) -> Tensor:
        """Compute the last hidden layer of a network, shared with its output.

        Arguments:
            name: Name of the network.
            x: Samples, with shape (S, B, *shape).

        Returns:
            Features, whose shape depends on the network.

        Raises:
            InputError: The network has no features.

        Examples:
            >>> from iidgan.core import NetworkFactory
            >>> from iidgan.nn import MLP
            >>> factory = NetworkFactory(MLP(hidden=(100, 50)), shape=(2,))
            >>> nets = Nets({"D": factory.build_discriminator()})
            >>> nets.features("D", torch.zeros(1, 64, 2)).shape
            torch.Size([1, 64, 50])
        """
        module = self[name]
        if not _has_features(module):
            raise InputError(
                f"method: network {name!r} must have `features` and `head`, got "
                f"{type(module).__name__}"
            )
        inputs = self._add_condition(name, x)

        def compute() -> Tensor:
            hidden = self._restore_dtype(self._hidden_features(name, *inputs), x)
            share = self._divide(name, inputs)
            return share.gather(hidden, 1) if share else hidden

        return self._get_or_compute((name, "features"), inputs, compute)

    def _hidden_features(self, name: str, *inputs: Tensor) -> Tensor:
        """Compute the features as the head reads them: in its dtype, and of the share."""

        def compute() -> Tensor:
            mapped_inputs = (self._map_input(name, inputs[0]), *inputs[1:])
            share = self._divide(name, inputs)
            return self._run(name, _select_features, share, *_scatter(share, mapped_inputs))

        return self._get_or_compute((name, "hidden"), inputs, compute)

    def with_input_map(self, name: str, input_map: TensorMap) -> Nets:
        """Return networks of which one applies a map to its first input.

        The cache is shared: within one update, all losses must use the same maps.

        Arguments:
            name: Name of the network.
            input_map: Map of tensors, applied after earlier ones.

        Examples:
            >>> nets = Nets({"D": nn.Identity()}).with_input_map("D", lambda x: x + 0.5)
            >>> nets.D(torch.zeros(1, 2))
            tensor([[0.5000, 0.5000]])
        """
        view = self._share_cache()
        view._input_maps = self._input_maps | {
            name: (*self._input_maps.get(name, ()), input_map),
        }
        return view

    def without_input_maps(self, name: str) -> Nets:
        """Return networks of which one reads its inputs as they are, with a cache of their own.

        Arguments:
            name: Name of the network.

        Examples:
            >>> nets = Nets({"D": nn.Identity()}).with_input_map("D", lambda x: x + 0.5)
            >>> nets.without_input_maps("D").D(torch.zeros(1, 2))
            tensor([[0., 0.]])
        """
        view = self.with_own_cache()
        view._input_maps = {**self._input_maps, name: ()}
        return view

    def with_output_map(self, name: str, output_map: TensorMap) -> Nets:
        """Return networks of which one applies a map to its output, with a shared cache.

        Arguments:
            name: Name of the network.
            output_map: Map of tensors, applied after earlier ones.

        Examples:
            >>> nets = Nets({"F": nn.Identity()}).with_output_map("F", torch.tanh)
            >>> nets.F(torch.zeros(1, 2))
            tensor([[0., 0.]])
        """
        view = self._share_cache()
        view._output_maps = self._output_maps | {
            name: (*self._output_maps.get(name, ()), output_map),
        }
        return view

    def with_condition(self, name: str, condition: Tensor) -> Nets:
        """Return networks of which one gets a second input in every call, with a shared cache.

        Arguments:
            name: Name of the network.
            condition: The second input.

        Examples:
            >>> D = nn.Bilinear(3, 2, 1)
            >>> nets = Nets({"D": D}).with_condition("D", torch.zeros(1, 64, 2))
            >>> nets.D(torch.zeros(1, 64, 3)).shape
            torch.Size([1, 64, 1])
        """
        view = self._share_cache()
        view._conditions = self._conditions | {name: condition}
        return view

    def with_layer_noise(self, batch: Batch) -> Nets:
        """Return networks whose layers read the noise of a batch, with a shared cache.

        It is a second input of each network that is `HasLayerNoise`, in every call.

        Arguments:
            batch: A batch with the noise of `layer_noise_shapes`; without it networks read theirs.
        """
        view = self
        for name, module in self._modules.items():
            noise = batch.noise.get(_layer_noise_name(name))
            if isinstance(module, HasLayerNoise) and noise is not None:
                view = view.with_condition(name, noise)
        return view

    def with_own_cache(self) -> Nets:
        """Return networks that are evaluated in the same way, with a cache of their own."""
        return self._create_view(self._modules)

    def _share_cache(self) -> Nets:
        view = self._create_view(self._modules)
        view._cache, view._dependencies = self._cache, self._dependencies
        view._replicas = self._replicas
        return view

    def _create_view(self, modules: Mapping[str, nn.Module]) -> Nets:
        view = Nets(modules, use_bfloat16=self._use_bfloat16, group=self._group)
        view._input_maps, view._output_maps = self._input_maps, self._output_maps
        view._conditions = self._conditions
        return view

    def with_parameters(self, name: str, parameters: Mapping[str, Tensor]) -> Nets:
        """Return networks of which one has other parameters, with a cache of their own.

        Arguments:
            name: Name of the network.
            parameters: Parameters by their names in the network; others stay.

        Examples:
            >>> nets = Nets({"D": nn.Linear(1, 1)})
            >>> zeros = {"weight": torch.zeros(1, 1), "bias": torch.ones(1)}
            >>> nets.with_parameters("D", zeros).D(torch.randn(3, 1)).flatten()
            tensor([1., 1., 1.])
        """
        replaced_network = _ReplacedParameters(self._modules[name], parameters)
        return self._create_view({**self._modules, name: replaced_network})

    def invalidate(self, names: Iterable[str]) -> None:
        """Remove every cached output that depends on one of the networks.

        Arguments:
            names: Names of the networks, which have just been updated.

        Examples:
            >>> nets = Nets({"G": nn.Linear(2, 2), "D": nn.Linear(2, 1)})
            >>> z = torch.zeros(1, 64, 2)
            >>> fake, logits = nets.G(z), nets.D(nets.G(z))
            >>> nets.invalidate(["D"])
            >>> nets.G(z) is fake, nets.D(fake) is logits
            (True, False)
        """
        stale_names = set(names)
        for name in stale_names & self._replicas.keys():
            del self._replicas[name]
        for cache_key, (_, output) in list(self._cache.items()):
            if stale_names & self._dependencies[id(output)]:
                del self._cache[cache_key]
        cached_ids = {id(output) for _, output in self._cache.values()}
        for output_id in self._dependencies.keys() - cached_ids:
            del self._dependencies[output_id]

    def _call_network(self, name: str, *inputs: Tensor) -> Tensor:
        inputs = self._add_condition(name, *inputs)
        return self._get_or_compute((name,), inputs, lambda: self._evaluate_network(name, *inputs))

    def _add_condition(self, name: str, *inputs: Tensor) -> tuple[Tensor, ...]:
        return (*inputs, self._conditions[name]) if name in self._conditions else inputs

    def _evaluate_network(self, name: str, *inputs: Tensor) -> Tensor:
        share = self._divide(name, inputs)
        if _has_features(self._modules[name]):
            hidden = self._hidden_features(name, *inputs)
            output = self._run(name, _select_head, share, hidden)
        else:
            first_inputs = (self._map_input(name, x) for x in inputs[:1])
            share_inputs = _scatter(share, (*first_inputs, *inputs[1:]))
            output = self._run(name, _select_network, share, *share_inputs)
        output = self._restore_dtype(output, *inputs)
        output = share.gather(output, 1) if share else output
        return _apply_maps(self._output_maps.get(name, ()), output)

    def _run(
        self, name: str, part: NetworkPart, share: BatchShare | None, *inputs: Tensor
    ) -> Tensor:
        """Evaluate a part of a network, on the whole batch or on the share of this process."""
        network = self._modules[name]
        with self._autocast(*inputs):
            if share is None:
                return part(network)(*inputs)
            network, parameters = _split_replaced(network)
            if torch.is_grad_enabled():
                parameters = self._replicate(name, parameters, share.group)
            with share.activate():
                return call_with_parameters(network, part, parameters, *inputs)

    def _replicate(
        self, name: str, parameters: Mapping[str, Tensor], group: dist.ProcessGroup
    ) -> Mapping[str, Tensor]:
        """Return parameters whose gradients are summed over all processes, once an update."""
        if name not in self._replicas:
            self._replicas[name] = replicate_parameters(parameters, group)
        return self._replicas[name]

    def _divide(self, name: str, inputs: tuple[Tensor, ...]) -> BatchShare | None:
        """Choose the share of a batch that this process computes; None: all of it."""
        if self._group is None:
            return None
        return divide_inputs(_split_replaced(self._modules[name])[0], inputs, self._group)

    def _map_input(self, name: str, x: Tensor) -> Tensor:
        return _apply_maps(self._input_maps.get(name, ()), x)

    def _get_or_compute(
        self, key: tuple[str, ...], inputs: tuple[Tensor, ...], compute: Callable[[], Tensor]
    ) -> Tensor:
        """Return the cached output of network `key[0]` for these inputs, or compute it."""
        cache_key = (*key, *map(id, inputs))
        if cache_key not in self._cache:
            output = compute()
            self._cache[cache_key] = (inputs, output)
            input_dependencies = (self._dependencies.get(id(x), frozenset()) for x in inputs)
            self._dependencies[id(output)] = frozenset({key[0]}).union(*input_dependencies)
        return self._cache[cache_key][1]

    def _autocast(self, *inputs: Tensor) -> AbstractContextManager[object]:
        """Return the context in which a network computes."""
        if not self._use_bfloat16 or not inputs:
            return nullcontext()
        return torch.autocast(inputs[0].device.type, torch.bfloat16)

    def _restore_dtype(self, output: Tensor, *inputs: Tensor) -> Tensor:
        """Convert what a network computed to the dtype of its inputs."""
        return output.to(inputs[0].dtype) if self._use_bfloat16 and inputs else output


def _select_network(network: nn.Module) -> Callable[..., Tensor]:
    return network


_select_features: NetworkPart = attrgetter("features")
_select_head: NetworkPart = attrgetter("head")


def _scatter(share: BatchShare | None, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(share.scatter(x, 1) for x in inputs) if share else inputs


def _split_replaced(module: nn.Module) -> tuple[nn.Module, Mapping[str, Tensor]]:
    """Return the network itself, and all its parameters."""
    if not isinstance(module, _ReplacedParameters):
        return module, dict(module.named_parameters())
    network, parameters = module.network_and_parameters
    return network, {**dict(network.named_parameters()), **parameters}


def _apply_maps(tensor_maps: Iterable[TensorMap], x: Tensor) -> Tensor:
    for tensor_map in tensor_maps:
        x = tensor_map(x)
    return x


class _ReplacedParameters(nn.Module):
    """A network that is evaluated with other parameters than its own."""

    def __init__(self, network: nn.Module, parameters: Mapping[str, Tensor]) -> None:
        super().__init__()
        # In a tuple, so that the network is not registered as a submodule.
        self.network_and_parameters = network, dict(parameters)

    def forward(self, *inputs: Tensor) -> Tensor:
        output: Tensor = functional_call(*self.network_and_parameters, inputs)
        return output


class HasFeatures(Protocol):
    """A network whose output is `head(features(x))`; features are its last hidden layer.

    `features` of a network with a condition (`Nets.with_condition`) gets it as well.
    """

    head: nn.Module

    def features(self, *inputs: Tensor) -> Tensor: ...


def _has_features(module: nn.Module) -> TypeGuard[HasFeatures]:
    # A check against the protocol would bypass __getattr__, where torch keeps submodules.
    return hasattr(module, "head") and callable(getattr(module, "features", None))


@runtime_checkable
class HasStyles(Protocol):
    """A generator that maps latents to styles, and reads these layer by layer.

    It maps styles (S, B, L, M) of its L layers to samples as well as latents (S, B, M).
    """

    def styles(self, z: Tensor) -> Tensor:
        """Compute the styles of latents, (S, B, M) -> (S, B, L, M)."""
        ...

    def truncate(self, styles: Tensor, psi: float) -> Tensor:
        """Draw styles towards their mean, at which they are for psi = 0."""
        ...


@runtime_checkable
class HasLayerNoise(Protocol):
    """A network whose layers read noise besides its input, `network(z, noise)`.

    Training draws the noise like all other randomness of a loss, so that a step is a function of
    seed and step; without it, as in sampling, the network reads fixed noise of its own.

    Attributes:
        layer_noise_shape: Shape of the noise of one sample.
    """

    layer_noise_shape: tuple[int, ...]


def layer_noise_shapes(networks: Mapping[str, nn.Module]) -> dict[str, tuple[int, ...]]:
    """Return the shapes for one sample of the noise that layers of networks read, by its name.

    Arguments:
        networks: Networks by name.

    Examples:
        >>> class NoisyLinear(nn.Linear):
        ...     layer_noise_shape = (3,)
        ...
        ...     def forward(self, z, noise=torch.zeros(3)):
        ...         return super().forward(z) + noise
        >>> layer_noise_shapes({"G": NoisyLinear(2, 3), "F": nn.Linear(3, 2)})
        {'layers_G': (3,)}
    """
    return {
        _layer_noise_name(name): module.layer_noise_shape
        for name, module in networks.items()
        if isinstance(module, HasLayerNoise)
    }


def _layer_noise_name(network_name: str) -> str:
    return f"layers_{network_name}"


@runtime_checkable
class HasPostUpdate(Protocol):
    """A module whose state changes after its player's updates, never in a forward pass.

    `post_update` receives the batch of the update, computes with tensors only, and keeps seeds
    separate.

    Examples:
        >>> class ClippedLinear(nn.Linear):
        ...     def post_update(self, batch):
        ...         self.weight.data.clamp_(-0.01, 0.01)
        >>> isinstance(ClippedLinear(2, 1), HasPostUpdate)
        True
    """

    def post_update(self, batch: Batch) -> None: ...


@runtime_checkable
class HasInputMatrix(Protocol):
    """A layer that is affine in its input, x -> A x + b.

    Examples:
        >>> class Scale(nn.Module):
        ...     def input_matrix(self):
        ...         return 2 * torch.eye(3)[None]  # of one seed
        >>> isinstance(Scale(), HasInputMatrix)
        True
    """

    def input_matrix(self) -> Tensor:
        """Return A of each seed, (S, outputs, inputs)."""
        ...


@runtime_checkable
class HasBatchStatistics(Protocol):
    """A layer that normalises by batch statistics in training and by fixed ones in sampling."""

    def batch_moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the means of `x` and of its square, by which the layer normalises.

        Arguments:
            x: Inputs of the layer.
        """
        ...

    def set_statistics(self, mean: Tensor, square: Tensor) -> None:
        """Set the statistics for sampling to averages of `batch_moments`.

        Arguments:
            mean: Means of the inputs.
            square: Means of their squares.
        """
        ...
