"""A module whose import leaves a trace, and which only run directories refer to."""

import sys

from iidgan.config.run import Run

MODULE = "stranger_of_the_package"

TEXT = """
from dataclasses import dataclass
from pathlib import Path

from iidgan.data import Ring
from iidgan.methods import GAN

Path(__file__).with_suffix(".trace").touch()


@dataclass(frozen=True, kw_only=True)
class StrangeGAN(GAN):
    slope: float = 0.1


@dataclass(frozen=True, kw_only=True)
class StrangeRing(Ring):
    pass


def make_gan():
    return StrangeGAN(slope=0.2)
"""


def write_plugin(folder):
    """Writes the module into a folder, and returns the file that importing it creates."""
    path = folder / f"{MODULE}.py"
    path.write_text(TEXT)
    return path.with_suffix(".trace")


def plugin_name(name="StrangeGAN"):
    return f"{MODULE}:{name}"


def unload_plugin():
    """Forgets the module, as in a new process."""
    sys.modules.pop(MODULE, None)


def load_plugin_run(**changes):
    """Makes a run with the module's classes, which must be importable."""
    module = __import__(MODULE)
    return Run(method=module.StrangeGAN(), source=module.StrangeRing(size=200), **changes)
