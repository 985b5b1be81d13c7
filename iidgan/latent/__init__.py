"""The latent space of a trained generator: traversals, interpolations, inversion and directions.

It computes latents. Pictures of their samples belong in `figures`, and the commands in `cli`.
"""

from iidgan.latent.directions import class_directions, read_input_matrix, sefa_directions
from iidgan.latent.grid import (
    LatentGrid,
    cartesian_plane,
    polar_plane,
    traverse_directions,
    traverse_latents,
)
from iidgan.latent.inversion import Inversion, invert, radius_quantiles, refine
from iidgan.latent.paths import interpolate, interpolate_codes, interpolate_linearly, slerp
from iidgan.latent.spacing import space_angles, space_latents, space_radii

__all__ = [
    "Inversion",
    "LatentGrid",
    "cartesian_plane",
    "class_directions",
    "interpolate",
    "interpolate_codes",
    "interpolate_linearly",
    "invert",
    "polar_plane",
    "radius_quantiles",
    "read_input_matrix",
    "refine",
    "sefa_directions",
    "slerp",
    "space_angles",
    "space_latents",
    "space_radii",
    "traverse_directions",
    "traverse_latents",
]
