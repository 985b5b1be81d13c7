"""StyleGAN2 as a researcher would write it: the yardstick of the engine on that backbone.

Written from the papers (Karras et al., 2020, https://arxiv.org/abs/1912.04958 and
https://arxiv.org/abs/2006.06676). Each sample has a modulated weight of its own, and one grouped
convolution applies all of them.
"""

from itertools import pairwise
from math import log2, sqrt

import torch
from torch import nn
from torch.autograd import grad
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, linear, softplus

IMAGE_CHANNELS, SMALLEST = 3, 4


def activate(x):
    return sqrt(2) * leaky_relu(x, 0.2)


def resample(x, *, up=1, down=1, padding):
    row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = torch.outer(row, row).expand(x.shape[1], 1, 4, 4)
    if up == 1:
        return conv2d(x, kernel, stride=down, padding=padding, groups=x.shape[1])
    return conv_transpose2d(x, 4 * kernel, stride=2, padding=padding, groups=x.shape[1])


class Dense(nn.Module):
    def __init__(self, inputs, outputs, bias=0.0, rate=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = rate * inputs**-0.5, rate

    def forward(self, x):
        return linear(x, self.scale * self.weight, self.rate * self.bias)


class Convolution(nn.Module):
    def __init__(self, inputs, outputs, kernel, *, down=False, bias=True, active=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.down = (inputs * kernel**2) ** -0.5, down
        self.active, self.padding = active, kernel // 2

    def forward(self, x):
        weight = self.scale * self.weight
        if not self.down:
            x = conv2d(x, weight, self.bias, padding=self.padding)
        elif self.padding:
            x = conv2d(resample(x, padding=2), weight, self.bias, stride=2)
        else:
            x = conv2d(resample(x, down=2, padding=1), weight, self.bias)
        return activate(x) if self.active else x


class ModulatedConvolution(nn.Module):
    def __init__(self, inputs, outputs, latent, *, kernel=3, up=False, to_image=False):
        super().__init__()
        self.affine = Dense(latent, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = None if to_image else nn.Parameter(torch.zeros(()))
        self.scale, self.up, self.to_image = (inputs * kernel**2) ** -0.5, up, to_image

    def forward(self, x, w):
        batch, inputs = x.shape[:2]
        weight = self.scale * self.weight * self.affine(w)[:, None, :, None, None]
        if not self.to_image:
            weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
        x = x.reshape(1, batch * inputs, *x.shape[2:])
        if self.up:
            kernel = 4 * weight.transpose(1, 2).flip(3, 4).flatten(0, 1)
            x = conv_transpose2d(x, kernel, stride=2, groups=batch)
            x = resample(x, padding=1)
        else:
            kernel = weight.flatten(0, 1)
            x = conv2d(x, kernel, padding=kernel.shape[-1] // 2, groups=batch)
        x = x.reshape(batch, -1, *x.shape[2:])
        if self.to_image:
            return x + self.bias[:, None, None]
        noise = torch.randn(batch, 1, *x.shape[2:])
        return activate(x + self.noise_strength * noise + self.bias[:, None, None])


def list_channels(side, width, max_width):
    stages = round(log2(side // SMALLEST)) + 1
    return [min(width * 2**stage, max_width) for stage in range(stages)]


class Generator(nn.Module):
    def __init__(self, side, *, latent, width, max_width, mapping_layers):
        super().__init__()
        channels = list_channels(side, width, max_width)[::-1]
        self.mapping = nn.ModuleList(
            Dense(latent, latent, rate=0.01) for _ in range(mapping_layers)
        )
        self.constant = nn.Parameter(torch.randn(1, channels[0], SMALLEST, SMALLEST))
        self.convs = nn.ModuleList([ModulatedConvolution(channels[0], channels[0], latent)])
        for inputs, outputs in pairwise(channels):
            self.convs.append(ModulatedConvolution(inputs, outputs, latent, up=True))
            self.convs.append(ModulatedConvolution(outputs, outputs, latent))
        self.to_images = nn.ModuleList(
            ModulatedConvolution(count, IMAGE_CHANNELS, latent, kernel=1, to_image=True)
            for count in channels
        )
        self.num_styles = len(self.convs) + 1

    def styles(self, z):
        w = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        for layer in self.mapping:
            w = activate(layer(w))
        return w[:, None].expand(-1, self.num_styles, -1)

    def forward(self, w):
        x = self.convs[0](self.constant.expand(len(w), -1, -1, -1), w[:, 0])
        image = self.to_images[0](x, w[:, 1])
        for stage, to_image in enumerate(self.to_images[1:]):
            first = 2 * stage + 1
            x = self.convs[first](x, w[:, first])
            x = self.convs[first + 1](x, w[:, first + 1])
            image = resample(image, up=2, padding=1) + to_image(x, w[:, first + 2])
        return image


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.first = Convolution(inputs, inputs, 3)
        self.second = Convolution(inputs, outputs, 3, down=True)
        self.shortcut = Convolution(inputs, outputs, 1, down=True, bias=False, active=False)

    def forward(self, x):
        return (self.second(self.first(x)) + self.shortcut(x)) / sqrt(2)


class Discriminator(nn.Module):
    def __init__(self, side, *, width, max_width):
        super().__init__()
        channels = list_channels(side, width, max_width)
        self.blocks = nn.Sequential(
            Convolution(IMAGE_CHANNELS, channels[0], 1),
            *(Block(*pair) for pair in pairwise(channels)),
        )
        last = channels[-1]
        self.last = Convolution(last + 1, last, 3)
        self.dense, self.output = Dense(last * SMALLEST**2, last), Dense(last, 1)

    def forward(self, x):
        x = self.blocks(x)
        groups = x.unflatten(0, (4, -1))
        std = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
        std = std.repeat(4)[:, None, None, None].expand(-1, 1, *x.shape[2:])
        x = self.last(torch.cat([x, std], 1)).flatten(1)
        return self.output(activate(self.dense(x)))[:, 0]


class PlainStyleGAN2:
    """The loss of StyleGAN2-ADA without ADA; the penalties join every 16th and 4th step."""

    def __init__(self, data, *, side, latent, width, max_width, mapping_layers, batch):
        self.data, self.latent, self.batch = data, latent, batch
        self.G = Generator(
            side, latent=latent, width=width, max_width=max_width, mapping_layers=mapping_layers
        )
        self.D = Discriminator(side, width=width, max_width=max_width)
        self.optimisers = [
            torch.optim.Adam(net.parameters(), lr=2.5e-3, betas=(0.0, 0.99))
            for net in (self.D, self.G)
        ]
        self.index, self.mean_length = 0, None

    def step(self):
        picked = self.data[torch.randint(len(self.data), (self.batch,))]
        x = (picked.float() / 127.5 - 1).requires_grad_(self.index % 16 == 0)
        fake, real = self.G(self.draw_styles()), self.D(x)
        loss = softplus(-real).mean() + softplus(self.D(fake.detach())).mean()
        if self.index % 16 == 0:
            (slope,) = grad(real.sum(), x, create_graph=True)
            loss = loss + 16 * slope.square().sum((1, 2, 3)).mean() / 2
        self.descend(loss, self.optimisers[0])
        loss = softplus(-self.D(fake)).mean()
        if self.index % 4 == 0:
            loss = loss + 4 * self.penalise_path_lengths()
        self.descend(loss, self.optimisers[1])
        self.index += 1

    def draw_styles(self):
        w, other = (self.G.styles(torch.randn(self.batch, self.latent)) for _ in range(2))
        first = torch.randint(1, self.G.num_styles, (self.batch, 1))
        first[torch.rand(self.batch) > 0.9] = self.G.num_styles
        is_other = torch.arange(self.G.num_styles) >= first
        return torch.where(is_other[..., None], other, w)

    def penalise_path_lengths(self):
        w = self.G.styles(torch.randn(self.batch, self.latent))
        images = self.G(w)
        noise = torch.randn_like(images) / images.shape[-1]
        (slope,) = grad((images * noise).sum(), w, create_graph=True)
        lengths = slope.square().sum(2).mean(1).sqrt()
        mean = lengths.mean().detach()
        self.mean_length = mean if self.mean_length is None else self.mean_length.lerp(mean, 0.01)
        return 2 * (lengths - self.mean_length).square().mean()

    def descend(self, loss, optimiser):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
