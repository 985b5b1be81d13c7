"""Diagnosis of a generator: what it misses, repeats, copies and makes up, in words and pictures.

The scores themselves are computed by `evaluation.feature_metrics`; reading sets of samples is
`sample_sets`'s.
"""
