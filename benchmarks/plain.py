"""IID-GAN on the 2D-Ring as a researcher would write it: the yardstick of `step.py`."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import l1_loss, softplus
from torch.utils.data import DataLoader, TensorDataset


def perceptron(inputs, outputs):
    widths = [inputs, 100, 200, 100]
    layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
    return nn.Sequential(*layers, nn.Linear(100, outputs))


class Plain:
    """Three networks, three Adams; batches from a DataLoader or by indexing."""

    def __init__(self, data, *, loader, batch=100):
        self.data, self.batch = data, batch
        self.G, self.D, self.F = perceptron(2, 2), perceptron(2, 1), perceptron(2, 2)
        self.optimisers = [
            torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.999))
            for net in (self.D, self.G, self.F)
        ]
        self.loader = None
        if loader:
            self.loader = DataLoader(TensorDataset(data), batch, shuffle=True, drop_last=True)
            self.batches = iter(self.loader)

    def draw(self):
        if self.loader is None:
            return self.data[torch.randint(len(self.data), (self.batch,))]
        try:
            return next(self.batches)[0]
        except StopIteration:
            self.batches = iter(self.loader)
            return next(self.batches)[0]

    def step(self):
        x, z = self.draw(), torch.randn(self.batch, 2)
        optimise_D, optimise_G, optimise_F = self.optimisers
        fake = self.G(z)
        loss = softplus(-self.D(x)).mean() + softplus(self.D(fake.detach())).mean()
        optimise_D.zero_grad()
        loss.backward()
        optimise_D.step()

        codes = self.F(x)
        mean = codes.mean(0)
        covariance = (codes - mean).T @ (codes - mean) / self.batch
        gaussian = mean.norm() + (covariance - torch.eye(2)).norm()
        cycle = l1_loss(self.F(fake), z) + l1_loss(self.G(codes), x)
        loss = softplus(-self.D(fake)).mean() + 3 * cycle + 10 * gaussian
        optimise_G.zero_grad()
        optimise_F.zero_grad()
        loss.backward()
        optimise_G.step()
        optimise_F.step()
