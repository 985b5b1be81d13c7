"""From trained networks to metric records: sampling, metrics, and the classifier of a data set.

Formulas of metrics are in `metrics`; nothing here knows how a training proceeds.
"""
