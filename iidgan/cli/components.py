"""Components that the command line chooses by name, and the typed flags of their fields."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

import tyro

from iidgan.config.plugins import get_type_name
from iidgan.config.registry import create_component
from iidgan.core import Metric
from iidgan.errors import InputError

ComponentT = TypeVar("ComponentT")
OptionsT = TypeVar("OptionsT")

FLAG_ALIASES = {
    "--lr": "--optimiser.lr",
    "--root": "--source.root",
    "--latent": "--arch.latent",
    "--width": "--arch.width",
}


def expand_flag(word: str) -> str:
    """Expand a short flag, and change the spelling `--optimizer` to `--optimiser`."""
    flag, equals, value = word.partition("=")
    flag = FLAG_ALIASES.get(flag, flag)
    flag = re.sub(r"^--optimizer(?=$|\.)", "--optimiser", flag)
    return flag + equals + value


def split_component_names(
    arguments: Sequence[str], kinds: Collection[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """Separate flags such as `--method NAME` from the other arguments.

    Arguments:
        arguments: Words of the command line.
        kinds: Names of the flags, without dashes.

    Returns:
        The names by kind, and the other arguments, with expanded flags.
    """
    component_names: dict[str, list[str]] = {kind: [] for kind in kinds}
    other_arguments = []
    words = map(expand_flag, arguments)
    for word in words:
        flag, equals, value = word.partition("=")
        if flag.startswith("--") and flag[2:] in component_names:
            name = value if equals else next(words, "")
            component_names[flag[2:]].append(_check_name(flag, name))
        else:
            other_arguments.append(word)
    return component_names, other_arguments


def _check_name(flag: str, name: str) -> str:
    if not name or name.startswith("--"):
        raise InputError(f"{flag}: needs a name; iidgan list shows them")
    return name


def find_flag_value(arguments: Sequence[str], flag: str) -> str | None:
    """Find the value of a flag in `--flag VALUE` or `--flag=VALUE`."""
    for index, word in enumerate(arguments):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag and index + 1 < len(arguments):
            return arguments[index + 1]
    return None


def get_flag_prefix(component: object) -> str:
    """Return the prefix of a component's flags, such as `gaussian` or `myterm`."""
    return re.split(r"[:.]", get_type_name(type(component)))[-1].lower()


def check_flag_prefixes(prefixes: Sequence[str], reserved_names: Collection[str]) -> None:
    """Check that each component has flags of its own.

    Raises:
        InputError: A prefix is used twice, or by another option.
    """
    used_names = set(reserved_names)
    for prefix in prefixes:
        if prefix in used_names:
            raise InputError(
                f"{prefix}: --{prefix} is used already; set its options with --{prefix}.NAME"
            )
        used_names.add(prefix)


def make_flags_type(
    options_type: type[OptionsT], components: Mapping[str, object]
) -> type[OptionsT]:
    """Extend a dataclass of options with the fields of components.

    Arguments:
        options_type: Frozen dataclass of the other options.
        components: Components by the prefix of their flags. Those that are not dataclasses have
            no flags.
    """
    return dataclasses.make_dataclass(
        options_type.__name__,
        list(_iterate_fields(components)),
        bases=(options_type,),
        frozen=True,
        kw_only=True,
        namespace={"__doc__": options_type.__doc__},
    )


def _iterate_fields(components: Mapping[str, object]) -> Iterator[tuple[str, Any, Any]]:
    for prefix, component in components.items():
        if dataclasses.is_dataclass(component) and dataclasses.fields(component):
            default_value = dataclasses.field(default_factory=partial(copy.copy, component))
            field_type: Any = Annotated[type(component), tyro.conf.arg(name=prefix)]
            yield _field_name(prefix), field_type, default_value


def _field_name(prefix: str) -> str:
    return prefix.replace("-", "_")


def get_parsed_components(
    options: object, components: Mapping[str, ComponentT]
) -> dict[str, ComponentT]:
    """Return the components with the values of parsed flags."""
    return {
        prefix: getattr(options, _field_name(prefix), component)
        for prefix, component in components.items()
    }


def create_metrics(names: Sequence[str]) -> dict[str, Metric]:
    """Create the metrics of `--metric` by the prefix of their flags.

    Raises:
        InputError: A metric is unknown, invalid or given twice.
    """
    metrics: dict[str, Metric] = {}
    for name in names:
        metric = create_component("metrics", name, Metric)  # type: ignore[type-abstract]
        prefix = get_flag_prefix(metric)
        if prefix in metrics:
            raise InputError(f"metric: {prefix!r} is given twice")
        metrics[prefix] = metric
    return metrics
