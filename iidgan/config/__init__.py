"""Configuration of runs: `Run`, its JSON form, registries, presets and recommended settings.

Nothing here trains, samples, or reads a run directory.
"""
