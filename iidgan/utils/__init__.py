"""Helpers that know nothing of GANs: files, JSON lines, locks, processes, devices, provenance.

Nothing here knows what a method, a run or a data set is; whatever does belongs in a room above.
"""
