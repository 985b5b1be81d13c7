"""Runs and what comes of them: the single place where names become objects."""
