"""Type names: how files and the ids of runs refer to classes."""

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
    TwoGaussians,
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
    Conditional,
    DistGAN,
    PacGAN,
    RelativisticGAN,
    Unrolled,
    Wasserstein,
)
from iidgan.metrics import (
    ClassCoverage,
    ClassifierFID,
    ModeCoverage,
    Normality,
    Reconstruction,
    StackedCoverage,
)
from iidgan.nn import (
    DCGAN,
    DCGANSN,
    MLP,
    SNGANCNN,
    ArxivCIFAR,
    ArxivSTL,
    CollapsedInit,
    MnistNet,
    ResNet,
)
from iidgan.terms import (
    GDPP,
    R1,
    R2,
    AuxiliaryClassifier,
    Bures,
    CodeNoise,
    CycleTerm,
    GaussianTerm,
    GradientPenalty,
    InstanceNoise,
    Intervention,
    InverseClassifier,
    ModeSeeking,
    ZDiscriminator,
)

# These strings never change, even if a class, its module or its registered name does: ids of runs
# are digests of them, and run directories and published records are found by ids. A new class gets
# a new name; the name of a removed class is not reused.
TYPE_NAMES: dict[str, type] = {
    # Methods
    "regularised": Regularised,
    "gan": GAN,
    "wgan": WGAN,
    "iidgan.methods.wgan:Wasserstein": Wasserstein,  # unregistered when runs were published
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
    "conditional": Conditional,
    # Terms
    "gaussian": GaussianTerm,
    "cycle": CycleTerm,
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
    "inverse-classifier": InverseClassifier,
    "auxiliary-classifier": AuxiliaryClassifier,
    # Sources
    "ring": Ring,
    "grid": Grid,
    "two-gaussians": TwoGaussians,
    "mnist": Mnist,
    "mnist-5k": Mnist5k,
    "fashion-mnist": FashionMnist,
    "stacked-mnist": StackedMnist,
    "stacked-fashion": StackedFashion,
    "array": ArrayFile,
    "prepared": Prepared,
    # Backbones
    "mlp": MLP,
    "dcgan": DCGAN,
    "dcgan-sn": DCGANSN,
    "sngan-cnn": SNGANCNN,
    "resnet": ResNet,
    "arxiv-cifar": ArxivCIFAR,
    "arxiv-stl": ArxivSTL,
    "mnist-net": MnistNet,
    "shrunk": CollapsedInit,
    # Optimisers
    "adam": Adam,
    # Metrics
    "coverage": ModeCoverage,
    "normality": Normality,
    "reconstruction": Reconstruction,
    "digits": ClassCoverage,
    "stacked": StackedCoverage,
    "classifier-fid": ClassifierFID,
}
