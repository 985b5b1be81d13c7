"""General helpers: files, JSON Lines, locks, processes, devices, provenance.

Nothing here depends on methods, runs or data sets; code that does belongs in a package above.
"""
