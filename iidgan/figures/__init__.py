"""Figures of run directories: one run, or several beside each other.

Drawing primitives, which know nothing of runs, are in `report`.
"""
