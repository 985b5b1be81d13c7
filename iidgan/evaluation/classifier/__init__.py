"""The classifier that metrics of images read: training and storage.

Metrics computed from its outputs are in `metrics`.
"""
