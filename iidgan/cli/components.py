"""Components that the command line chooses by name, and the typed flags of their fields."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

import tyro

from iidgan.cli.parse import parse_options
from iidgan.config.plugins import get_type_name
from iidgan.config.registry import create_component, find, list_required_arguments
from iidgan.core import Metric
from iidgan.errors import InputError

ComponentT = TypeVar("ComponentT")
OptionsT = TypeVar("OptionsT")

REPEATABLE_KINDS = ("term", "metric")
"""Kinds of which a run may have several components, each with flags under its own name."""

FLAG_ALIASES = {
    "--lr": "--optimiser.lr",
    "--root": "--source.root",
    "--latent": "--arch.latent",
    "--width": "--arch.width",
    "--classes": "--method.classes",
}


def expand_flag(word: str) -> str:
    """Expand a short flag, and change the spelling `--optimizer` to `--optimiser`.

    Arguments:
        word: A flag, its value after `=` included, or any other word, which is not changed.

    Examples:
        >>> expand_flag("--lr=1e-3"), expand_flag("--optimizer.beta1"), expand_flag("ring")
        ('--optimiser.lr=1e-3', '--optimiser.beta1', 'ring')
    """
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

    Examples:
        >>> words = ["--term", "r1", "--term=r2", "--lr", "1e-3"]
        >>> split_component_names(words, ["method", "term"])
        ({'method': [], 'term': ['r1', 'r2']}, ['--optimiser.lr', '1e-3'])
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
    """Find the value of a flag in `--flag VALUE` or `--flag=VALUE`.

    Arguments:
        arguments: Words of the command line.
        flag: The flag, including dashes.

    Returns:
        The value; None if the flag is not there.

    Examples:
        >>> find_flag_value(["ring", "--seeds=5"], "--seeds")
        '5'
    """
    for index, word in enumerate(arguments):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag and index + 1 < len(arguments):
            return arguments[index + 1]
    return None


def get_flag_prefix(component_type: type) -> str:
    """Return the prefix of the flags of a term or metric, such as `gaussian` or `myterm`.

    Arguments:
        component_type: Class of the term or metric.

    Examples:
        >>> from iidgan import GaussianTerm
        >>> get_flag_prefix(GaussianTerm)
        'gaussian'
    """
    return re.split(r"[:.]", get_type_name(component_type))[-1].lower()


def check_flag_prefixes(prefixes: Sequence[str], reserved_names: Collection[str]) -> None:
    """Check that each component has flags of its own.

    Arguments:
        prefixes: Prefixes of the flags of all components.
        reserved_names: Names of other options.

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
            yield _field_name(prefix), _annotate_flags(type(component), prefix), default_value


def _annotate_flags(cls: type, prefix: str) -> Any:  # noqa: ANN401 - a special form
    """Annotate a dataclass with the prefix of its flags and the summary that --help shows."""
    return Annotated[cls, tyro.conf.arg(name=prefix, help=get_summary(cls) or None)]


def get_summary(component: object) -> str:
    """Return the first line of the docstring of a class or function; empty without a docstring."""
    docstring = inspect.getdoc(component) or ""
    is_generated = isinstance(component, type) and docstring.startswith(f"{component.__name__}(")
    return "" if is_generated else docstring.partition("\n")[0]


def _field_name(prefix: str) -> str:
    return prefix.replace("-", "_")


def get_parsed_components(
    options: object, components: Mapping[str, ComponentT]
) -> dict[str, ComponentT]:
    """Return the components with the values of parsed flags.

    Arguments:
        options: Parsed options, of a type of `make_flags_type`.
        components: The components that this type was made from, by the prefix of their flags.
    """
    return {
        prefix: getattr(options, _field_name(prefix), component)
        for prefix, component in components.items()
    }


def create_from_flags(
    kind: str, name: str, component_type: type[ComponentT], flags: Sequence[str]
) -> ComponentT:
    """Create a component; the fields that have no default take their values from flags.

    Its other flags are parsed together with those of all other components.

    Arguments:
        kind: Kind of the registry, such as `methods`.
        name: A registered name, or `package.module:Name`.
        component_type: Type of what it creates.
        flags: All flags of the command.

    Raises:
        InputError: A flag of a field without a default is missing or wrong, or as for
            `create_component`.
    """
    cls = find(kind, name)
    has_fields = isinstance(cls, type) and dataclasses.is_dataclass(cls)
    if not (has_fields and issubclass(cls, component_type) and list_required_arguments(cls)):
        return create_component(kind, name, component_type)
    field = kind.removesuffix("s")
    prefix = get_flag_prefix(cls) if field in REPEATABLE_KINDS else field
    flags_type: type = dataclasses.make_dataclass(
        cls.__name__,
        [(_field_name(prefix), _annotate_flags(cls, prefix))],
        kw_only=True,
        namespace={
            "__doc__": f"Options of {name}; with those that are required, --help shows all."
        },
    )
    own_flags = list(_iterate_own_flags(prefix, flags))
    if not own_flags and {"-h", "--help"} & set(flags):
        own_flags = ["--help"]
    own_words = name if field == "source" else f"--{field} {name}"
    parsed_flags: Any = parse_options(flags_type, own_words, own_flags)
    return getattr(parsed_flags, _field_name(prefix))


def _iterate_own_flags(prefix: str, flags: Sequence[str]) -> Iterator[str]:
    """Select the flags that start with `--PREFIX.`, and their values."""
    is_own = False
    for word in flags:
        if re.match("--?[a-zA-Z]", word):  # no negative number
            is_own = word.startswith(f"--{prefix}.")
        if is_own:
            yield word


def create_metrics(names: Sequence[str], flags: Sequence[str]) -> dict[str, Metric]:
    """Create the metrics of `--metric` by the prefix of their flags.

    Arguments:
        names: Their names.
        flags: All flags of the command.

    Raises:
        InputError: A metric is unknown, invalid or given twice.
    """
    metrics: dict[str, Metric] = {}
    for name in names:
        metric = create_from_flags("metrics", name, Metric, flags)  # type: ignore[type-abstract]
        prefix = get_flag_prefix(type(metric))
        if prefix in metrics:
            raise InputError(f"metric: {prefix!r} is given twice")
        metrics[prefix] = metric
    return metrics
