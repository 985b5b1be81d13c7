"""Trained networks for others: files that other programs run, and repositories of a hub.

What this package reads itself is written by `iidgan.training.export`.
"""
