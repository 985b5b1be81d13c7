"""One addend, one file. `TERMS` is the only list: being in it is being tested and shown."""

from iidgan.core import Term
from iidgan.terms.cycle import CycleConsistency
from iidgan.terms.gaussian import GaussianConsistency
from iidgan.terms.z_discriminator import ZDiscriminator

TERMS: dict[str, type[Term]] = {
    "cycle": CycleConsistency,
    "gaussian": GaussianConsistency,
    "z-discriminator": ZDiscriminator,
}

__all__ = ["TERMS", "CycleConsistency", "GaussianConsistency", "ZDiscriminator"]
