"""The public names of the package, which are imported on first use."""

import subprocess
import sys

import pytest

import iidgan


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("name", iidgan.__all__)
def test_public_name_resolves(name):
    assert getattr(iidgan, name) is not None


def test_dir_lists_public_names():
    assert set(iidgan.__all__) <= set(dir(iidgan))


def test_import_imports_no_torch():
    assert run_python("import sys, iidgan; print('torch' in sys.modules)").stdout == "False\n"


@pytest.mark.slow
def test_train_stays_the_function():
    """The module `iidgan.train` has the name of its function, and is imported by others first."""
    code = "import iidgan.train, iidgan; print(type(iidgan.train).__name__)"
    assert run_python(code).stdout == "function\n"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = iidgan.no_such_name


@pytest.mark.slow
def test_modules_are_attributes():
    """`import iidgan` suffices for `iidgan.metrics.prdc`, whatever was imported before."""
    code = "import iidgan; print(iidgan.metrics.prdc.__name__, iidgan.losses.__name__)"
    assert run_python(code).stdout == "prdc iidgan.losses\n"
