"""What run folders held in the past, brought to what they hold today.

Version 1 had no key `version`; 2 has it, and is otherwise the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.files import explained

VERSION = 2
"""Version of `run.json` and of `generator/config.json`, as they are written today."""


def read_facts(file: Path) -> dict[str, Any]:
    """Reads a JSON file of a run folder, of whatever version; the file stays as it is.

    Raises:
        InputError: It cannot be read, is no JSON object, or has a version that is not known.
    """
    with explained(file):
        content = file.read_bytes()
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: damaged ({error})") from None
    if not isinstance(facts, dict):
        raise InputError(f"{file}: damaged (no JSON object)")
    return migrate(facts, file)


def migrate(facts: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Gives what `file`, which holds `facts`, would hold if it were written today.

    Raises:
        InputError: Its version is newer than today's, or is none.
    """
    version = facts.get("version", 1)
    if type(version) is not int or version < 1:
        raise InputError(f"{file}: version {version!r} is not a whole number from 1 on")
    if version > VERSION:
        raise InputError(
            f"{file}: version {version} is newer than this iidgan ({VERSION}); upgrade iidgan"
        )
    return {**facts, "version": VERSION}
