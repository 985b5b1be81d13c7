"""Terms: losses that are added to any method, one file each.

`TERMS` lists them by name: what is registered there is covered by the contract tests and shown by
`iidgan list`. A term may own networks and players; a method of its own belongs in `methods`.
"""

from collections.abc import Callable

from iidgan.core import Term
from iidgan.terms.ada import ADA
from iidgan.terms.bures import Bures
from iidgan.terms.classification import AuxiliaryClassifier, InverseClassifier
from iidgan.terms.code_noise import CodeNoise
from iidgan.terms.cycle import CycleTerm
from iidgan.terms.diffaugment import DiffAugment
from iidgan.terms.gaussian import GaussianTerm
from iidgan.terms.gdpp import GDPP
from iidgan.terms.gradient_penalty import GradientPenalty
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.terms.intervention import Intervention
from iidgan.terms.mode_seeking import ModeSeeking
from iidgan.terms.pairing import Pairing
from iidgan.terms.path_length import PathLength
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2
from iidgan.terms.sigreg import sigreg
from iidgan.terms.transport import Transport
from iidgan.terms.z_discriminator import ZDiscriminator

TERMS: dict[str, Callable[[], Term]] = {
    "gaussian": GaussianTerm,
    "sigreg": sigreg,
    "cycle": CycleTerm,
    "z-discriminator": ZDiscriminator,
    "gdpp": GDPP,
    "bures": Bures,
    "mode-seeking": ModeSeeking,
    "pairing": Pairing,
    "transport": Transport,
    "path-length": PathLength,
    "r1": R1,
    "r2": R2,
    "gradient-penalty": GradientPenalty,
    "instance-noise": InstanceNoise,
    "code-noise": CodeNoise,
    "ada": ADA,
    "diffaugment": DiffAugment,
    "intervention": Intervention,
    "inverse-classifier": InverseClassifier,
    "auxiliary-classifier": AuxiliaryClassifier,
}

__all__ = [
    "ADA",
    "GDPP",
    "R1",
    "R2",
    "TERMS",
    "AuxiliaryClassifier",
    "Bures",
    "CodeNoise",
    "CycleTerm",
    "DiffAugment",
    "GaussianTerm",
    "GradientPenalty",
    "InstanceNoise",
    "Intervention",
    "InverseClassifier",
    "ModeSeeking",
    "Pairing",
    "PathLength",
    "Transport",
    "ZDiscriminator",
    "sigreg",
]
