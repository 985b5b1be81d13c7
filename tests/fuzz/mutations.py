"""Random damage to files: bits, stretches of bytes, lines, and values of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from iidgan.utils.files import DIGESTS_FILE, file_sha256


def mutate_file(path: Path, rng: Random) -> None:
    """Damage a file; half of the JSON files stay JSON."""
    content = path.read_bytes()
    if path.suffix in (".json", ".jsonl") and rng.random() < 0.5:
        path.write_bytes(_mutate_json_lines(content, path.suffix, rng))
    else:
        path.write_bytes(rng.choice(BYTE_MUTATIONS)(content, rng))


def reseal_folder(folder: Path) -> None:
    """Write the digests of damaged files, as somebody would who made the folder by hand."""
    names = [path.name for path in sorted(folder.iterdir()) if path.name != DIGESTS_FILE]
    digests = {name: file_sha256(folder / name) for name in names}
    (folder / DIGESTS_FILE).write_text(json.dumps(digests))


def _flip_bit(content: bytes, rng: Random) -> bytes:
    if not content:
        return b"\x01"
    position = rng.randrange(len(content))
    flipped_byte = content[position] ^ 1 << rng.randrange(8)
    return content[:position] + bytes([flipped_byte]) + content[position + 1 :]


def _truncate(content: bytes, rng: Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _random_stretch(content: bytes, rng: Random, max_bytes: int = 1000) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    # No multiple of 512: without a whole member a TAR is a smaller one that is intact.
    return start, min(len(content), start + rng.choice((1, 4, 64, max_bytes)))


def _zero_stretch(content: bytes, rng: Random) -> bytes:
    # Less than a header of 512 bytes: a TAR whose last member is zeros ends before it, intact.
    start, end = _random_stretch(content, rng, 500)
    return content[:start] + bytes(end - start) + content[end:]


def _remove_stretch(content: bytes, rng: Random) -> bytes:
    start, end = _random_stretch(content, rng)
    return content[:start] + content[end:]


def _repeat_stretch(content: bytes, rng: Random) -> bytes:
    start, end = _random_stretch(content, rng)
    return content[:end] + content[start:]


def _randomise_stretch(content: bytes, rng: Random) -> bytes:
    start, end = _random_stretch(content, rng)
    return content[:start] + rng.randbytes(end - start) + content[end:]


BYTE_MUTATIONS: list[Callable[[bytes, Random], bytes]] = [
    _flip_bit,
    _truncate,
    _zero_stretch,
    _remove_stretch,
    _repeat_stretch,
    _randomise_stretch,
    lambda content, rng: b"",
    lambda content, rng: rng.randbytes(len(content)),
    lambda content, rng: content + rng.randbytes(16),
]

ODD_VALUES: list[Any] = [
    *(None, True, -1, 0, 2**70, 1e308, float("nan"), float("inf"), "", "x", "os:system"),
    *([], {}, [[]], {"type": "gan"}, "9" * 5000, [0] * 10_000, "../../x", "\x00"),
]


def _mutate_json_lines(content: bytes, suffix: str, rng: Random) -> bytes:
    """Change one value of a JSON file, or of one line of a JSON Lines file."""
    lines = content.splitlines() if suffix == ".jsonl" else [content]
    if not lines:
        return content
    position = rng.randrange(len(lines))
    lines[position] = json.dumps(_mutate_value(json.loads(lines[position]), rng)).encode()
    return b"\n".join(lines) + b"\n"


def _mutate_value(root: Any, rng: Random) -> Any:
    parent, key = rng.choice([(None, None), *_list_places(root)])
    if parent is None:
        return rng.choice(ODD_VALUES)
    change = rng.randrange(4)
    if change == 0:
        del parent[key]
    elif change == 1:
        parent[key] = [parent[key]] * rng.choice((1, 2, 100))
    elif change == 2 and isinstance(parent, dict):
        parent[rng.choice(("type", "x", "version", ""))] = rng.choice(ODD_VALUES)
    else:
        parent[key] = rng.choice(ODD_VALUES)
    return root


def _list_places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the container and the key or index of every value inside `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, dict | list):
            yield from _list_places(item)


def replace_by_special(path: Path, rng: Random) -> None:
    """Replace a file by something of its name that is no file."""
    path.unlink()
    kind = rng.randrange(4)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:
        path.symlink_to(path)
    # else: it is missing
