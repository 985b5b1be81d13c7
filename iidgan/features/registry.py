"""Extractors by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from iidgan.config.plugins import import_by_name
from iidgan.config.registry import list_required_arguments
from iidgan.errors import InputError, unknown_name_error, wrong_type_error
from iidgan.evaluation.classifier.store import SUFFIX
from iidgan.features.baselines import create_pixels, create_random
from iidgan.features.classifier import create_classifier_features
from iidgan.features.dinov2 import create_dinov2
from iidgan.features.efficientnet import create_efficientnet_lite0
from iidgan.features.extractor import FrozenExtractor
from iidgan.features.inception import create_inception
from iidgan.features.preprocessing import ANTIALIASED_BICUBIC, Preprocessing

EXTRACTORS: dict[str, Callable[..., FrozenExtractor]] = {
    "efficientnet-lite0": create_efficientnet_lite0,
    "inception": create_inception,
    "dinov2": create_dinov2,
    "random": create_random,
    "pixels": create_pixels,
}


def create_extractor(name: str, **options: Any) -> FrozenExtractor:  # noqa: ANN401 - by extractor
    """Create an extractor by its name.

    Arguments:
        name: `efficientnet-lite0`, `inception`, `dinov2`, `random`, `pixels`, the classifier of a
            data set such as `mnist-classifier`, or `package.module:Net` of your own, as for
            `wrap_net`. It must be one that the caller gave: its module is executed.
        options: Arguments of the function that creates it, such as `size`.

    Raises:
        InputError: The name is unknown, an option is, or the creation fails.

    Examples:
        >>> create_extractor("pixels", size=8).protocol.num_features
        192
        >>> create_extractor("inceptoin")
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: extractor: unknown 'inceptoin'; did you mean 'inception'? ...
    """
    factory = _find_factory(name)
    try:
        return factory(**options)
    except TypeError as error:
        raise InputError(f"extractor: creating {name!r} failed ({error})") from error


def _find_factory(name: str) -> Callable[..., FrozenExtractor]:
    if name in EXTRACTORS:
        return EXTRACTORS[name]
    if ":" in name:
        return partial(_create_user_extractor, name)
    if name.endswith(SUFFIX):
        return partial(create_classifier_features, name)
    error = unknown_name_error("extractor", name, EXTRACTORS)
    raise InputError(f"{error}, NAME{SUFFIX} of a data set, or package.module:Net of your own")


def _create_user_extractor(name: str, **options: Any) -> FrozenExtractor:  # noqa: ANN401
    factory = import_by_name("extractor", name)
    if not callable(factory) or isinstance(factory, nn.Module):
        raise InputError(
            f"extractor: {name!r} must be a class or function that creates a network, got "
            f"{type(factory).__name__}"
        )
    if missing := [arg for arg in list_required_arguments(factory) if arg not in options]:
        raise InputError(f"extractor: {name!r} needs {', '.join(missing)}; give defaults")
    try:
        net = factory(**options)
    except Exception as error:  # a user's code may raise anything
        raise InputError(f"extractor: creating {name!r} failed ({error})") from error
    return net if isinstance(net, FrozenExtractor) else wrap_net(net, name)


def wrap_net(net: nn.Module, name: str) -> FrozenExtractor:
    """Make an extractor of a network of your own.

    Arguments:
        net: Maps float32 images of shape (n, 3, H, W) to features of shape (n, D). Its attribute
            `input_size`, a side or (height, width), decides what size they have (without: that of
            the images), and `value_range` what black and white are (without: 0 and 1). It is
            frozen in evaluation mode.
        name: Its name in the protocol.

    Raises:
        InputError: It is no module, returns something else, or has other attributes.

    Examples:
        >>> wrap_net(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()), "means").protocol
        FeatureProtocol(extractor='means', ..., num_features=12, input_size=None, ...)
    """
    if not isinstance(net, nn.Module):
        raise InputError(f"extractor: {name!r} must create a torch.nn.Module, got {type(net)}")
    size = getattr(net, "input_size", None)
    if isinstance(size, int):
        size = (size, size)
    preprocessing = Preprocessing(
        size=None if size is None else _read_pair(net, "input_size", size),
        filter=ANTIALIASED_BICUBIC,
        value_range=_read_pair(net, "value_range", getattr(net, "value_range", (0.0, 1.0))),
    )
    return FrozenExtractor(name, net, preprocessing)


def _read_pair(net: nn.Module, attribute: str, value: Any) -> tuple[Any, Any]:  # noqa: ANN401
    is_pair = isinstance(value, tuple | list) and len(value) == 2
    if not is_pair or not all(isinstance(number, int | float) for number in value):
        raise wrong_type_error(f"{type(net).__name__}.{attribute}", "two numbers", value)
    return value[0], value[1]
