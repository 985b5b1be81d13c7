"""Layers whose parameters have a leading seed axis.

Whole networks are in `nn.backbones`.
"""
