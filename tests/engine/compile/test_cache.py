"""Compiled steps are found again, and never used for another step."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import iidgan
from iidgan.engine.compile import CompiledStep, cache, cache_dir, compile_step
from iidgan.engine.compile.cache import load_cached_step
from iidgan.engine.state import named_tensors
from tests.helpers.engine import clone_tensors, have_equal_tensors, make_context

WARM_START = """
import sys, torch, iidgan
torch.set_num_threads(1)
run = iidgan.Run(source=iidgan.Ring(size=200), arch=iidgan.MLP(hidden=(4,)), batch=8, steps=2)
out, executor = sys.argv[1:]
iidgan.train(run, out=out, executor=executor)
print("torch._dynamo" in sys.modules, "torch._inductor" in sys.modules)
"""


def refuse(*args, **kwargs):
    raise AssertionError("captured a second time")


@pytest.fixture(scope="module", autouse=True)
def _user_cache(tmp_path_factory):
    """A cache that is shared by the tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def compile_context(context):
    return compile_step("compiled", context.train_step, context.batches.batches_at(0))


@pytest.mark.slow
def test_load_cached_step_skips_capture(monkeypatch):
    first, second = make_context(), make_context()
    first_step = compile_context(first)
    monkeypatch.setattr(CompiledStep, "capture", refuse)
    second_step = compile_context(second)
    assert second_step is not second.train_step
    for step in range(3):
        losses, expected = (s(first.batches.batches_at(step)) for s in (second_step, first_step))
        assert have_equal_tensors(losses, expected)
    assert have_equal_tensors(named_tensors(first.state), named_tensors(second.state))


@pytest.mark.slow
def test_load_cached_step_refuses_wrong_entry():
    """As when an entry belongs to another step, for whatever reason."""
    gan, lsgan = make_context(), make_context(iidgan.lsgan())
    compile_context(gan)
    example = gan.batches.batches_at(0)
    assert load_cached_step(gan.train_step, example)
    assert load_cached_step(lsgan.train_step, example) is None
    before = clone_tensors(named_tensors(lsgan.state))
    gan_entry, lsgan_entry = (cache._entry_path(c.train_step) for c in (gan, lsgan))
    lsgan_entry.write_text(gan_entry.read_text())
    assert load_cached_step(lsgan.train_step, example) is None
    after = named_tensors(lsgan.state)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    lsgan_entry.write_text("{")
    assert load_cached_step(lsgan.train_step, example) is None


def test_cache_entry_depends_on_seeds():
    few, many = make_context(), make_context(seeds=(0, 1, 2))
    assert few.train_step.cache_key == many.train_step.cache_key
    assert cache._entry_path(few.train_step) != cache._entry_path(many.train_step)


def test_cache_entry_depends_on_package():
    """Losses and layers are outside of the engine, and decide what a step computes."""
    assert Path(iidgan.__file__).parent == cache.PACKAGE_DIR


@pytest.mark.slow
def test_second_training_imports_no_compiler(tmp_path, monkeypatch):
    """Importing the compiler's front end alone takes as long as importing torch."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def imported_modules(out, executor):
        command = [sys.executable, "-c", WARM_START, str(tmp_path / out), executor]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert imported_modules("eager", "eager") == ["False", "False"]
    assert imported_modules("first", "compiled") == ["True", "True"]
    assert imported_modules("second", "compiled") == ["False", "False"]
    assert cache_dir().is_dir()
