"""The names of classes in files: `type` in `run.json`, and in what ids are digests of."""

from __future__ import annotations

from iidgan.core import Regularised
from iidgan.data import (
    ArrayFile,
    FashionMnist,
    Grid,
    Mnist,
    Mnist5k,
    Prepared,
    Ring,
    StackedFashion,
    StackedMnist,
)
from iidgan.engine.optim import Adam
from iidgan.methods import (
    AAE,
    AMAT,
    D2GAN,
    GAN,
    MADGAN,
    MDGAN,
    MGGAN,
    MRGAN,
    SNGAN,
    VAE,
    VEEGAN,
    WGAN,
    AdvLatentGAN,
    BiGAN,
    DistGAN,
    PacGAN,
    RelativisticGAN,
    Unrolled,
    Wasserstein,
)
from iidgan.metrics import ClassifierFID, Digits, ModeCoverage, Normality, Reconstruction, Stacked
from iidgan.nn import DCGAN, DCGANSN, MLP, SNGANCNN, ArxivCIFAR, ArxivSTL, MnistNet, ResNet, Shrunk
from iidgan.terms import (
    GDPP,
    R1,
    R2,
    Bures,
    CodeNoise,
    CycleConsistency,
    GaussianConsistency,
    GradientPenalty,
    InstanceNoise,
    Intervention,
    ModeSeeking,
    ZDiscriminator,
)

# These strings never change, whatever becomes of the classes, their modules, and the names under
# which they are looked up: a run's id is a digest of them, and folders and published rows are
# found by ids. A new class gets a new name; one that is gone leaves its name to no other.
TYPE_NAMES: dict[str, type] = {
    # Methods
    "regularised": Regularised,
    "gan": GAN,
    "wgan": WGAN,
    "iidgan.methods.wgan:Wasserstein": Wasserstein,  # had no short name when runs were published
    "sngan": SNGAN,
    "bigan": BiGAN,
    "unrolled": Unrolled,
    "veegan": VEEGAN,
    "pacgan": PacGAN,
    "mad-gan": MADGAN,
    "d2gan": D2GAN,
    "vae": VAE,
    "aae": AAE,
    "mrgan": MRGAN,
    "mdgan": MDGAN,
    "dist-gan": DistGAN,
    "mggan": MGGAN,
    "amat": AMAT,
    "adv-latent": AdvLatentGAN,
    "rpgan": RelativisticGAN,
    # Terms
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
    # Sources
    "ring": Ring,
    "grid": Grid,
    "mnist": Mnist,
    "mnist-5k": Mnist5k,
    "fashion-mnist": FashionMnist,
    "stacked-mnist": StackedMnist,
    "stacked-fashion": StackedFashion,
    "array": ArrayFile,
    "prepared": Prepared,
    # Architectures
    "mlp": MLP,
    "dcgan": DCGAN,
    "dcgan-sn": DCGANSN,
    "sngan-cnn": SNGANCNN,
    "resnet": ResNet,
    "arxiv-cifar": ArxivCIFAR,
    "arxiv-stl": ArxivSTL,
    "mnist-net": MnistNet,
    "shrunk": Shrunk,
    # Optimisers
    "adam": Adam,
    # Metrics
    "coverage": ModeCoverage,
    "normality": Normality,
    "reconstruction": Reconstruction,
    "digits": Digits,
    "stacked": Stacked,
    "classifier-fid": ClassifierFID,
}
