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
from tests.helpers.engine import clone_tensors, make_context

TRAINING = """
import sys, torch, iidgan
torch.set_num_threads(1)
run = iidgan.Run(source=iidgan.Ring(size=200), arch=iidgan.MLP(hidden=(4,)), batch=8, steps=10)
out, executor = sys.argv[1:]
iidgan.train(run, out=out, seeds=2, executor=executor)
print("torch._dynamo" in sys.modules, "torch._inductor" in sys.modules)
"""
"""Trains `make_context()`, and prints whether the compiler was imported."""


def refuse(*args, **kwargs):
    raise AssertionError("captured a second time")


def train_in_process(out, executor):
    command = [sys.executable, "-c", TRAINING, str(out), executor]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture(scope="module", autouse=True)
def _user_cache(tmp_path_factory):
    """A cache that is shared by the tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def compiled_gan(_user_cache, tmp_path_factory):
    """What a first training, which fills the cache, imported."""
    return train_in_process(tmp_path_factory.mktemp("run"), "compiled")


def compile_context(context):
    return compile_step("compiled", context.train_step, context.batches.batches_at(0))


@pytest.mark.slow
@pytest.mark.usefixtures("compiled_gan")
def test_load_cached_step_skips_capture(monkeypatch):
    cached, eager = make_context(), make_context()
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
@pytest.mark.usefixtures("compiled_gan")
def test_load_cached_step_refuses_wrong_entry():
    """As when an entry belongs to another step, for whatever reason."""
    gan, lsgan = make_context(), make_context(iidgan.lsgan())
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
def test_second_training_imports_no_compiler(tmp_path, compiled_gan):
    """Importing the compiler's front end alone takes as long as importing torch."""
    assert compiled_gan == ["True", "True"]
    assert train_in_process(tmp_path / "eager", "eager") == ["False", "False"]
    assert train_in_process(tmp_path / "compiled", "compiled") == ["False", "False"]
    assert cache_dir().is_dir()
