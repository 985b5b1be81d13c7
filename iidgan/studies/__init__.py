"""Published tables and figures: specifications, training of missing runs, tabulation, tuning.

What each published table contains is in `studies.papers`.
"""
