"""Publications cited by more than one backbone."""

from iidgan.core import Reference

IID_GAN_2021 = Reference(
    title="IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse",
    authors="Liangliang Shi, Yang Li and Junchi Yan",
    year=2021,
    url="https://arxiv.org/abs/2106.00563v1",
)
