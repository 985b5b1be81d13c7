"""Tables and figures as data: which runs they need, training what is missing, and rendering.

The mechanics are here, and what a published table contains is in `studies.papers`.
"""
