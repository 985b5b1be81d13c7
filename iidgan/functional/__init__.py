"""Mathematics on tensors: shape (S, B, ...) in, one value per seed, shape (S,), out.

S is the number of seeds, which are independent runs side by side, and B the number of samples of
each. Pure functions belong here; no modules, configuration or optimisers.
"""
