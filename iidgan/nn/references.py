"""Papers that more than one backbone is from."""

from iidgan.core import Reference

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

IID_GAN_2021 = Reference(
    title="IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse",
    authors="Liangliang Shi, Yang Li and Junchi Yan",
    year=2021,
    url="https://arxiv.org/abs/2106.00563v1",
)
