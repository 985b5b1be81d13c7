"""One addend, one file. `TERMS` is the only list: being in it is being tested and shown."""

from iidgan.core import Term
from iidgan.terms.bures import Bures
from iidgan.terms.code_noise import CodeNoise
from iidgan.terms.cycle import CycleConsistency
from iidgan.terms.gaussian import GaussianConsistency
from iidgan.terms.gdpp import GDPP
from iidgan.terms.gradient_penalty import GradientPenalty
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.terms.intervention import Intervention
from iidgan.terms.mode_seeking import ModeSeeking
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2
from iidgan.terms.z_discriminator import ZDiscriminator

TERMS: dict[str, type[Term]] = {
    "gaussian": GaussianConsistency,
    "cycle": CycleConsistency,
    "z-discriminator": ZDiscriminator,
    "gdpp": GDPP,
    "bures": Bures,
    "mode-seeking": ModeSeeking,
    "r1": R1,
    "r2": R2,
    "gradient-penalty": GradientPenalty,
    "instance-noise": InstanceNoise,
    "code-noise": CodeNoise,
    "intervention": Intervention,
}

__all__ = [
    "GDPP",
    "R1",
    "R2",
    "TERMS",
    "Bures",
    "CodeNoise",
    "CycleConsistency",
    "GaussianConsistency",
    "GradientPenalty",
    "InstanceNoise",
    "Intervention",
    "ModeSeeking",
    "ZDiscriminator",
]
