"""Compiled steps are found again, and never used for another step."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import iidgan
from iidgan.engine.compile import CompiledStep, cache, cache_dir, compile_step
from iidgan.engine.compile.cache import load_cached_step
from iidgan.engine.compile.inductor import CompiledLibrary
from iidgan.engine.state import named_tensors
from tests.helpers.engine import clone_tensors, make_context

TRAININGS = """
import sys, torch, iidgan
torch.set_num_threads(1)
run = iidgan.Run(source=iidgan.Ring(size=200), method=iidgan.GAN(),
                 arch=iidgan.MLP(hidden=()), batch=8, steps=10)
for executor in ("eager", "compiled"):
    iidgan.train(run, out=executor, seeds=2, executor=executor)
    print("torch._dynamo" in sys.modules, "torch._inductor" in sys.modules)
print((iidgan.train(run, out="compiled", seeds=2).path / "events.jsonl").read_text())
"""
"""Trains `make_gan()`, and prints whether the compiler was imported."""


def refuse(*args, **kwargs):
    raise AssertionError("captured a second time")


@pytest.fixture(scope="module", autouse=True)
def _user_cache(tmp_path_factory):
    """A cache that is shared by the tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def make_gan(method=None):
    return make_context(method, arch=iidgan.MLP(hidden=()))  # little to compile


def compile_context(context):
    return compile_step("compiled", context.train_step, context.batches.batches_at(0))


@pytest.fixture(scope="module")
def _compiled_gan(_user_cache):
    """A first compilation, which fills the cache."""
    compile_context(make_gan())


@pytest.mark.slow
@pytest.mark.usefixtures("_compiled_gan")
def test_load_cached_step_skips_capture(monkeypatch):
    cached, eager = make_gan(), make_gan()
    monkeypatch.setattr(CompiledStep, "capture", refuse)
    cached_step = compile_context(cached)
    assert cached_step is not cached.train_step
    for step in range(3):
        losses, expected = (
            step_fn(eager.batches.batches_at(step)) for step_fn in (cached_step, eager.train_step)
        )
        torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(named_tensors(cached.state), named_tensors(eager.state))


@pytest.mark.slow
@pytest.mark.usefixtures("_compiled_gan")
def test_load_cached_step_refuses_wrong_entry():
    """As when an entry belongs to another step, for whatever reason."""
    compiled, other = make_gan(), make_gan(iidgan.lsgan())
    example = compiled.batches.batches_at(0)
    assert load_cached_step(compiled.train_step, example)
    assert load_cached_step(other.train_step, example) is None
    before = clone_tensors(named_tensors(other.state))
    compiled_entry, other_entry = (cache._entry_path(c.train_step) for c in (compiled, other))
    other_entry.write_text(compiled_entry.read_text())
    assert load_cached_step(other.train_step, example) is None
    after = named_tensors(other.state)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    other_entry.write_text("{")
    assert load_cached_step(other.train_step, example) is None


def test_cache_entry_depends_on_seeds():
    few, many = make_context(), make_context(seeds=(0, 1, 2))
    assert few.train_step.cache_key == many.train_step.cache_key
    assert cache._entry_path(few.train_step) != cache._entry_path(many.train_step)


def test_cache_entry_depends_on_package():
    """Losses and layers are outside of the engine, and decide what a step computes."""
    assert Path(iidgan.__file__).parent == cache.PACKAGE_DIR


@pytest.mark.slow
@pytest.mark.usefixtures("_compiled_gan")
def test_trainings_import_no_compiler(tmp_path):
    """Importing the compiler's front end alone takes as long as importing torch."""
    command = [sys.executable, "-c", TRAININGS]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    eager, compiled, *events = answer.stdout.splitlines()
    assert eager == compiled == "False False"
    assert json.loads(events[0])["executor"] == "compiled"
    assert cache_dir().is_dir()


class StoredFunction(CompiledLibrary):
    """Stands in for a library, so that nothing has to be compiled."""

    def __init__(self, name, function):
        self.name, self.function = name, function

    def __call__(self, *inputs):
        return self.function(*inputs)


@pytest.mark.slow
def test_cached_step_with_repeated_player(monkeypatch):
    """An entry names one library for each segment, in order."""
    cached, other = (make_context(iidgan.wgan_gp(critic_steps=2)) for _ in range(2))
    libraries = {}

    def store(graph, inputs):
        name = f"library-{len(libraries)}"
        libraries[name] = StoredFunction(name, graph)
        return libraries[name]

    example = cached.batches.batches_at(0)
    cache.store_cached_step(
        cached.train_step, CompiledStep.capture(cached.train_step, example, store)
    )
    monkeypatch.setattr(cache, "load_library", libraries.get)
    cached_step = load_cached_step(other.train_step, example)
    assert [segment.function for segment in cached_step.segments] == [*libraries.values()]
    assert [segment.batch_slices for segment in cached_step.segments] == [
        (slice(0, 1), slice(1, 2)),
        (slice(1, 2),),
    ]
    torch.testing.assert_close(cached_step(example), cached.train_step(example))
    del libraries["library-1"]
    assert load_cached_step(other.train_step, example) is None
    entry = json.loads(cache._entry_path(other.train_step).read_text())
    cache._entry_path(other.train_step).write_text(json.dumps(entry[:1]))
    assert load_cached_step(other.train_step, example) is None
