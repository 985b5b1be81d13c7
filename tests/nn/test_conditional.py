import pytest
import torch

from iidgan.core import Batch
from iidgan.nn import DCGAN, MLP, SNGANCNN, R3GANNet, ResNet, StyleGAN2
from iidgan.nn.conditional import (
    ConditionalBatchNorm,
    ConditionalFactory,
    ProjectionDiscriminator,
    replace_batch_norms,
)
from iidgan.nn.layers.conv import BatchNorm

BACKBONES = {
    "mlp": (MLP(latent=3, hidden=(8,)), (2,)),
    "dcgan": (DCGAN(latent=3, width=2), (1, 8, 8)),
    "sngan-cnn": (SNGANCNN(latent=3, width=2), (3, 16, 16)),
    "resnet": (ResNet(latent=3, width=1), (3, 32, 32)),
    "r3gan": (R3GANNet(latent=3, width=2, blocks=1), (3, 8, 8)),
    "stylegan2": (StyleGAN2(latent=3, width=2, mapping_layers=2), (3, 8, 8)),
}
KINDS = ["concat", "projection", "unconditional"]


def make_factory(name, kind):
    backbone, shape = BACKBONES[name]
    return ConditionalFactory(backbone, shape, num_classes=4, discriminator=kind)


def draw_codes(num=6, num_classes=4):
    c = torch.eye(num_classes)[torch.arange(num) % num_classes]
    return torch.cat([torch.randn(1, num, 3), c[None]], -1), c[None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BACKBONES)
def test_shapes_of_networks(name, kind):
    factory = make_factory(name, kind)
    codes, c = draw_codes()
    x = factory.build_generator()(codes)
    assert x.shape == (1, 6, *factory.shape)
    inputs = (x,) if kind == "unconditional" else (x, c)
    assert factory.build_discriminator()(*inputs).shape == (1, 6)
    inverse = factory.build_inverse()(x)
    assert inverse.shape == (1, 6, 7)
    torch.testing.assert_close(inverse[..., 3:].sum(-1), torch.ones(1, 6))
    assert (inverse[..., 3:] > 0).all()


@pytest.mark.parametrize("kind", ["concat", "projection"])
@pytest.mark.parametrize("name", BACKBONES)
def test_networks_depend_on_the_class(name, kind):
    factory = make_factory(name, kind)
    codes, c = draw_codes()
    other_codes, other_c = torch.cat([codes[..., :3], c.roll(1, 1)], -1), c.roll(1, 1)
    G, D = factory.build_generator(), factory.build_discriminator()
    if kind == "projection":  # classes start alike in batch norm
        for norm in G.modules():
            if isinstance(norm, ConditionalBatchNorm):
                torch.nn.init.normal_(norm.bias)
    x = G(codes)
    assert not torch.allclose(x, G(other_codes))
    assert not torch.allclose(D(x, c), D(x, other_c))


def test_projection_discriminator_formula():
    network = MLP(hidden=(5,)).build_discriminator((2,))
    embedding = MLP(hidden=(5,)).build_head((2,), 3)
    x, c = torch.randn(1, 4, 2), torch.eye(3)[[0, 1, 2, 0]][None]
    features = torch.relu(x[0] @ network.body[0].weight()[0] + network.body[0].bias[0])
    unconditional = features @ network.head.layer.weight()[0, :, 0] + network.head.layer.bias[0, 0]
    projections = features @ embedding.layer.weight()[0] + embedding.layer.bias[0]
    expected = unconditional + torch.stack([projections[i, k] for i, k in enumerate([0, 1, 2, 0])])
    torch.testing.assert_close(ProjectionDiscriminator(network, embedding)(x, c)[0], expected)


def test_spectral_projection_discriminator_normalises_all_layers():
    factory = make_factory("dcgan", "projection")
    D = factory.build_discriminator(spectral=True)
    names = {name for name, _ in D.named_buffers()}
    assert any(name.startswith("embedding") for name in names)
    assert any(name.startswith("net.head") for name in names)


@pytest.mark.parametrize("training", [True, False])
def test_conditional_batch_norm_of_one_class_is_plain(training):
    torch.manual_seed(0)
    plain = BatchNorm(3).train(training)
    torch.manual_seed(0)
    conditional = ConditionalBatchNorm(3, num_classes=1).train(training)
    for norm in (plain, conditional):
        norm.set_statistics(torch.tensor([[0.5, 0.0, -1.0]]), torch.tensor([[1.25, 2.0, 3.0]]))
    conditional.condition = torch.ones(1, 5, 1)
    x = torch.randn(5, 3, 4, 4)
    torch.testing.assert_close(conditional(x), plain(x))


def test_conditional_batch_norm_takes_rows_by_class_and_seed():
    norm = ConditionalBatchNorm(2, num_classes=3)
    weight, bias = torch.randn(2, 3, 2), torch.randn(2, 3, 2)  # of two seeds
    norm.weight.data, norm.bias.data = weight, bias
    classes = torch.tensor([[0, 2, 1, 0], [1, 1, 2, 0]])
    norm.condition = torch.eye(3)[classes]
    x = torch.randn(4, 4, 3, 3)  # four samples, two channels of each seed
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
    normalised = (x - mean.view(1, 4, 1, 1)) / (var.view(1, 4, 1, 1) + 1e-5).sqrt()
    for seed in range(2):
        for sample in range(4):
            label = classes[seed, sample]
            channels = slice(2 * seed, 2 * seed + 2)
            expected = normalised[sample, channels] * weight[seed, label].view(2, 1, 1) + bias[
                seed, label
            ].view(2, 1, 1)
            torch.testing.assert_close(norm(x)[sample, channels], expected)


def test_condition_is_forgotten_after_an_error():
    G = make_factory("dcgan", "projection").build_generator()
    with pytest.raises(RuntimeError):
        G(torch.zeros(1, 6, 9))
    norms = [module for module in G.modules() if isinstance(module, ConditionalBatchNorm)]
    assert norms
    assert all(norm.condition is None for norm in norms)


def test_replace_batch_norms_counts_layers():
    assert replace_batch_norms(MLP().build_generator((2,)), 4) == 0
    assert replace_batch_norms(DCGAN(width=2).build_generator((1, 8, 8)), 4) == 3


def test_split_code():
    codes, c = draw_codes()
    batch = Batch(x=codes, z=codes, u=codes[..., 0], c=c)
    latents, classes = batch.split_code(codes)
    assert latents.equal(codes[..., :3])
    assert classes.equal(c)
