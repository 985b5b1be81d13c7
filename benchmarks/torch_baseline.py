"""The methods as a researcher would write them: the yardsticks of the engine."""

from itertools import pairwise

import torch
from torch import nn
from torch.autograd import grad
from torch.func import functional_call
from torch.nn.functional import l1_loss, softplus
from torch.utils.data import DataLoader, TensorDataset


def perceptron(inputs, outputs):
    widths = [inputs, 100, 200, 100]
    layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
    return nn.Sequential(*layers, nn.Linear(100, outputs))


class PlainLoop:
    """Networks, an Adam for each, and batches from a DataLoader or by indexing."""

    def __init__(self, data, *, loader=False, batch=100, **nets):
        self.data, self.batch, self.nets = data, batch, nets
        self.optimisers = {
            name: torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.999))
            for name, net in nets.items()
        }
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

    def prior(self):
        return torch.randn(self.batch, 2)

    def descend(self, loss, *names):
        for name in names:
            self.optimisers[name].zero_grad()
        loss.backward()
        for name in names:
            self.optimisers[name].step()


class PlainGAN(PlainLoop):
    def __init__(self, data, **options):
        super().__init__(data, G=perceptron(2, 2), D=perceptron(2, 1), **options)

    def step(self):
        G, D = self.nets["G"], self.nets["D"]
        x, fake = self.draw(), G(self.prior())
        self.descend(softplus(-D(x)).mean() + softplus(D(fake.detach())).mean(), "D")
        self.descend(softplus(-D(fake)).mean(), "G")


class PlainIIDGAN(PlainLoop):
    def __init__(self, data, **options):
        nets = {"G": perceptron(2, 2), "D": perceptron(2, 1), "F": perceptron(2, 2)}
        super().__init__(data, **nets, **options)

    def step(self):
        G, D, F = self.nets["G"], self.nets["D"], self.nets["F"]
        x, z = self.draw(), self.prior()
        fake = G(z)
        self.descend(softplus(-D(x)).mean() + softplus(D(fake.detach())).mean(), "D")
        codes = F(x)
        mean = codes.mean(0)
        covariance = (codes - mean).T @ (codes - mean) / self.batch
        gaussian = mean.norm() + (covariance - torch.eye(2)).norm()
        cycle = l1_loss(F(fake), z) + l1_loss(G(codes), x)
        self.descend(softplus(-D(fake)).mean() + 3 * cycle + 10 * gaussian, "G", "F")


class PlainWGANGP(PlainLoop):
    def __init__(self, data, **options):
        super().__init__(data, G=perceptron(2, 2), D=perceptron(2, 1), **options)

    def step(self):
        G, D = self.nets["G"], self.nets["D"]
        for _ in range(5):
            x, fake = self.draw(), G(self.prior()).detach()
            share = torch.rand(self.batch, 1)
            between = (share * x + (1 - share) * fake).requires_grad_()
            (slope,) = grad(D(between).sum(), between, create_graph=True)
            penalty = (slope.norm(dim=1) - 1).square().mean()
            self.descend(D(fake).mean() - D(x).mean() + 10 * penalty, "D")
        self.descend(-D(G(self.prior())).mean(), "G")


class PlainVEEGAN(PlainLoop):
    def __init__(self, data, **options):
        nets = {"G": perceptron(2, 2), "D": perceptron(4, 1), "F": perceptron(2, 2)}
        super().__init__(data, **nets, **options)

    def step(self):
        G, D, F = self.nets["G"], self.nets["D"], self.nets["F"]
        x, z = self.draw(), self.prior()
        fake = G(z)
        with torch.no_grad():
            code = F(x) + torch.randn_like(z)
        generated = D(torch.cat([fake.detach(), z], 1))
        encoded = D(torch.cat([x, code], 1))
        self.descend(softplus(-generated).mean() + softplus(encoded).mean(), "D")
        reconstruction = (F(fake) - z).square().sum(1).mean() / 2
        self.descend(D(torch.cat([fake, z], 1)).mean() + reconstruction, "G", "F")


class PlainUnrolled(PlainLoop):
    def __init__(self, data, **options):
        super().__init__(data, G=perceptron(2, 2), D=perceptron(2, 1), **options)

    def step(self):
        G, D = self.nets["G"], self.nets["D"]
        x, fake = self.draw(), G(self.prior())
        self.descend(softplus(-D(x)).mean() + softplus(D(fake.detach())).mean(), "D")
        weights = dict(D.named_parameters())
        means = {name: torch.zeros_like(w) for name, w in weights.items()}
        squares = {name: torch.zeros_like(w) for name, w in weights.items()}

        def loss(weights):
            real, generated = (functional_call(D, weights, (value,)) for value in (x, fake))
            return softplus(-real).mean() + softplus(generated).mean()

        for count in range(1, 6):
            slopes = grad(loss(weights), list(weights.values()), create_graph=True)
            for (name, weight), slope in zip(list(weights.items()), slopes):
                means[name] = 0.5 * means[name] + 0.5 * slope
                squares[name] = 0.999 * squares[name] + 0.001 * slope.square()
                mean = means[name] / (1 - 0.5**count)
                root = (squares[name] / (1 - 0.999**count) + 1e-16).sqrt()
                weights[name] = weight - 1e-3 * mean / root
        self.descend(-loss(weights), "G")


PLAIN = {
    "iid-gan": PlainIIDGAN,
    "gan": PlainGAN,
    "wgan-gp": PlainWGANGP,
    "unrolled": PlainUnrolled,
    "veegan": PlainVEEGAN,
}
