"""Contracts of a backbone: shapes of its networks, and contracts of a method that uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from iidgan.core import Backbone, Batch, Losses, Method, Nets, NetworkFactory, Player
from iidgan.functional.gradient import gradient_norm_penalty
from iidgan.functional.reduce import mean_per_seed
from iidgan.testing.method import check_method
from iidgan.testing.mini_run import MiniRun, float64_default
from iidgan.testing.value import class_name, require, require_json_roundtrip, require_value


def check_backbone(backbone: Backbone, shape: tuple[int, ...] = (2,)) -> None:
    """Check every contract of a backbone.

    It is a value that survives JSON; its networks have the declared shapes, those with features
    are their head of their features, and a method that trains all of them passes `check_method`:
    every parameter has the seed axis, and seeds do not mix.

    Arguments:
        backbone: The backbone to check; a small one takes seconds.
        shape: Shape of one sample, such as (1, 28, 28).

    Raises:
        AssertionError: The backbone violates a contract.
        InputError: It builds no networks for samples of this shape.

    Examples:
        >>> import iidgan
        >>> check_backbone(iidgan.MLP)
        Traceback (most recent call last):
        ...
        AssertionError: backbone: must be a Backbone, got <class '...MLP'>; call it
    """
    require_value(backbone, Backbone)
    require_json_roundtrip("arch", backbone)
    arch = NetworkFactory(backbone, shape)
    with float64_default():
        _check_networks(MiniRun(AllNetworksMethod(), arch))
    check_method(AllNetworksMethod(), arch)


NUM_OUTPUTS = 3
"""Outputs of the additional head."""


@dataclass(frozen=True, kw_only=True)
class AllNetworksMethod(Method):
    """A method that trains every network of a backbone, with second derivatives of two."""

    @property
    def players(self) -> tuple[Player, ...]:
        critics = ("spectral", "joint", "latent", "plain", "head")
        return (
            Player("D", self.loss_D, trains=critics),
            Player("G", self.loss_G, trains=("G", "F", "E")),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            "G": factory.build_generator(),
            "F": factory.build_inverse(),
            "E": factory.build_encoder(factory.latent),
            "spectral": factory.build_discriminator(spectral=True),
            "plain": factory.build_discriminator(),
            "joint": factory.build_joint_discriminator(),
            "latent": factory.build_latent_discriminator(),
            "head": factory.build_head(NUM_OUTPUTS),
        }

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        fake, codes = nets.G(batch.z), nets.F(batch.x)
        logit_gaps = {
            "spectral": nets.spectral(fake) - nets.spectral(batch.x),
            "joint": nets.joint(fake, batch.z) - nets.joint(batch.x, codes),
            "latent": nets.latent(codes) - nets.latent(batch.z),
        }
        slopes = {
            f"slope_{name}": gradient_norm_penalty(getattr(nets, name), batch.x, fake, batch.u)
            for name in ("spectral", "plain")
        }
        head_outputs = nets.head(nets.features("plain", batch.x))
        return (
            {name: mean_per_seed(softplus(gap)) for name, gap in logit_gaps.items()}
            | slopes
            | {"head": mean_per_seed((head_outputs - 1).square())}
        )

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        fake = nets.G(batch.z)
        code_errors = (nets.F(fake) - batch.z).square() + (nets.E(fake) - batch.z).square()
        logits = nets.plain(fake) + nets.spectral(fake) + nets.joint(fake, batch.z)
        return {
            "adversarial": mean_per_seed(softplus(-logits)),
            "cycle": mean_per_seed((nets.G(nets.F(batch.x)) - batch.x).square()),
            "codes": mean_per_seed(code_errors),
        }


def _check_networks(mini_run: MiniRun) -> None:
    """Check which networks have features, and the shapes of all outputs."""
    nets, batch = mini_run.init_state().nets, mini_run.draw_batches()[0][0]
    inputs: dict[str, tuple[Tensor, ...]] = {
        "G": (batch.z,),
        **dict.fromkeys(("F", "E", "spectral", "plain"), (batch.x,)),
        "joint": (batch.x, batch.z),
        "latent": (batch.z,),
    }
    name, builders = class_name(mini_run.arch.backbone), BUILDERS
    for net_name in ("G", "E", "spectral", "plain"):
        require(
            _is_head_of_features(nets[net_name], *inputs[net_name]),
            f"{name}.{builders[net_name]} must build a network with `features` and `head`, whose "
            "output is head(features(x))",
        )
    inputs["head"] = (nets["plain"].features(batch.x),)  # type: ignore[operator]
    for net_name, net_inputs in inputs.items():
        output_shape = tuple(nets[net_name](*net_inputs).shape)
        expected_shape = (*batch.z.shape[:2], *_sample_shape(net_name, mini_run.arch))
        input_shapes = " and ".join(str(tuple(x.shape)) for x in net_inputs)
        require(
            output_shape == expected_shape,
            f"{name}.{builders[net_name]} builds a network that maps {input_shapes} to "
            f"{output_shape}, expected {expected_shape}",
        )


BUILDERS: Mapping[str, str] = {
    "G": "build_generator",
    "F": "build_inverse",
    "E": "build_encoder",
    "spectral": "build_discriminator(spectral=True)",
    "plain": "build_discriminator",
    "joint": "build_joint_discriminator",
    "latent": "build_latent_discriminator",
    "head": "build_head",
}
"""Names of the methods of a backbone that build the networks of `AllNetworksMethod`."""


def _is_head_of_features(net: nn.Module, x: Tensor) -> bool:
    head, features = getattr(net, "head", None), getattr(net, "features", None)
    return callable(head) and callable(features) and torch.equal(net(x), head(features(x)))


def _sample_shape(net_name: str, arch: NetworkFactory) -> tuple[int, ...]:
    """Shape of one output of a network, without seed and batch axes; logits have none."""
    shapes = {"G": arch.shape, "F": (arch.latent,), "E": (arch.latent,), "head": (NUM_OUTPUTS,)}
    return shapes.get(net_name, ())
