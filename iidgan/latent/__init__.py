"""The latent space of a trained generator: traversals, interpolations, inversion and directions.

Here are latents and what is computed of them. Pictures of their samples are in `figures`, the
commands in `cli`.
"""

from iidgan.latent.grid import (
    LatentGrid,
    cartesian_plane,
    polar_plane,
    traverse_directions,
    traverse_latents,
)
from iidgan.latent.inversion import Inversion, invert, radius_quantiles, refine
from iidgan.latent.paths import interpolate, interpolate_linearly, slerp
from iidgan.latent.spacing import space_latents, space_radii

__all__ = [
    "Inversion",
    "LatentGrid",
    "cartesian_plane",
    "interpolate",
    "interpolate_linearly",
    "invert",
    "polar_plane",
    "radius_quantiles",
    "refine",
    "slerp",
    "space_latents",
    "space_radii",
    "traverse_directions",
    "traverse_latents",
]
