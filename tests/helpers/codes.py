"""Random codes."""

import torch

SHAPES = [(50, 3), (7, 7), (4, 9), (2, 3, 30, 5)]


def draw_codes(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)
