"""Commands that draw from a trained generator and search its latent space, a file for each.

What they compute is in `iidgan.latent`, and what they show in `iidgan.figures.latent`.
"""
