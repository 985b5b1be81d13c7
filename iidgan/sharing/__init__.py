"""Trained networks for others: files that other programs run, and repositories on a hub."""
