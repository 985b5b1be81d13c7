"""Migration of the JSON files of older run directories to the current format.

Version 1 had no key `version`; version 2 has it, and is otherwise the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.files import oserror_as_input_error

VERSION = 2
"""Version of `run.json` and of `generator/config.json`, as they are written now."""


def read_facts(file: Path) -> dict[str, Any]:
    """Read a JSON file of a run directory of any version, without changing the file.

    Raises:
        InputError: It cannot be read, is not a JSON object, or has an unknown version.
    """
    with oserror_as_input_error(file):
        raw_content = file.read_bytes()
    try:
        facts = json.loads(raw_content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: damaged ({error})") from None
    if not isinstance(facts, dict):
        raise InputError(f"{file}: damaged (must be a JSON object)")
    return migrate(facts, file)


def migrate(facts: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Convert `facts`, the content of `file`, to the current version.

    Raises:
        InputError: The version is newer than the current one, or invalid.
    """
    version = facts.get("version", 1)
    if type(version) is not int or version < 1:
        raise InputError(f"{file}: version must be an integer >= 1, got {version!r}")
    if version > VERSION:
        raise InputError(
            f"{file}: version {version} is newer than this iidgan ({VERSION}); upgrade iidgan"
        )
    return {**facts, "version": VERSION}
