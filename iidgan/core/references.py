"""Publications that more than one part of the package cites."""

from __future__ import annotations

from iidgan.core.reference import Reference

IID_GAN = Reference(
    title="IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse",
    authors="Yang Li, Liangliang Shi and Junchi Yan",
    year=2023,
    url="https://www.ijcai.org/proceedings/2023/437",
)

SNGAN = Reference(
    title="Spectral Normalization for Generative Adversarial Networks",
    authors="Takeru Miyato, Toshiki Kataoka, Masanori Koyama and Yuichi Yoshida",
    year=2018,
    url="https://arxiv.org/abs/1802.05957",
)

VAE = Reference(
    title="Auto-Encoding Variational Bayes",
    authors="Diederik P. Kingma and Max Welling",
    year=2013,
    url="https://arxiv.org/abs/1312.6114",
)
