"""A page in the browser on which generators are explored, and the server behind it.

It computes nothing of its own: networks are those of `training`, codes and directions those of
`latent`, curves those of the files of a run. Commands belong in `cli`.
"""
