"""Backbones: each builds generators, discriminators and encoders for a given data shape.

There is one file per backbone; their layers are in `nn.layers`.
"""
