"""Layers whose parameters carry the seed axis first.

Whole networks are in `nn.backbones`.
"""
