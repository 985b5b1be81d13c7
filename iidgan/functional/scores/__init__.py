"""Scores of generated samples against real ones, on plain tensors of features.

Real features have shape (N, D), generated ones (N', D) or (S, N', D) for S seeds, and a score has
one value per seed. Networks that compute features, and the metrics that are registered by name,
belong elsewhere.
"""
