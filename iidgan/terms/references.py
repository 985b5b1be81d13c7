"""The publication that the terms of this folder share."""

from iidgan.core import Reference

IID_GAN = Reference(
    title="IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse",
    authors="Yang Li, Liangliang Shi and Junchi Yan",
    year=2023,
    url="https://www.ijcai.org/proceedings/2023/437",
)
