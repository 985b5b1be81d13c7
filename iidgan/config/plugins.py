"""Classes that are not part of the package, and the names by which files refer to them.

Importing a module runs its code, so a module is imported only if the caller names it: on the
command line, or as an argument. A name that is read from a file is looked up among the listed type
names and the plug-ins of the caller, and never imported.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from iidgan.config.type_names import TYPE_NAMES
from iidgan.errors import (
    InputError,
    UnnamedPluginError,
    find_nearest_name,
    unknown_name_error,
)

Plugin = type | str
"""A dataclass that is not part of the package, or its name `package.module:Name`."""


def import_by_name(field: str, name: str) -> Any:  # noqa: ANN401 - what the name leads to
    """Import `package.module:Name`; the working directory is searched last.

    Arguments:
        field: What the name is for, in messages.
        name: A name that the caller gave. Names from files must not be passed.

    Returns:
        What the name leads to: a class, a function or another object.

    Raises:
        InputError: The name is malformed, or cannot be imported.

    Examples:
        >>> import_by_name("method", "iidgan.methods.gan:GAN")
        <class 'iidgan.methods.gan.GAN'>
        >>> import_by_name("method", "iidgan.methods.gan:GANN")
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: method: cannot import ...; did you mean 'GAN'?)
    """
    module_name, _, attribute_path = name.partition(":")
    if not module_name or not all(attribute_path.split(".")):
        raise InputError(f"{field}: expected 'package.module:Name', got {name!r}")
    try:
        working_dir = os.getcwd()
        if working_dir not in sys.path:  # the `iidgan` command lacks it, `python -m` has it
            sys.path.append(working_dir)
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{field}: cannot import {name!r} ({reason})") from None
    try:
        return attrgetter(attribute_path)(module)
    except AttributeError:
        nearest_name = find_nearest_name(
            attribute_path, filter(str.isidentifier, vars(module)), cutoff=0.6
        )
        name_hint = f"; did you mean {nearest_name!r}?" if nearest_name else ""
        raise InputError(
            f"{field}: cannot import {name!r} (no {attribute_path!r} in {module_name!r}"
            f"{name_hint})"
        ) from None


def resolve_plugins(plugins: Iterable[Plugin]) -> dict[str, type]:
    """Import the plug-ins that the caller names.

    Arguments:
        plugins: Dataclasses, or names such as `package.module:Name`.

    Returns:
        The classes by the names that files may use for them.

    Raises:
        InputError: A name cannot be imported, or something is not a dataclass.

    Examples:
        >>> resolve_plugins(["torch:Size"])
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: plugin: expected a dataclass or its name, got 'torch:Size'
    """
    if isinstance(plugins, str | type):
        raise InputError(f"plugins: expected a list, got {plugins!r} alone")
    types_by_name: dict[str, type] = {}
    for plugin in plugins:
        cls = import_by_name("plugin", plugin) if isinstance(plugin, str) else plugin
        if not (isinstance(cls, type) and is_dataclass(cls)):
            raise InputError(f"plugin: expected a dataclass or its name, got {plugin!r}")
        types_by_name[get_type_name(cls)] = cls
        if isinstance(plugin, str):  # which may lead to it from another module
            types_by_name[plugin] = cls
    return types_by_name


_NAMES_BY_TYPE = {cls: name for name, cls in TYPE_NAMES.items()}


_MAIN_SCRIPT, _MAIN_SCRIPT_OF_WORKER = "__main__", "__mp_main__"


def get_type_name(cls: type) -> str:
    """Return the name of a class in files: a listed one, or `module:Name`.

    Arguments:
        cls: A dataclass that a run consists of.

    Examples:
        >>> from iidgan import Ring
        >>> get_type_name(Ring)
        'ring'
    """
    is_of_worker = cls.__module__ == _MAIN_SCRIPT_OF_WORKER
    module_name = _MAIN_SCRIPT if is_of_worker else cls.__module__
    return _NAMES_BY_TYPE.get(cls) or f"{module_name}:{cls.__qualname__}"


def resolve_type(name: str, plugin_types: Mapping[str, type]) -> type:
    """Look up a dataclass by its type name; nothing is imported.

    Arguments:
        name: A name from a file.
        plugin_types: Classes of the caller by type name, as of `resolve_plugins`.

    Returns:
        The class.

    Raises:
        InputError: The name is neither listed nor one of the caller's.

    Examples:
        >>> resolve_type("ring", plugin_types={})
        <class 'iidgan.data.gaussian_mixture.Ring'>
    """
    cls = TYPE_NAMES.get(name) or plugin_types.get(name)
    if cls is None:
        raise unknown_name_error("type", name, TYPE_NAMES)
    return cls


def check_types_named(type_names: Iterable[str], plugin_types: Mapping[str, type]) -> None:
    """Check that the caller names every plug-in that a file refers to.

    Arguments:
        type_names: Type names in the file.
        plugin_types: Classes of the caller by type name, as of `resolve_plugins`.

    Raises:
        UnnamedPluginError: Some are not named; the error lists all of them.
    """
    unnamed = [
        name
        for name in dict.fromkeys(type_names)
        if _is_plugin_name(name) and name not in TYPE_NAMES and name not in plugin_types
    ]
    if unnamed:
        raise UnnamedPluginError("type", *unnamed)


def _is_plugin_name(name: str) -> bool:
    """Whether a name can be one of a plug-in, and so be quoted in a command without risk."""
    module_name, colon, attribute_path = name.partition(":")
    words = [*module_name.split("."), *attribute_path.split(".")]
    return bool(colon) and all(map(str.isidentifier, words))


def list_types(value: object) -> tuple[type, ...]:
    """List the classes of all dataclasses in a value, each once.

    Arguments:
        value: Dataclasses and tuples, nested in any way.

    Examples:
        >>> from iidgan import iid_gan
        >>> [cls.__name__ for cls in list_types(iid_gan())]
        ['Regularised', 'GAN', 'CycleTerm', 'GaussianTerm']
    """
    return tuple(dict.fromkeys(map(type, _iterate_dataclasses(value))))


def _iterate_dataclasses(value: object) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for item in value:
            yield from _iterate_dataclasses(item)
    elif is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in fields(value):
            yield from _iterate_dataclasses(getattr(value, field.name))


def describe_main_script_classes(value: object) -> str:
    """Describe which dataclasses in a value other programs cannot import.

    Arguments:
        value: Dataclasses and tuples, nested in any way.

    Returns:
        One line for the user; empty if all can be imported.
    """
    modules = (_MAIN_SCRIPT, _MAIN_SCRIPT_OF_WORKER)
    names = ", ".join(cls.__qualname__ for cls in list_types(value) if cls.__module__ in modules)
    if not names:
        return ""
    return (
        f"{names}: defined in the main script or a notebook, which alone can load this run, with "
        f"plugins=[{names}]; for other programs, move it to a module"
    )


def check_importable(value: object) -> None:
    """Check that the class of every dataclass in a value can be found by its name.

    Arguments:
        value: Dataclasses and tuples, nested in any way.

    Raises:
        InputError: A class is defined in a function, or its name leads to another class.
    """
    for cls in list_types(value):
        if cls not in _NAMES_BY_TYPE:
            _check_class_importable(cls)


def _check_class_importable(cls: type) -> None:
    type_name = get_type_name(cls)
    if "<locals>" in cls.__qualname__:
        raise InputError(
            f"type: {type_name!r} is defined in a function, from which it cannot be imported; "
            "define it at the top level of a module"
        )
    try:
        importable_class = attrgetter(cls.__qualname__)(sys.modules.get(cls.__module__))
    except AttributeError:
        importable_class = None
    if importable_class is not cls:
        raise InputError(
            f"type: {type_name!r} does not lead to the class in use; create the run again after "
            "a module is reloaded, and do not replace or remove classes of a module"
        )
