"""Compiled libraries are reused, and never for another graph."""

import os
import shutil
import time
from pathlib import Path

import pytest
import torch

from iidgan.engine.compile import inductor
from iidgan.engine.compile.capture import capture_and_compile
from iidgan.engine.compile.inductor import (
    CALLS_FILE,
    ENTRIES_DIR,
    LIBRARY_FILE,
    SECONDS_PER_DAY,
    CompiledLibrary,
    load_library,
)
from iidgan.utils.files import PARTIAL_PREFIX
from tests.helpers.engine import make_context


def make_scaling(factor):
    """Returns a function that scales x in place and y, which it sorts on the way.

    The sorting operator has no code in a library, which calls it through Python.
    """

    def function(x, y):
        x.mul_(factor)
        eigenvalues, _ = torch.linalg.eigh(torch.diag(y))
        return [eigenvalues * factor + torch.tensor([1.0, 2.0]).to(y)]

    return function


def refuse(*args, **kwargs):
    raise AssertionError("compiled a second time")


@pytest.fixture(scope="module")
def library_dir(tmp_path_factory):
    """A compile cache that is shared by the tests of this module."""
    home = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        yield home / "iidgan" / "compiled"


@pytest.fixture(scope="module")
def built_library(library_dir):
    """The library of `make_scaling(3.0)`."""
    code = capture_and_compile(make_scaling(3.0), [torch.ones(2), torch.ones(2)])
    return library_dir / code.name / LIBRARY_FILE


@pytest.fixture
def fast_compiler(built_library, monkeypatch):
    """The compiler builds `make_scaling(3.0)`, whatever the graph is."""

    def copy_library(graph, inputs, options):
        target = Path(options["aot_inductor.output_path"])
        shutil.copy(built_library, target)
        shutil.copy(built_library.with_name(CALLS_FILE), target.with_suffix(".wrapper.json"))

    monkeypatch.setattr(torch._inductor, "aot_compile", copy_library)


@pytest.mark.slow
class TestCompileGraph:
    def test_compile_graph_reuses_library(self, built_library, monkeypatch):
        x, y = torch.ones(2), torch.ones(2)
        code = CompiledLibrary(built_library.parent)
        monkeypatch.setattr(torch._inductor, "aot_compile", refuse)
        same_code = capture_and_compile(make_scaling(3.0), [x.clone(), y])
        assert same_code.name == code.name
        for library in (code, same_code, load_library(code.name)):
            scaled_x = x.clone()
            (value,) = library(scaled_x, y)
            assert scaled_x.tolist() == [3.0, 3.0]
            assert value.tolist() == [4.0, 5.0]
        with pytest.raises(AssertionError, match="second time"):
            capture_and_compile(make_scaling(2.0), [x, y])

    def test_compile_graph_replaces_damaged_library(self, library_dir, fast_compiler):
        inputs = [torch.ones(2), torch.ones(2)]
        name = capture_and_compile(make_scaling(5.0), [*inputs]).name
        path = library_dir / name / LIBRARY_FILE
        path.unlink()  # the loaded library keeps its file
        path.write_bytes(b"no library")
        assert load_library(name) is None
        for folder in ("ab", ENTRIES_DIR, ".partial-another"):  # the first is Inductor's
            (library_dir / folder).mkdir(parents=True, exist_ok=True)
            (library_dir / folder / "probe").touch()
        assert capture_and_compile(make_scaling(5.0), [*inputs]).name == name
        assert load_library(name) is not None
        assert not (library_dir / "ab" / "probe").exists(), "without a digest: may be damaged, too"
        assert (library_dir / ENTRIES_DIR / "probe").exists()
        assert (library_dir / ".partial-another" / "probe").exists()

    def test_compile_graph_evicts_stale_libraries(self, library_dir, fast_compiler):
        def put(name, days):
            path = library_dir / name
            path.mkdir(parents=True, exist_ok=True)
            os.utime(path, times=(time.time() - days * SECONDS_PER_DAY,) * 2)
            return path

        code = capture_and_compile(make_scaling(5.0), [torch.ones(2), torch.ones(2)])
        used, entries = put(code.name, 90), put(ENTRIES_DIR, 90)
        assert load_library(code.name) is not None
        stale = [put("a" * 32, 90), put(f"{PARTIAL_PREFIX}b", 3), put(f"{ENTRIES_DIR}/c", 90)]
        fresh = [used, entries, put("d" * 32, 30), put(f"{PARTIAL_PREFIX}e", 0.5)]
        capture_and_compile(make_scaling(6.0), [torch.ones(2), torch.ones(2)])
        assert not [path for path in stale if path.exists()]
        assert [path for path in fresh if path.exists()] == fresh

    def test_compile_graph_calls_fallback_operators(self, built_library):
        assert built_library.with_name(CALLS_FILE).exists()
        for library in (
            CompiledLibrary(built_library.parent),
            load_library(built_library.parent.name),
        ):
            values = library(torch.ones(2), torch.tensor([2.0, 1.0]))[0]
            torch.testing.assert_close(values, torch.tensor([4.0, 8.0]))

    @pytest.mark.usefixtures("library_dir")
    def test_compile_graph_without_outputs(self):
        """As of the moving average of the weights, after a player that is updated repeatedly."""

        def average(mean, value):
            torch._foreach_lerp_([mean], [value], 0.25)
            return []

        mean, value = torch.zeros(3), torch.ones(3)
        code = capture_and_compile(average, [mean, value])
        mean.zero_()
        assert not code(mean, value)
        assert mean.tolist() == [0.25, 0.25, 0.25]

    def test_compile_graph_without_cache_dir(self, tmp_path, monkeypatch, fast_compiler):
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        code = capture_and_compile(make_scaling(3.0), [torch.ones(2), torch.ones(2)])
        assert code(torch.ones(2), torch.ones(2))[0].tolist() == [4.0, 5.0]
        assert not list(tmp_path.glob("*/*"))


class TestGraphDigest:
    """Equal graphs have one library, whose name is a digest of all that it depends on."""

    def library_name(self, function=None, inputs=None):
        names = []

        def record_name(graph, inputs):
            names.append(inductor._graph_digest(graph, inputs))
            return graph

        inputs = inputs or [torch.ones(2), torch.ones(2)]
        capture_and_compile(function or make_scaling(1.0), inputs, record_name)
        return names[0]

    def test_graph_digest_of_equal_graphs(self):
        assert self.library_name() == self.library_name()

    @pytest.mark.parametrize(
        "inputs",
        [
            [torch.ones(3, 2), torch.ones(2)],
            [torch.ones(2), torch.ones(2, dtype=torch.float64)],
            [torch.ones(2, 3).mT.clone(memory_format=torch.preserve_format), torch.ones(2)],
        ],
    )
    def test_graph_digest_depends_on_layout(self, inputs):
        assert self.library_name(inputs=inputs) != self.library_name()

    def test_graph_digest_depends_on_constants(self):
        def other_constant(x, y):
            x.mul_(1.0)
            return [y * 1.0 + torch.tensor([1.0, 3.0]).to(y)]

        assert self.library_name(other_constant) != self.library_name()

    def test_graph_digest_depends_on_threads(self):
        names = {self.library_name(), self.library_name(make_scaling(1.0000001))}
        num_threads = torch.get_num_threads()
        torch.set_num_threads(num_threads + 1)
        names.add(self.library_name())
        torch.set_num_threads(num_threads)
        assert len(names) == 3


@pytest.mark.parametrize(
    ("cache_home", "location"), [("home", "home/iidgan/compiled"), ("file", None)]
)
def test_set_inductor_cache_location(tmp_path, monkeypatch, cache_home, location):
    """In the user's cache, unless it is not writable or the environment names another place."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / cache_home))
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    make_context()
    expected = location and str(tmp_path / location)
    assert os.environ.get("TORCHINDUCTOR_CACHE_DIR") == expected
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "elsewhere")
    make_context()
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == "elsewhere"
