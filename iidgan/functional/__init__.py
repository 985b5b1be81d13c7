"""Mathematics on tensors: shape (S, B, ...) in, one value per seed, shape (S,), out.

Pure functions belong here; no modules, configuration or optimisers.
"""
