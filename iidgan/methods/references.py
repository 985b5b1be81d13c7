"""Publications cited by more than one method."""

from iidgan.core import Reference

MODE_REGULARISED = Reference(
    title="Mode Regularized Generative Adversarial Networks",
    authors="Tong Che, Yanran Li, Athul Paul Jacob, Yoshua Bengio and Wenjie Li",
    year=2017,
    url="https://arxiv.org/abs/1612.02136",
)
