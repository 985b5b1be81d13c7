"""What the tests share: one thread, a cache of their own, and float64 for closed forms."""

import gc
import getpass
import os
import sys
import tempfile
from multiprocessing.context import ForkServerContext

import pytest
import torch

torch.set_num_threads(1)

pytest_plugins = [
    *("tests.helpers.backbones", "tests.helpers.classifiers", "tests.helpers.score_tables"),
    *("tests.helpers.html", "tests.helpers.training"),
]

# Otherwise each process that a test starts compiles the package, and each worker all tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What is remembered of the user's machine decides nothing here; compiled code is kept nonetheless.
_home = tempfile.TemporaryDirectory(prefix="iidgan-cache-")
os.environ["XDG_CACHE_HOME"] = _home.name
_compiled = os.path.join(tempfile.gettempdir(), f"torchinductor_{getpass.getuser()}")
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", _compiled)
# Kernels are optimised as always; the code that calls them compiles in half the time.
os.environ.setdefault("AOT_INDUCTOR_COMPILE_WRAPPER_OPT_LEVEL", "O0")
os.environ.setdefault("AOT_INDUCTOR_ENABLE_LINE_TABLES", "0")


def pytest_collection():
    """Do not search what is imported for garbage, which takes seconds."""
    gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _scipy_in_fork_server():
    """Import scipy.stats in the server that forks workers, instead of a second in each worker."""
    set_preload = ForkServerContext.set_forkserver_preload
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ForkServerContext,
            "set_forkserver_preload",
            lambda self, names: set_preload(self, [*names, "scipy.stats"]),
        )
        yield


@pytest.fixture
def float64():
    """Makes float64 the default for one test."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
