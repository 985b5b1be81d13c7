"""Figures of run directories: of one run, or of several in comparison.

Functions that draw arrays, without knowledge of runs, are in `report`.
"""
