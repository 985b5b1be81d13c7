"""Sets of samples from anywhere: runs, folders, archives, arrays, data sets, reference statistics.

They give images or points, and features of them. Scores of features are `evaluation`'s, and what
is said of a generator is `diagnosis`'s.
"""
