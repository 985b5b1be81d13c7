"""Families of networks: each builds generators, discriminators and encoders for a data shape.

One architecture, one file; the layers that they are built from are in `nn.layers`.
"""
