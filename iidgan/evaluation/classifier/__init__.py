"""The classifier that metrics of images read: its training, and where it is stored.

What is computed from its outputs belongs in `metrics`.
"""
