"""Options of methods and terms that are out of range are refused, by name and value."""

import dataclasses
import math

import pytest

from iidgan.config.registry import REGISTRIES
from iidgan.config.run import Run
from iidgan.methods import (
    AMAT,
    D2GAN,
    MADGAN,
    MDGAN,
    MGGAN,
    MRGAN,
    SNGAN,
    VAE,
    WGAN,
    AdvLatentDivGAN,
    AdvLatentGAN,
    DistGAN,
    PacGAN,
    ParticleGAN,
    Unrolled,
    Wasserstein,
)
from iidgan.terms import (
    ADA,
    GDPP,
    R1,
    R2,
    Bures,
    CycleTerm,
    DiffAugment,
    GaussianTerm,
    GradientPenalty,
    InstanceNoise,
    Intervention,
    ModeSeeking,
    Pairing,
    Transport,
    ZDiscriminator,
)
from iidgan.testing.mini_run import ARCH
from tests.helpers.errors import raises_input_error

OPTION_FIELDS = [
    (cls, field.name)
    for registry in (*REGISTRIES.values(), {"run": Run})
    for cls in registry.values()
    if dataclasses.is_dataclass(cls)
    for field in dataclasses.fields(cls)
]


@pytest.mark.parametrize(
    ("cls", "name"), OPTION_FIELDS, ids=lambda value: getattr(value, "__name__", value)
)
def test_option_of_another_type_is_refused(cls, name):
    required = {
        field.name: "x"
        for field in dataclasses.fields(cls)
        if field.default is field.default_factory is dataclasses.MISSING
    }
    with raises_input_error(name, "nothing like it"):
        cls(**required | {name: NothingLikeIt()})


class NothingLikeIt:
    def __repr__(self):
        return "nothing like it"


NAN, INF = math.nan, math.inf

OUT_OF_RANGE = [
    (Wasserstein, "critic_steps", 0, [1]),
    (WGAN, "critic_steps", 0, [1]),
    (WGAN, "clip", 0.0, []),
    (SNGAN, "critic_steps", 0, [1]),
    (D2GAN, "alpha", -1.0, []),
    (D2GAN, "beta", INF, []),
    (PacGAN, "m", 0, [1]),
    (ParticleGAN, "particles", 0, [1]),
    (PacGAN, "loss", "hings", ["hinge"]),
    (VAE, "warm_up", -0.1, [0, 1]),
    (VAE, "warm_up", 1.1, [0, 1]),
    (MRGAN, "reconstruction", -0.1, [0]),
    (MRGAN, "modes", INF, [0]),
    (MDGAN, "manifold", NAN, [0]),
    (DistGAN, "distance", -1.0, [0]),
    (DistGAN, "slope", -1.0, [0]),
    (DistGAN, "full_mu", 0.5, [1]),
    (DistGAN, "critic_steps", 0, [1]),
    (PacGAN, "generator_steps", 0, [1]),
    (MGGAN, "manifold", -1.0, [0]),
    (MGGAN, "corruption", -1.0, [0]),
    (MGGAN, "pretrain", 0.0, [0, 1]),
    (MGGAN, "pretrain", 1.0, [0, 1]),
    (MADGAN, "generators", 0, [1]),
    (AMAT, "discriminators", 0, [1, 4]),
    (AMAT, "random", 1.5, [0, 1]),
    (AMAT, "alpha", 0.5, [1]),
    (AMAT, "caution", 0.0, [1]),
    (AMAT, "first_check", 0, [1]),
    (AMAT, "growth", 1.0, [1]),
    (AdvLatentGAN, "eps", -0.1, [0]),
    (AdvLatentGAN, "loss", "hings", ["hinge"]),
    (AdvLatentDivGAN, "weight", -1.0, [0]),
    (AdvLatentDivGAN, "start", 0.0, []),
    (AdvLatentDivGAN, "eps", -0.1, [0]),
    (AdvLatentDivGAN, "iterations", -1, [0]),
    (Unrolled, "steps", -1, [0]),
    (Unrolled, "lr", 0.0, []),
    (Unrolled, "betas", (0.5, 1.0), []),
    (Unrolled, "pace", 0.0, []),
    (Unrolled, "schedule", "linar", ["'linear'"]),
    (SNGAN, "discriminator", "backbon", ["'backbone'"]),
    (GaussianTerm, "distance", "w3", ["'w2'"]),
    (GaussianTerm, "p", 0.5, []),
    (GaussianTerm, "eps", -1.0, []),
    (GaussianTerm, "directions", 0, []),
    (GaussianTerm, "weight", NAN, []),
    (CycleTerm, "norm", "l3", []),
    (CycleTerm, "weight", INF, []),
    (CycleTerm, "ratio", "M/d", []),
    (ZDiscriminator, "weight", NAN, []),
    (R1, "weight", NAN, []),
    (R2, "weight", NAN, []),
    (GradientPenalty, "weight", INF, []),
    (GradientPenalty, "centre", -1.0, [0]),
    (GDPP, "magnitude", -1.0, [0]),
    (GDPP, "weight", NAN, [0]),
    (Bures, "weight", INF, [0]),
    (ModeSeeking, "weight", INF, [0]),
    (Pairing, "temperature", 0.0, [0]),
    (Transport, "final_ratio", 1.5, [0, 1]),
    (InstanceNoise, "std", -1.0, []),
    (InstanceNoise, "until", 0.0, [0, 1]),
    (ADA, "groups", (), ["blit"]),
    (ADA, "p", 1.5, [0, 1]),
    (ADA, "p", -0.1, [0, 1]),
    (ADA, "target", 1.0, [-1, 1]),
    (ADA, "interval", 0, [1]),
    (ADA, "kimg", 0.0, [0]),
    (DiffAugment, "policies", (), ["cutout"]),
    (Intervention, "blocks", 1, [2]),
    (Intervention, "e_steps", 0, [1]),
    (Intervention, "classify", -0.5, []),
    (Intervention, "reconstruct", INF, []),
    (Intervention, "e_sign", "cod", ["code"]),
]


@pytest.mark.parametrize(("make", "field", "value", "bounds"), OUT_OF_RANGE)
def test_options_out_of_range(make, field, value, bounds):
    with raises_input_error(field, value, *bounds):
        make(**{field: value})


def test_amat_discriminators_above_most():
    with raises_input_error("discriminators", 3, 1, 2):
        AMAT(discriminators=3, most=2)


def test_intervention_blocks_above_latent_dimension():
    with raises_input_error("blocks", 3, 2):
        Intervention(blocks=3).networks(ARCH)
