"""One method, one file. `METHODS` is the only list: being in it is being tested and shown."""

from collections.abc import Callable

from iidgan.core import Method
from iidgan.methods.gan import GAN
from iidgan.methods.iid_gan import iid_gan
from iidgan.methods.invert_gan import invert_gan

METHODS: dict[str, Callable[[], Method]] = {
    "gan": GAN,
    "iid-gan": iid_gan,
    "invert-gan": invert_gan,
}

__all__ = ["GAN", "METHODS", "iid_gan", "invert_gan"]
