"""Migration of the JSON files of older run directories to the current format.

Version 1 had no key `version`; version 2 has it, and is otherwise the same. Since version 3 each
seed of a generator has its own number of steps, and the facts of a checkpoint are in its tensors'
file (`iidgan.engine.checkpoint` reads both kinds).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from iidgan.config.plugins import Plugin, resolve_plugins
from iidgan.config.run import Run
from iidgan.config.serialization import decode_dataclass
from iidgan.errors import InputError, UnnamedPluginError
from iidgan.utils.files import damage_as_input_error, read_regular_file

VERSION = 3
"""Version of `run.json` and of `generator/config.json`, as they are written now."""


def read_facts(file: Path) -> dict[str, Any]:
    """Read a JSON file of a run directory of any version, without changing the file.

    Arguments:
        file: A `run.json`, or the `config.json` of a generator.

    Returns:
        Its content, migrated to the current version.

    Raises:
        InputError: It cannot be read, is not a JSON object, or has an unknown version.
    """
    with damage_as_input_error(file):
        facts = json.loads(read_regular_file(file))
        if not isinstance(facts, dict):
            raise TypeError("must be a JSON object")
        return migrate(facts, file)


def migrate(facts: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Convert `facts`, the content of `file`, to the current version.

    Arguments:
        facts: Content of the file.
        file: The file, for messages.

    Raises:
        InputError: The version is newer than the current one, or invalid.

    Examples:
        >>> from pathlib import Path
        >>> from iidgan.training.migration import migrate
        >>> migrate({"seeds": [0, 1], "step": 500}, Path("config.json"))  # of version 1
        {'version': 3, 'seeds': [0, 1], 'steps': [500, 500]}
    """
    version = facts.get("version", 1)
    if type(version) is not int or version < 1:
        raise InputError(f"{file}: version must be an integer >= 1, got {version!r}")
    if version > VERSION:
        raise InputError(
            f"{file}: version {version} is newer than this iidgan ({VERSION}); upgrade iidgan"
        )
    migrated_facts = {"version": VERSION, **facts} | {"version": VERSION}
    if version < 3 and "step" in facts:
        migrated_facts["steps"] = [migrated_facts.pop("step")] * len(facts["seeds"])
    return migrated_facts


def decode_run(facts: Mapping[str, Any], file: Path, plugins: Iterable[Plugin]) -> Run:
    """Decode the run in `facts`, the content of `file`.

    Arguments:
        facts: Content of the file, of the current version.
        file: The file, for messages.
        plugins: Classes, or names of classes, that are not part of the package and may be used.

    Raises:
        UnnamedPluginError: The run uses a class that is neither part of the package nor among
            `plugins`.
        InputError: A plug-in cannot be imported, or the run is damaged.
    """
    plugin_types = resolve_plugins(plugins)
    with damage_as_input_error(file):
        try:
            run: Run = decode_dataclass(Run, facts["run"], plugin_types)
        except UnnamedPluginError as error:
            raise UnnamedPluginError(str(file), *error.names) from None
        return run


MAX_INTEGER = 2**63 - 1
"""Largest number that a tensor of integers can hold."""


def require_integers(value: Any, name: str, *, at_least: int = 0) -> tuple[int, ...]:  # noqa: ANN401
    """Convert a list of whole numbers that was read from a file.

    Arguments:
        value: What was read.
        name: Name of the list, for the message.
        at_least: Smallest number that is valid.

    Raises:
        ValueError: It is no such list.

    Examples:
        >>> from iidgan.training.migration import require_integers
        >>> require_integers([0, 1], "seeds")
        (0, 1)
        >>> require_integers([0, 1.5], "seeds")
        Traceback (most recent call last):
        ...
        ValueError: seeds must be whole numbers >= 0, got [0, 1.5]
    """
    is_valid = isinstance(value, list) and all(
        type(number) is int and at_least <= number <= MAX_INTEGER for number in value
    )
    if not is_valid:
        raise ValueError(f"{name} must be whole numbers >= {at_least}, got {value!r}")
    return tuple(value)
