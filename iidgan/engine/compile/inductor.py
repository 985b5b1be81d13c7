"""Compilation of captured graphs with Inductor, and a cache of the compiled libraries.

On the CPU, a graph becomes a shared library in the user's cache, stored under a digest of all that
it depends on. It is loaded without the compiler, in milliseconds.

This is the only module that uses private interfaces of torch.
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

from iidgan.errors import InputError
from iidgan.utils.files import PARTIAL_PREFIX, integrity_error, user_cache_dir, write_folder
from iidgan.utils.locks import file_lock

LIBRARY_FILE = "step.so"
CALLS_FILE = "step.json"  # how to call operators that a library cannot reach by itself
ENTRIES_DIR = "steps"  # folder of the entries of `iidgan.engine.compile.cache`
SECONDS_PER_DAY = 86_400
MAX_UNUSED_SECONDS = 60 * SECONDS_PER_DAY

Operator = torch._ops.OpOverload
"""An operator in a captured graph, such as `torch.ops.aten.bmm.default`."""
FUSED_ADAM: Operator = torch.ops.aten._fused_adam_.tensor_lr
"""The operator that `torch.optim.adam.adam(fused=True)` calls."""
CONVERSION: Operator = torch.ops.aten._to_copy.default
"""The operator that converts a tensor to another data type, as `Tensor.to` and autocast do."""


def is_mutating(operator: Operator) -> bool:
    """Return whether an operator writes to any of its arguments.

    Arguments:
        operator: Operator of a captured graph.

    Examples:
        >>> import torch
        >>> from iidgan.engine.compile.inductor import is_mutating
        >>> is_mutating(torch.ops.aten.add_.Tensor), is_mutating(torch.ops.aten.add.Tensor)
        (True, False)
    """
    return operator._schema.is_mutable


def is_random(operator: Operator) -> bool:
    """Return whether an operator draws from the global random state.

    Arguments:
        operator: Operator of a captured graph.

    Examples:
        >>> import torch
        >>> from iidgan.engine.compile.inductor import is_random
        >>> is_random(torch.ops.aten.rand.default), is_random(torch.ops.aten.zeros.default)
        (True, False)
    """
    return torch.Tag.nondeterministic_seeded in operator.tags


def may_return_view(operator: Operator) -> bool:
    """Return whether a result of an operator may share memory with its arguments.

    Arguments:
        operator: Operator of a captured graph.

    Examples:
        >>> import torch
        >>> from iidgan.engine.compile.inductor import may_return_view
        >>> aten = torch.ops.aten
        >>> may_return_view(aten.transpose.int), may_return_view(aten.add.Tensor)
        (True, False)
    """
    return any(value.alias_info is not None for value in operator._schema.returns)


def written_arguments(operator: Operator) -> list[tuple[int, str]]:
    """List the positions and names of the arguments that an operator writes to.

    Arguments:
        operator: Operator of a captured graph.

    Examples:
        >>> import torch
        >>> from iidgan.engine.compile.inductor import written_arguments
        >>> written_arguments(torch.ops.aten.add_.Tensor)
        [(0, 'self')]
    """
    return [
        (position, argument.name)
        for position, argument in enumerate(operator._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]


def cache_dir() -> Path:
    """Return the folder of compiled code in the user's cache."""
    return user_cache_dir() / "compiled"


def set_inductor_cache() -> None:
    """Make Inductor keep its own files in the user's cache too, if that is writable.

    Call this before torch imports Inductor, which chooses its folder then.
    """
    folder = cache_dir()
    if _is_writable(folder):
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder))


@contextmanager
def shared_fake_mode() -> Iterator[None]:
    """Let a trace describe all its values in one fake mode.

    Otherwise `make_fx` creates a mode for each value, which takes half of its time.
    """
    from torch._guards import TracingContext, tracing
    from torch._subclasses import FakeTensorMode

    with tracing(TracingContext(FakeTensorMode(allow_fallback_kernels=True))):
        yield


def compile_graph(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Compile a graph of tensor operations, or load its library from the cache.

    Arguments:
        graph: Captured graph of tensor operations.
        inputs: Example inputs; code is specialised for their shapes.
    """
    if any(value.is_cuda for value in inputs):
        return compile_with_wrapper(graph, inputs)
    name = _graph_digest(graph, inputs)
    with _library_folder(name) as folder, file_lock(folder.with_suffix(".lock")):
        if integrity_error(folder) is not None:  # damaged or missing
            if folder.exists():
                _purge_inductor_cache(folder.parent)
            _evict_stale(folder.parent)
            write_folder(folder, lambda target: _build_library(graph, inputs, target))
        return CompiledLibrary(folder)


def compile_with_wrapper(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    """Compile a graph to kernels that Python calls one by one, visible to profilers.

    Arguments:
        graph: Captured graph of tensor operations.
        inputs: Example inputs; code is specialised for their shapes.
    """
    from torch._inductor import standalone_compile  # takes seconds to import

    compiled_function: Callable[..., Any] = standalone_compile(graph, [*inputs])
    return compiled_function


class CompiledLibrary:
    """A graph's code in a shared library; called with the graph's inputs.

    Arguments:
        folder: Folder that `compile_graph` wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        with suppress(OSError):
            os.utime(folder)  # marks the library as used
        self._runner = torch._C._aoti.AOTIModelContainerRunnerCpu(str(folder / LIBRARY_FILE), 1)

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        outputs: list[Tensor] = self._runner.run([*inputs])
        return outputs


def load_library(name: str) -> CompiledLibrary | None:
    """Load a library from the user's cache, or return None if it cannot be used.

    Arguments:
        name: Name of the library, `CompiledLibrary.name`.
    """
    folder = cache_dir() / name
    with suppress(InputError):  # it may not be read
        return CompiledLibrary(folder) if integrity_error(folder) is None else None
    return None


def environment_key() -> list[str]:
    """List what compiled code depends on besides the graph: torch, threads and processor."""
    num_threads = str(torch.get_num_threads())
    return [torch.__version__, num_threads, platform.machine(), _processor_features()]


@contextmanager
def _library_folder(name: str) -> Iterator[Path]:
    """Yield the folder of a library; without a writable cache, a temporary one."""
    parent = cache_dir()
    if _is_writable(parent):
        yield parent / name
    else:
        with tempfile.TemporaryDirectory() as temporary_dir:
            yield Path(temporary_dir, name)


def _is_writable(folder: Path) -> bool:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK)


def _purge_inductor_cache(folder: Path) -> None:
    """Remove Inductor's own files: what damaged a library may have damaged them, too.

    They have no checksums, and a damaged one makes Inductor assume a processor without vector
    instructions.
    """
    for path in folder.iterdir():
        is_entry_or_partial = path.name == ENTRIES_DIR or path.name.startswith(PARTIAL_PREFIX)
        is_library = (path / LIBRARY_FILE).exists()
        if path.is_dir() and not (is_entry_or_partial or is_library):
            shutil.rmtree(path, ignore_errors=True)


def _evict_stale(folder: Path) -> None:
    """Remove what has not been used for long, and remains of crashes after a day."""
    for path in (*folder.iterdir(), *(folder / ENTRIES_DIR).glob("*")):
        if path.name == ENTRIES_DIR:
            continue
        is_partial = path.name.startswith(PARTIAL_PREFIX)
        max_age = SECONDS_PER_DAY if is_partial else MAX_UNUSED_SECONDS
        with suppress(OSError):  # another process may remove it at the same time
            if time.time() - path.stat().st_mtime >= max_age:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _build_library(graph: fx.GraphModule, inputs: Sequence[Tensor], folder: Path) -> None:
    from torch._inductor import aot_compile

    for node in graph.graph.nodes:
        node.meta.clear()  # the compiler would mistake shapes from the capture for its own
    with tempfile.TemporaryDirectory() as build_dir:
        library_path = Path(build_dir, LIBRARY_FILE)
        options = {"aot_inductor.output_path": str(library_path), "aot_inductor.package": False}
        with _quiet_inductor():
            aot_compile(graph, tuple(inputs), options=options)
        shutil.copy(library_path, folder / LIBRARY_FILE)
        for path in Path(build_dir).glob("*.wrapper.json"):
            shutil.copy(path, folder / CALLS_FILE)
    CompiledLibrary(folder)(*inputs)  # a library that cannot be called is not kept


@contextmanager
def _quiet_inductor() -> Iterator[None]:
    """Silence the warning that an operator is called through Python, which is intended."""
    logger = logging.getLogger("torch._inductor")
    level_before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level_before)


def _graph_digest(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> str:
    facts = [LIBRARY_FILE, *environment_key(), graph.code, *map(layout_key, inputs)]
    digest = hashlib.sha256("\n".join(facts).encode())
    for name, value in sorted(graph.state_dict().items()):  # constants
        raw_bytes = value.contiguous().flatten().view(torch.uint8)
        digest.update(f"{name} {layout_key(value)}".encode() + bytes(raw_bytes.numpy()))
    return digest.hexdigest()[:32]


def layout_key(value: Tensor) -> str:
    """Describe a tensor's data type, shape and strides, for which code is specialised.

    Arguments:
        value: The tensor.

    Examples:
        >>> import torch
        >>> from iidgan.engine.compile.inductor import layout_key
        >>> layout_key(torch.zeros(3, 2))
        'torch.float32 (3, 2) (2, 1)'
    """
    return f"{value.dtype} {tuple(value.shape)} {value.stride()}"


def _processor_features() -> str:
    """Describe the instruction sets of the processor for which code is generated."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return torch.backends.cpu.get_cpu_capability()
