"""The losses of IID-GAN in a plain PyTorch loop.

Trains a small GAN on a grid of 25 modes twice, without and with the two losses, and prints how
many of the modes are in 2,500 samples of each. One short training of each is a first look, not a
comparison: after 3,000 steps this printed 21 and 25 modes, with torch 2.13 on a CPU.

    python examples/plain_loop.py --steps 3000
"""

import argparse

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim.lr_scheduler import LinearLR

from iidgan.losses import CycleConsistency, GaussianConsistency

CENTRES = torch.cartesian_prod(torch.arange(-2.0, 3.0), torch.arange(-2.0, 3.0))
STD = 0.05


def draw_data(num: int) -> Tensor:
    """Draw real samples, (num, 2)."""
    return CENTRES[torch.randint(len(CENTRES), (num,))] + STD * torch.randn(num, 2)


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    """Build a perceptron with two hidden layers."""
    hidden = [nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(128, outputs))


def train(steps: int, cycle_weight: float, gaussian_weight: float) -> nn.Module:
    """Train a generator; F learns to invert it, and makes the codes of real data Gaussian."""
    G, D, F = mlp(2, 2), mlp(2, 1), mlp(2, 2)
    optimizer_D = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    generator_parameters = [*G.parameters(), *F.parameters()]
    optimizer_G = torch.optim.Adam(generator_parameters, lr=2e-3, betas=(0.5, 0.999))
    schedules = [LinearLR(optimizer, 1, 0, steps) for optimizer in (optimizer_D, optimizer_G)]
    cycle, gaussian = CycleConsistency(), GaussianConsistency()
    for _ in range(steps):
        x, z = draw_data(100), torch.randn(100, 2)
        loss_D = softplus(-D(x)).mean() + softplus(D(G(z).detach())).mean()
        optimizer_D.zero_grad()
        loss_D.backward()
        optimizer_D.step()

        fake, codes = G(z), F(x)
        loss_G = (
            softplus(-D(fake)).mean()
            + cycle_weight * cycle(z, F(fake), x, G(codes))
            + gaussian_weight * gaussian(codes)
        )
        optimizer_G.zero_grad()
        loss_G.backward()
        optimizer_G.step()
        for schedule in schedules:
            schedule.step()
    return G


@torch.no_grad()
def count_modes(generator: nn.Module) -> int:
    """Count the centres with at least 20 of 2,500 samples within a quarter of their spacing."""
    distances = torch.cdist(generator(torch.randn(2500, 2)), CENTRES)
    return int(((distances <= 0.25).sum(0) >= 20).sum())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    for name, weights in {"GAN": (0.0, 0.0), "GAN with both losses": (3.0, 10.0)}.items():
        torch.manual_seed(0)
        print(f"{name}: {count_modes(train(steps, *weights))} of {len(CENTRES)} modes")
