"""Code generated for a recorded graph of tensor operations, and kept on the disk.

For the CPU the compiler makes a shared library of the whole graph. It lies in the user's cache
under a digest of all that it was made of, and is loaded without the compiler, in milliseconds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx

from iidgan.utils.files import PARTIAL, cache, damage, write_folder
from iidgan.utils.locks import in_turn

FILE = "move.so"
NOTES = "moves"  # the folder of notes to libraries
CALLS = "move.json"  # says how to call operators that a library cannot reach by itself
DAY = 86_400
UNUSED = 60 * DAY  # after so many seconds code is taken for forgotten


def place_of_code() -> Path:
    """The folder of generated code, in the user's cache."""
    return cache() / "compiled"


def keep_compiled() -> None:
    """Lets the compiler keep its own files in the user's cache too, if that can be written to.

    It has to be said before torch imports its compiler, which chooses a place then.
    """
    if _is_writable(place := place_of_code()):
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(place))


def generate_code(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Hands a graph straight to the compiler: there is no Python left in it to look at."""
    if any(value.is_cuda for value in inputs):
        return code_for_python(graph, inputs)
    name = _digest(graph, inputs)
    with _folder(name) as folder, in_turn(folder.with_suffix(".lock")):
        if damage(folder) is not None:  # or it is not there
            if folder.exists():
                _forget(folder.parent)
            _tidy(folder.parent)
            write_folder(folder, lambda place: _build(graph, inputs, place))
        return Library(folder)


def code_for_python(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Generates code whose kernels Python calls one by one, where a profiler sees them."""
    from torch._inductor import standalone_compile  # takes seconds, which only this needs

    code: Callable[..., Any] = standalone_compile(graph, [*inputs])
    return code


class Library:
    """A graph's code in a shared library; called with the graph's inputs, some of which it moves.

    Arguments:
        folder: What `generate_code` wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        with suppress(OSError):
            os.utime(folder)  # it is in use
        self._runner = torch._C._aoti.AOTIModelContainerRunnerCpu(str(folder / FILE), 1)

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        values: list[Tensor] = self._runner.run([*inputs])
        return values


def library(name: str) -> Library | None:
    """Loads what was generated before, if it is whole."""
    return Library(place_of_code() / name) if is_whole(name) else None


def is_whole(name: str) -> bool:
    """Tells whether a library lies in the user's cache as it was written."""
    return damage(place_of_code() / name) is None


def surroundings(threads: int | None = None) -> list[str]:
    """Names what generated code depends on besides the graph.

    Arguments:
        threads: Of the process that is to run it; by default of this one.
    """
    number = torch.get_num_threads() if threads is None else threads
    return [torch.__version__, str(number), platform.machine(), _processor()]


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """Gives the folder of a library; without a cache one that is gone when it has been loaded."""
    if _is_writable(place := place_of_code()):
        yield place / name
    else:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary, name)


def _is_writable(place: Path) -> bool:
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
    return os.access(place, os.W_OK)


def _forget(place: Path) -> None:
    """Removes the compiler's own files: what has harmed a library may have harmed them, too.

    Nothing tells whether they are whole, and one that is not lets the compiler believe that the
    processor has no vectors.
    """
    for folder in place.iterdir():
        ours = folder.name == NOTES or folder.name.startswith(PARTIAL) or (folder / FILE).exists()
        if folder.is_dir() and not ours:
            shutil.rmtree(folder, ignore_errors=True)


def _tidy(place: Path) -> None:
    """Removes what nobody has used for long, and what a crash left half-written days ago."""
    for path in (*place.iterdir(), *(place / NOTES).glob("*")):
        with suppress(OSError):  # another process removes it, too
            age = time.time() - path.stat().st_mtime
            if path.name == NOTES or age < (DAY if path.name.startswith(PARTIAL) else UNUSED):
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _build(graph: fx.GraphModule, inputs: Sequence[Tensor], place: Path) -> None:
    from torch._inductor import aot_compile

    for node in graph.graph.nodes:
        node.meta.clear()  # shapes of the recording, which the compiler would mistake for its own
    with tempfile.TemporaryDirectory() as workshop:
        made = Path(workshop, FILE)
        options = {"aot_inductor.output_path": str(made), "aot_inductor.package": False}
        with _quiet():
            aot_compile(graph, tuple(inputs), options=options)
        shutil.copy(made, place / FILE)
        for path in Path(workshop).glob("*.wrapper.json"):
            shutil.copy(path, place / CALLS)
    Library(place)(*inputs)  # one that cannot be called is not kept


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps to itself that an operator is called through Python: it is meant to be."""
    logger = logging.getLogger("torch._inductor")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _digest(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> str:
    facts = [*surroundings(), graph.code, *map(layout, inputs)]
    digest = hashlib.sha256("\n".join(facts).encode())
    for name, value in sorted(graph.state_dict().items()):  # constants
        content = value.contiguous().flatten().view(torch.uint8)
        digest.update(f"{name} {layout(value)}".encode() + bytes(content.numpy()))
    return digest.hexdigest()[:32]


def layout(value: Tensor) -> str:
    """Says how a tensor lies in memory, which code is made for."""
    return f"{value.dtype} {tuple(value.shape)} {value.stride()}"


def _processor() -> str:
    """What code that was generated for this very processor may use."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return torch.backends.cpu.get_cpu_capability()
