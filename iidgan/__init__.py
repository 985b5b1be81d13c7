"""Generative adversarial networks that do not drop modes, and the proof that they did not."""

__version__ = "0.1.0"
