"""The losses of IID-GAN in a loop of several processes that share each batch.

Trains a small GAN with both losses on a grid of 25 modes. Every process has its share of a batch
of 100 samples; the Gaussian loss is that of the whole batch, since it is given the group of the
processes. The first one prints how many of the modes are in 2,500 samples.

    torchrun --nproc-per-node 2 examples/distributed_loop.py --steps 3000
"""

import argparse

import torch
import torch.distributed as dist
from plain_loop import CENTRES, count_modes, draw_data, mlp
from torch import nn
from torch.nn.functional import softplus
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LinearLR

from iidgan.losses import CycleConsistency, GaussianConsistency

BATCH = 100


def train(steps: int) -> nn.Module:
    """Train a generator, in each process on its share of the batch."""
    torch.manual_seed(0)  # equal weights
    G, D, F = (DistributedDataParallel(mlp(2, outputs)) for outputs in (2, 1, 2))
    optimizer_D = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    generator_parameters = [*G.parameters(), *F.parameters()]
    optimizer_G = torch.optim.Adam(generator_parameters, lr=2e-3, betas=(0.5, 0.999))
    schedules = [LinearLR(optimizer, 1, 0, steps) for optimizer in (optimizer_D, optimizer_G)]
    cycle, gaussian = CycleConsistency(), GaussianConsistency(group=dist.group.WORLD)
    torch.manual_seed(1 + dist.get_rank())  # different samples
    num = BATCH // dist.get_world_size()
    for _ in range(steps):
        x, z = draw_data(num), torch.randn(num, 2)
        loss_D = softplus(-D(x)).mean() + softplus(D(G(z).detach())).mean()
        optimizer_D.zero_grad()
        loss_D.backward()
        optimizer_D.step()

        fake, codes = G(z), F(x)
        loss_G = (
            softplus(-D(fake)).mean() + 3 * cycle(z, F(fake), x, G(codes)) + 10 * gaussian(codes)
        )
        optimizer_G.zero_grad()
        loss_G.backward()
        optimizer_G.step()
        for schedule in schedules:
            schedule.step()
    return G.module


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    dist.init_process_group()
    generator = train(steps)
    if dist.get_rank() == 0:
        print(f"{count_modes(generator)} of {len(CENTRES)} modes")
    dist.barrier()  # no process leaves the group while another is busy
    dist.destroy_process_group()
