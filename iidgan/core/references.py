"""Publications that more than one part of the package cites."""

from __future__ import annotations

from iidgan.core.reference import Reference

IID_GAN = Reference(
    title="IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse",
    authors="Yang Li, Liangliang Shi and Junchi Yan",
    year=2023,
    url="https://www.ijcai.org/proceedings/2023/437",
)

R3GAN = Reference(
    title="The GAN is dead; long live the GAN! A Modern GAN Baseline",
    authors="Yiwen Huang, Aaron Gokaslan, Volodymyr Kuleshov and James Tompkin",
    year=2024,
    url="https://arxiv.org/abs/2501.05441",
)

SNGAN = Reference(
    title="Spectral Normalization for Generative Adversarial Networks",
    authors="Takeru Miyato, Toshiki Kataoka, Masanori Koyama and Yuichi Yoshida",
    year=2018,
    url="https://arxiv.org/abs/1802.05957",
)

STYLEGAN2 = Reference(
    title="Analyzing and Improving the Image Quality of StyleGAN",
    authors="Tero Karras, Samuli Laine, Miika Aittala, Janne Hellsten, Jaakko Lehtinen and Timo "
    "Aila",
    year=2020,
    url="https://arxiv.org/abs/1912.04958",
)

STYLEGAN2_ADA = Reference(
    title="Training Generative Adversarial Networks with Limited Data",
    authors="Tero Karras, Miika Aittala, Janne Hellsten, Samuli Laine, Jaakko Lehtinen and Timo "
    "Aila",
    year=2020,
    url="https://arxiv.org/abs/2006.06676",
)

VAE = Reference(
    title="Auto-Encoding Variational Bayes",
    authors="Diederik P. Kingma and Max Welling",
    year=2013,
    url="https://arxiv.org/abs/1312.6114",
)
