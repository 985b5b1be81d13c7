"""Backbones keep what they promise, and have the sizes of the papers' tables."""

import copy
from dataclasses import dataclass
from unittest import mock

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from iidgan.core import Arch, Dataset, Method, Player, Refreshing
from iidgan.engine import inference as sample
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import Batches
from iidgan.engine.state import init
from iidgan.engine.step import Move
from iidgan.errors import InputError
from iidgan.functional.gradient import gradient, slope_penalty
from iidgan.functional.reduce import mean
from iidgan.methods import METHODS, iid_gan
from iidgan.nn import ARCHS, DCGAN, DCGANSN, MLP, SNGANCNN, ArxivCIFAR, ArxivSTL, MnistNet, ResNet
from iidgan.nn.backbones.arxiv_stl import Block
from iidgan.nn.backbones.image import Spread
from iidgan.nn.backbones.resnet import Down, Up
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d, Dense
from iidgan.nn.layers.linear import Linear
from iidgan.nn.layers.weight import SpectralWeight, Weight
from iidgan.testing import check_method
from iidgan.testing.trial import Trial, go
from iidgan.testing.value import differing

S, B = 2, 3

# Small ones of every family, at the sides that papers use.
CASES = {
    "mlp": (MLP(latent=2, hidden=(7, 6)), (2,)),
    "mlp, linear": (MLP(latent=3, hidden=()), (5,)),
    "dcgan 28": (DCGAN(latent=6, width=2), (1, 28, 28)),
    "dcgan 32": (DCGAN(latent=6, width=2, spectral_norm=True), (3, 32, 32)),
    "dcgan 48": (DCGAN(latent=6, width=2, norm="none"), (1, 48, 48)),
    "dcgan 64": (DCGAN(latent=6, width=2), (3, 64, 64)),
    "dcgan-sn 28": (DCGANSN(latent=6, width=2), (1, 28, 28)),
    "dcgan-sn 32": (DCGANSN(latent=6, width=2), (3, 32, 32)),
    "dcgan-sn 48": (DCGANSN(latent=6, width=2, norm="none"), (3, 48, 48)),
    "dcgan-sn 64": (DCGANSN(latent=6, width=2), (1, 64, 64)),
    "sngan-cnn 32": (SNGANCNN(latent=6, width=2), (3, 32, 32)),
    "sngan-cnn 48": (SNGANCNN(latent=6, width=2, spectral_norm=False), (1, 48, 48)),
    "sngan-cnn 64": (SNGANCNN(latent=6, width=2), (3, 64, 64)),
    "resnet 32": (ResNet(latent=6, width=1), (3, 32, 32)),
    "resnet 48": (ResNet(latent=6, width=1, spectral_norm=False), (1, 48, 48)),
    "resnet 64": (ResNet(latent=6, width=1), (3, 64, 64)),
    "arxiv-cifar 28": (ArxivCIFAR(latent=6, width=2, norm="none"), (1, 28, 28)),
    "arxiv-cifar 32": (ArxivCIFAR(latent=6, width=2), (3, 32, 32)),
    "arxiv-stl 32": (ArxivSTL(latent=6, width=2), (3, 32, 32)),
    "arxiv-stl 48": (ArxivSTL(latent=6, width=2), (1, 48, 48)),
    "mnist-net 28": (MnistNet(width=2), (1, 28, 28)),
    "mnist-net 32": (MnistNet(width=2, norm="none"), (3, 32, 32)),
}
SMALLEST = {
    "dcgan": (DCGAN(latent=3, width=2), (1, 8, 8)),
    "dcgan without norm": (DCGAN(latent=3, width=2, norm="none"), (1, 8, 8)),
    "dcgan-sn": (DCGANSN(latent=3, width=2), (1, 20, 20)),
    "sngan-cnn": (SNGANCNN(latent=3, width=2), (1, 8, 8)),
    "resnet": (ResNet(latent=3, width=1), (1, 32, 32)),
    "arxiv-cifar": (ArxivCIFAR(latent=3, width=2), (1, 8, 8)),
    "arxiv-stl": (ArxivSTL(latent=3, width=2), (1, 8, 8)),
    "mnist-net": (MnistNet(width=2), (1, 8, 8)),
}
IMAGES = {name: case for name, case in CASES.items() if len(case[1]) == 3}
NETS = {
    "generator": lambda backbone, shape: backbone.generator(shape),
    "discriminator": lambda backbone, shape: backbone.discriminator(shape),
    "spectral": lambda backbone, shape: backbone.discriminator(shape, spectral=True),
    "encoder": lambda backbone, shape: backbone.encoder(shape, 7),
    "inverse": lambda backbone, shape: backbone.inverse(shape),
    "joint": lambda backbone, shape: backbone.joint_discriminator(shape),
    "latent": lambda backbone, shape: backbone.latent_discriminator(),
    "head": lambda backbone, shape: backbone.head(shape, 7),
}


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def each(cases):
    return pytest.mark.parametrize(("backbone", "shape"), cases.values(), ids=cases)


def stack(make):
    """Makes `S` networks, and one of all their parameters and buffers."""
    alone = [make() for _ in range(S)]
    whole = copy.deepcopy(alone[0])
    for name, part in whole.named_modules():
        for kind in ("_parameters", "_buffers"):
            for key, value in getattr(part, kind).items():
                if value is not None:
                    twins = [getattr(net.get_submodule(name), kind)[key] for net in alone]
                    joined = torch.cat([twin.detach() for twin in twins])
                    getattr(part, kind)[key] = (
                        nn.Parameter(joined) if kind == "_parameters" else joined
                    )
    return whole, alone


def inputs_of(name, backbone, shape):
    """Draws what network `name` reads."""
    z, x = torch.randn(S, B, backbone.latent), torch.randn(S, B, *shape).tanh()
    if name == "head":
        return (stack(lambda: backbone.discriminator(shape))[0].features(x).detach(),)
    return {"generator": (z,), "latent": (z,), "joint": (x, z)}.get(name, (x,))


def size(make, *shape):
    """Counts the parameters of a network without giving them values."""
    with torch.device("meta"), mock.patch.object(SpectralWeight, "iterate"):
        return sum(parameter.numel() for parameter in make(*shape).parameters())


def layout(net):
    return {name: tuple(value.shape) for name, value in net.named_parameters()}


# Laws of all.


@each(CASES)
@pytest.mark.parametrize("name", NETS)
def test_networks_map_to_the_shapes_that_they_promise_and_seeds_apart(name, backbone, shape):
    whole, alone = stack(lambda: NETS[name](backbone, shape))
    inputs = inputs_of(name, backbone, shape)
    found = whole(*inputs)
    tail = {"generator": shape, "inverse": (backbone.latent,), "encoder": (7,), "head": (7,)}
    assert found.shape == (S, B, *tail.get(name, ()))
    for seed, net in enumerate(alone):
        expected = net(*(value[seed : seed + 1] for value in inputs))
        torch.testing.assert_close(found[seed : seed + 1], expected, rtol=1e-9, atol=1e-12)


@each(CASES)
def test_a_headed_network_is_its_head_of_its_features(backbone, shape):
    for name in ("generator", "discriminator", "spectral", "encoder", "inverse"):
        net, inputs = NETS[name](backbone, shape), inputs_of(name, backbone, shape)
        x = inputs[0][:1]
        assert torch.equal(net(x), net.head(net.features(x))), name


@each(CASES)
def test_a_joint_discriminator_reads_both(backbone, shape):
    net, _ = stack(lambda: backbone.joint_discriminator(shape))
    x = torch.randn(S, B, *shape, requires_grad=True)
    z = torch.randn(S, B, backbone.latent, requires_grad=True)
    for found in torch.autograd.grad(net(x, z).sum(), (x, z)):
        assert found.flatten(1).any(-1).all()


@each(CASES)
def test_an_encoder_is_a_head_on_the_features_of_a_discriminator(backbone, shape):
    """The layers are the same but for the end, which is that of a head made alone."""
    encoder, head = layout(backbone.encoder(shape, 7)), backbone.head(shape, 7)
    discriminator = layout(backbone.discriminator(shape))
    inner = {k: v for k, v in encoder.items() if not k.startswith("head.")}
    assert inner == {k: v for k, v in discriminator.items() if not k.startswith("head.")}
    assert layout(backbone.encoder(shape, 7).head) == layout(head)


def spectral_layers(net):
    return [part for part in net.modules() if isinstance(part, SpectralWeight)]


@each(CASES)
def test_a_spectral_discriminator_has_layers_of_norm_one(backbone, shape):
    net = backbone.discriminator(shape, spectral=True)
    weights = spectral_layers(net)
    assert len(weights) == sum(isinstance(part, Linear | Conv2d | Dense) for part in net.modules())
    assert not any(isinstance(part, Weight | BatchNorm) for part in net.modules())
    for weight in weights:
        norm = torch.linalg.matrix_norm(weight().flatten(2), ord=2).item()
        assert 1 - 1e-9 <= norm < 1.25  # warm before the first move; estimates are from below


@each(CASES)
def test_the_inverse_s_last_layer_has_any_norm(backbone, shape):
    """Else its codes could not have variance 1."""
    assert not spectral_layers(backbone.inverse(shape).head)
    assert not spectral_layers(backbone.generator(shape))
    assert not spectral_layers(backbone.head(shape, 7))


@each(CASES)
def test_every_parameter_and_buffer_starts_with_one_seed(backbone, shape):
    for make in NETS.values():
        net = make(backbone, shape)
        assert all(len(value) == 1 for value in net.state_dict().values())
        assert list(net.parameters())


@each(CASES)
def test_features_start_in_reach(backbone, shape):
    """Outputs are neither lost nor without bound at the start, in G as in F."""
    for name in ("generator", "inverse", "discriminator"):
        (x,) = inputs_of(name, backbone, shape)
        found = NETS[name](backbone, shape)(x[:1])
        assert 1e-7 < found.std() < 10, name


@each(IMAGES)
def test_images_lie_between_minus_one_and_one(backbone, shape):
    net, _ = stack(lambda: backbone.generator(shape))
    for part in net.parameters():
        part.data.mul_(3)
    images = net(10 * torch.randn(S, B, backbone.latent))
    assert images.abs().max() <= 1
    assert images.std() > 0


def test_every_family_is_tried():
    tried = {type(backbone) for backbone, _ in CASES.values()}
    assert tried >= set(ARCHS.values()) - {ARCHS["shrunk"]}
    small = {type(backbone) for backbone, _ in SMALLEST.values()}
    assert small >= tried - {MLP}


def test_every_backbone_is_a_value():
    for made in ARCHS.values():
        assert made() == made()
        assert hash(made()) == hash(made())


# Methods play with them: seeds apart, pure, resumed, with second derivatives.


@dataclass(frozen=True, kw_only=True)
class Everything(Method):
    """A method with every network that a backbone makes, and second derivatives of two."""

    @property
    def players(self):
        critics = ("spectral", "joint", "latent", "plain", "head")
        return (
            Player("D", self.loss_D, trains=critics),
            Player("G", self.loss_G, trains=("G", "F", "E")),
        )

    def networks(self, arch):
        return {
            "G": arch.generator(),
            "F": arch.inverse(),
            "E": arch.encoder(arch.latent),
            "spectral": arch.discriminator(spectral=True),
            "plain": arch.discriminator(),
            "joint": arch.joint_discriminator(),
            "latent": arch.latent_discriminator(),
            "head": arch.head(3),
        }

    def loss_D(self, nets, batch):
        fake, code = nets.G(batch.z), nets.F(batch.x)
        pairs = {
            "spectral": nets.spectral(fake) - nets.spectral(batch.x),
            "joint": nets.joint(fake, batch.z) - nets.joint(batch.x, code),
            "latent": nets.latent(code) - nets.latent(batch.z),
        }
        slopes = {
            name: slope_penalty(getattr(nets, name), batch.x, fake, batch.u)
            for name in ("spectral", "plain")
        }
        read = mean((nets.head(nets.features("plain", batch.x)) - 1).square())
        return (
            {name: mean(softplus(pair)) for name, pair in pairs.items()}
            | {f"slope_{name}": value for name, value in slopes.items()}
            | {"head": read}
        )

    def loss_G(self, nets, batch):
        fake = nets.G(batch.z)
        cycle = mean((nets.G(nets.F(batch.x)) - batch.x).square())
        codes = mean((nets.F(fake) - batch.z).square() + (nets.E(fake) - batch.z).square())
        logits = nets.plain(fake) + nets.spectral(fake) + nets.joint(fake, batch.z)
        return {"adversarial": mean(softplus(-logits)), "cycle": cycle, "codes": codes}


@each(SMALLEST)
def test_seeds_train_apart_also_by_second_derivatives(backbone, shape):
    """Two moves in float64 with every network: seed 1 beside seed 0 as alone."""
    beside, alone = (
        go(trial.start(), trial.method, trial.batches()[:2])
        for trial in (Trial(Everything(), Arch(backbone, shape), s) for s in ((0, 1), (1,)))
    )
    assert differing(beside.at(slice(1, 2)), alone.values, 1e-9) == []
    assert all(value.isfinite().all() for value in alone.values.values())


@pytest.mark.slow
@each(SMALLEST)
def test_a_method_with_every_network_keeps_its_laws(backbone, shape):
    check_method(Everything(), Arch(backbone, shape))


@pytest.mark.slow
@each(SMALLEST)
@pytest.mark.parametrize("method", ["iid-gan", "sngan", "wgan-gp", "veegan", "mad-gan"])
def test_methods_keep_their_laws(method, backbone, shape):
    check_method(METHODS[method](), Arch(backbone, shape))


@each(SMALLEST)
def test_standing_statistics_and_averages_work(backbone, shape):
    """With standing statistics a sample does not depend on those beside it; EMA lags behind."""
    arch = Arch(backbone, shape)
    state = init(iid_gan(), arch, Adam(), (0, 1), ema=0.5)
    data = Dataset(torch.randn(20, *shape).tanh())
    batches = Batches(data, (0, 1), size=6, latent=arch.latent)
    move = Move(iid_gan(), state, steps=10, ema=0.5)
    for step in range(3):
        move(batches.at(step))
        state.step += 1
    nets = sample.final(state, batches, num_batches=3)
    z, x = torch.randn(2, 9, arch.latent), torch.randn(2, 9, *shape)
    for net, inputs in ((nets["G"], z), (nets["F"], x)):
        some, others = sample.apply(net, inputs)[:, :4], sample.apply(net, inputs[:, :4])
        torch.testing.assert_close(some, others)
        assert some.isfinite().all()
    now, average = state.nets["G"].parameters(), state.average["G"].parameters()
    assert all((a - b).abs().max() > 0 for a, b in zip(now, average))
    kept = nets["G"].parameters()
    assert all(torch.equal(a, b) for a, b in zip(kept, state.average["G"].parameters()))


# Sizes.


def test_parameters_of_the_paper_s_mlp():
    """2 -> 100 -> 200 -> 100 -> out, weights and biases."""
    hidden = (2 * 100 + 100) + (100 * 200 + 200) + (200 * 100 + 100)
    backbone = MLP()
    assert size(backbone.generator, (2,)) == hidden + 100 * 2 + 2 == 40_802
    assert size(backbone.inverse, (2,)) == 40_802
    assert size(backbone.discriminator, (2,)) == hidden + 100 + 1 == 40_701
    assert size(backbone.latent_discriminator) == 40_701


class TestDCGAN:
    def test_parameters_at_28_pixels(self):
        """The innermost feature map is 3 x 3; kernels inside are 4 x 4."""
        backbone = DCGAN(latent=64, width=64)
        inside = 16 * (64 * 128 + 128 * 256)
        generator = 64 * 256 * 9 + inside + (16 * 64 + 1) + 2 * (256 + 128 + 64)
        assert size(backbone.generator, (1, 28, 28)) == generator == 804_737
        trunk = (16 * 64 + 64) + inside + 2 * (128 + 256)
        assert size(backbone.discriminator, (1, 28, 28)) == trunk + 256 * 9 + 1 == 659_521
        assert size(backbone.inverse, (1, 28, 28)) == trunk + 64 * (256 * 9 + 1) == 804_736
        latent = (64 * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 + 1)
        assert size(backbone.latent_discriminator) == latent

    def test_parameters_at_64_pixels(self):
        """Radford et al., Fig. 1, at half the width, as in PyTorch's example of DCGAN.

        That has 3,576,704 and 2,765,568; ours are more by the biases of the layers next to the
        image and of the logit.
        """
        backbone, shape = DCGAN(latent=100, width=64), (3, 64, 64)
        assert size(backbone.generator, shape) == 3_576_704 + 3
        assert size(backbone.discriminator, shape) == 2_765_568 + 64 + 1

    @pytest.mark.parametrize(
        ("side", "halvings", "inner"),
        [(8, 3, 1), (28, 3, 3), (32, 3, 4), (48, 3, 6), (64, 4, 4), (96, 4, 6), (128, 5, 4)],
    )
    def test_a_side_is_halved_three_times_at_least_and_down_to_four(self, side, halvings, inner):
        shape, backbone = (1, side, side), DCGAN(latent=3, width=1)
        hidden = backbone.discriminator(shape).features(torch.randn(1, B, *shape))
        assert hidden.shape == (1, B, 2 ** (halvings - 1), inner, inner)
        assert backbone.generator(shape)(torch.randn(1, B, 3)).shape == (1, B, *shape)

    def test_spectral_norm_spares_the_last_layer_of_the_inverse(self):
        backbone, shape = DCGAN(latent=4, width=2, spectral_norm=True), (1, 28, 28)
        discriminator, inverse = backbone.discriminator(shape), backbone.inverse(shape)
        for net in (discriminator, inverse):
            assert len(spectral_layers(net.trunk)) == 3
            assert any(isinstance(part, BatchNorm) for part in net.modules())
        assert isinstance(discriminator.head.head.layer.weight, SpectralWeight)
        assert isinstance(inverse.head.layer.weight, Weight)
        assert not any(
            isinstance(part, Refreshing) for part in backbone.generator(shape).modules()
        )

    def test_no_spectral_norm_unless_asked_for(self):
        backbone = DCGAN(latent=4, width=2)
        for net in (backbone.discriminator((1, 28, 28)), backbone.inverse((1, 28, 28))):
            assert not any(isinstance(part, Refreshing) for part in net.modules())

    def test_a_critic_without_norm_judges_each_sample_alone(self):
        """Then the slope at a sample is that of D there, which a penalty takes it for."""
        x = torch.randn(1, 6, 1, 16, 16)
        free, bound = (DCGAN(latent=4, width=4, norm=norm) for norm in ("none", "batch"))
        critic = free.discriminator((1, 16, 16))
        assert torch.allclose(critic(x)[:, :2], critic(x[:, :2]), rtol=1e-10)
        critic = bound.discriminator((1, 16, 16))
        assert not torch.allclose(critic(x)[:, :2], critic(x[:, :2]), rtol=1e-3)
        assert all(conv.bias is not None for conv in layers(free.discriminator((1, 16, 16))))
        assert any(isinstance(m, BatchNorm) for m in free.generator((1, 16, 16)).modules())


class TestDCGANSN:
    """IID-GAN (IJCAI 2023), Tables 7 and 8; latent dimension 128."""

    def test_table_7_generator(self):
        first = 128 * 1024 * 2 * 2
        inside = 16 * (1024 * 512 + 512 * 256 + 256 * 128)
        norms = 2 * (1024 + 512 + 256 + 128)
        expected = first + inside + norms + (16 * 128 * 3 + 3)
        assert size(DCGANSN().generator, (3, 32, 32)) == expected == 11_544_323

    def test_table_8_discriminator_and_the_inverse_that_follows_it(self):
        convs = 25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + (64 + 128 + 256 + 512)
        trunk = convs + 2 * (128 + 256 + 512)
        assert size(DCGANSN().discriminator, (3, 32, 32)) == trunk + 2048 + 1 == 4_310_401
        assert size(DCGANSN().inverse, (3, 32, 32)) == trunk + 128 * (2048 + 1) == 4_570_624

    def test_table_8_order_of_layers(self):
        trunk = DCGANSN(width=1).discriminator((3, 32, 32)).trunk
        found = [type(part).__name__ for part in trunk.layers]
        assert found == [
            *("Conv2d", "LeakyReLU", "Identity"),
            *("Conv2d", "LeakyReLU", "BatchNorm") * 3,
        ]

    def test_table_8_spectral_norm_of_the_four_convolutions_alone(self):
        net = DCGANSN(width=1).discriminator((3, 32, 32))
        assert len(spectral_layers(net)) == len(spectral_layers(net.trunk)) == 4
        assert len(spectral_layers(DCGANSN(width=1).inverse((3, 32, 32)))) == 4

    def test_why_a_slope_penalty_wants_no_batch_norm(self):
        """Normalised last, at a single pixel, logits of a batch always have one sum.

        So the slope that a penalty sees is zero, whatever D does.
        """
        x = torch.randn(1, 6, 1, 16, 16)
        for norm, there in (("batch", False), ("none", True)):
            net = DCGANSN(latent=3, width=2, norm=norm).discriminator((1, 16, 16))
            assert (gradient(net, x).abs().max() > 1e-9) == there

    @pytest.mark.parametrize(("side", "inner"), [(28, 2), (32, 2), (48, 3), (64, 4)])
    def test_output_sizes(self, side, inner):
        x = torch.randn(1, B, 3, side, side)
        hidden = DCGANSN(width=1).discriminator((3, side, side)).features(x)
        assert hidden.shape == (1, B, 8, inner, inner)


class TestSNGANCNN:
    """IID-GAN (IJCAI 2023), Tables 9 and 10; latent dimension 128."""

    def test_table_9_generator(self):
        first = (128 + 1) * 8 * 8 * 512
        inside = 16 * (512 * 256 + 256 * 128 + 128 * 64) + 2 * (256 + 128 + 64)
        expected = first + inside + 9 * 64 * 3 + 3
        assert size(SNGANCNN().generator, (3, 64, 64)) == expected == 6_982_211

    def test_table_10_discriminator_and_the_inverse_that_follows_it(self):
        threes = 9 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
        fours = 16 * (64 * 64 + 128 * 128 + 256 * 256)
        trunk = threes + fours + (64 + 64 + 128 + 128 + 256 + 256 + 512)
        flat = 8 * 8 * 512
        assert size(SNGANCNN().discriminator, (3, 64, 64)) == trunk + flat + 1 == 2_960_449
        assert size(SNGANCNN().inverse, (3, 64, 64)) == trunk + 128 * (flat + 1) == 7_122_112

    def test_output_sizes(self):
        """The sides of Tables 9 and 10 on the way, at a width of 1 for 64."""
        G, D = (NETS[name](SNGANCNN(width=1), (3, 64, 64)) for name in ("generator", "spectral"))
        found = maps(G, torch.randn(1, B, 128))
        assert found == [(8, 8), (4, 16), (2, 32), (1, 64), (3, 64)]
        found = maps(D, torch.randn(1, B, 3, 64, 64))
        assert found == [(1, 64), (1, 32), (2, 32), (2, 16), (4, 16), (4, 8), (8, 8)]

    def test_d_judges_each_sample_alone(self):
        net, x = SNGANCNN(width=2).discriminator((1, 16, 16)), torch.randn(1, 6, 1, 16, 16)
        assert torch.allclose(net(x)[:, :2], net(x[:, :2]), rtol=1e-9)

    def test_d_is_not_homogeneous(self):
        """It could not tell a bright image from a dim one by a threshold."""
        net, x = SNGANCNN(width=2).discriminator((1, 16, 16)), torch.randn(1, 6, 1, 16, 16)
        for part in layers(net):
            part.bias.data.normal_()
        assert not torch.allclose(net(2 * x), 2 * net(x), rtol=1e-2)


class TestResNet:
    """SNGAN (Miyato et al., 2018), appendix B.4, and the authors' code for 64 pixels.

    Their G has three biases more in each block: 4,276,739 parameters at 32 pixels.
    """

    @staticmethod
    def up(before, count):
        """Parameters of a block of G: two norms, two convolutions, the shortcut's."""
        return 9 * (before + count) * count + before * count + 2 * (before + count)

    @staticmethod
    def down(before, count, *, first=False, same=False):
        inside = count if first else before
        convs = (9 * before + 1) * inside + (9 * inside + 1) * count
        return convs + (0 if same else (before + 1) * count)

    def test_32_pixels(self):
        backbone, shape = ResNet(), (3, 32, 32)
        end = 2 * 256 + 9 * 256 * 3 + 3
        generator = (128 + 1) * 16 * 256 + 3 * self.up(256, 256) + end
        assert size(backbone.generator, shape) == generator == 4_276_739 - 3 * 3 * 256
        trunk = self.down(3, 128, first=True) + self.down(128, 128)
        trunk += 2 * self.down(128, 128, same=True)
        assert size(backbone.discriminator, shape) == trunk + 128 + 1 == 1_053_825
        assert size(backbone.inverse, shape) == trunk + 128 * (128 + 1)

    def test_48_pixels(self):
        backbone, shape = ResNet(), (3, 48, 48)
        blocks = self.up(512, 256) + self.up(256, 128) + self.up(128, 64)
        generator = (128 + 1) * 36 * 512 + blocks + 2 * 64 + 9 * 64 * 3 + 3
        assert size(backbone.generator, shape) == generator == 4_878_083 - 3 * (256 + 128 + 64)
        trunk = self.down(3, 64, first=True)
        trunk += sum(self.down(64 * k, 128 * k) for k in (1, 2, 4, 8))
        assert size(backbone.discriminator, shape) == trunk + 1024 + 1 == 10_141_441

    def test_64_pixels(self):
        backbone, shape = ResNet(), (3, 64, 64)
        blocks = sum(self.up(128 * k, 64 * k) for k in (8, 4, 2, 1))
        generator = (128 + 1) * 16 * 1024 + blocks + 2 * 64 + 9 * 64 * 3 + 3
        assert (
            size(backbone.generator, shape) == generator == 12_220_675 - 3 * (512 + 256 + 128 + 64)
        )
        assert size(backbone.discriminator, shape) == 10_141_441

    @pytest.mark.parametrize(("side", "inner"), [(32, 8), (48, 3), (64, 2)])
    def test_the_features_are_sums_over_pixels(self, side, inner):
        net = ResNet(width=1).discriminator((3, side, side))
        seen = []
        net.trunk.layers[-1].register_forward_hook(lambda part, x, y: seen.append((x[0], y)))
        net(torch.randn(1, B, 3, side, side))
        ((before, after),) = seen
        assert before.shape[2:] == (inner, inner)
        torch.testing.assert_close(after[..., 0, 0], before.clamp_min(0).sum((2, 3)))

    def test_a_block_s_shortcut_is_the_papers(self):
        """There the mean comes after the convolution, and repetition before it."""
        down, up = Down(2, 5, halve=True, first=False, weight=Weight), Up(2, 5)
        x = torch.randn(B, 2, 6, 6)
        for conv in (*down.convs, *up.convs):
            for parameter in conv.parameters():
                parameter.data.zero_()
        down.shortcut.bias.data.normal_()
        torch.testing.assert_close(down(x), torch.nn.functional.avg_pool2d(down.shortcut(x), 2))
        twice = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        torch.testing.assert_close(up(x), up.shortcut(twice))

    def test_a_block_adds_what_its_layers_find(self):
        block, x = Down(3, 3, halve=False, first=False, weight=Weight), torch.randn(B, 3, 4, 4)
        one, two = block.convs
        torch.testing.assert_close(block(x), x + two(one(x.clamp_min(0)).clamp_min(0)))


class TestArxivCIFAR:
    """IID-GAN (arXiv, 2021), Tables 9, 10 and 11; latent dimension 100."""

    def test_table_9_inverse(self):
        convs = 16 * (3 * 64 + 64 * 128) + 9 * 128 * 256 + 2 * (64 + 128 + 256)
        expected = convs + (8 * 8 * 256 + 1) * 100
        assert size(ArxivCIFAR().inverse, (3, 32, 32)) == expected == 2_068_452

    def test_table_10_generator(self):
        first = 100 * 16_384 + 2 * 16_384
        convs = 9 * 256 * 128 + 16 * (128 * 64 + 64 * 3) + 2 * (128 + 64 + 3)
        assert size(ArxivCIFAR().generator, (3, 32, 32)) == first + convs == 2_100_614

    def test_table_11_discriminator(self):
        convs = 16 * (3 * 64 + 64 * 128 + 128 * 256) + 64 + 2 * (128 + 256)
        expected = convs + 4 * 4 * 256 + 1
        assert size(ArxivCIFAR().discriminator, (3, 32, 32)) == expected == 663_361

    def test_output_sizes(self):
        backbone, shape = ArxivCIFAR(width=1), (3, 32, 32)
        x = torch.randn(1, B, *shape)
        assert maps(backbone.generator(shape), torch.randn(1, B, 100)) == [
            *((4, 8), (2, 8), (1, 16), (3, 32))
        ]
        assert maps(backbone.discriminator(shape), x) == [(1, 16), (2, 8), (4, 4)]
        assert maps(backbone.inverse(shape), x) == [(1, 16), (2, 8), (4, 8)]

    def test_activations_of_the_tables(self):
        def found(net):
            kinds = nn.ReLU | nn.LeakyReLU | BatchNorm
            return [type(part).__name__ for part in net.modules() if isinstance(part, kinds)]

        backbone, shape = ArxivCIFAR(width=1), (3, 32, 32)
        assert found(backbone.inverse(shape)) == ["BatchNorm", "ReLU"] * 3
        assert found(backbone.generator(shape)) == [*["BatchNorm", "ReLU"] * 3, "BatchNorm"]
        inside = ["BatchNorm", "LeakyReLU"]
        assert found(backbone.discriminator(shape)) == ["LeakyReLU", *inside * 2]


class TestArxivSTL:
    """IID-GAN (arXiv, 2021), Tables 12 to 14; InvertGAN, Tables 3 and 4; latent dimension 20."""

    @staticmethod
    def block(before, count):
        inside = min(before, count)
        shortcut = 0 if before == count else before * count
        return (9 * before + 1) * inside + (9 * inside + 1) * count + shortcut

    def test_table_12_generator(self):
        blocks = [(512, 256), (256, 128), (128, 64), (64, 64)]
        expected = (20 + 1) * 8192 + sum(self.block(*pair) for pair in blocks) + 9 * 64 * 3 + 3
        assert size(ArxivSTL().generator, (3, 32, 32)) == expected == 2_742_979

    def test_table_13_inverse(self):
        blocks = [(64, 64), (64, 128), (128, 256), (256, 512)]
        trunk = 9 * 3 * 64 + 64 + sum(self.block(*pair) for pair in blocks)
        expected = trunk + (4 * 4 * 512 + 1) * 20
        assert size(ArxivSTL().inverse, (3, 32, 32)) == expected == 2_735_316

    def test_table_14_discriminator(self):
        blocks = [(64, 64), (64, 128), (128, 256)]
        trunk = 9 * 3 * 64 + 64 + sum(self.block(*pair) for pair in blocks)
        expected = trunk + (8 * 8 * 256 + 1) * 10 + 10 + 1
        assert size(ArxivSTL().discriminator, (3, 32, 32)) == expected == 834_005

    def test_output_sizes(self):
        backbone, shape, x = ArxivSTL(width=1), (3, 32, 32), torch.randn(1, B, 3, 32, 32)

        def found(net, x):
            sides = []
            for part in net.modules():
                if isinstance(part, Block):
                    part.register_forward_hook(lambda part, x, y: sides.append(y.shape[1:3]))
            net(x)
            return [tuple(each) for each in sides]

        halved = [(1, 32), (2, 16), (4, 8), (8, 4)]
        assert found(backbone.inverse(shape), x) == halved
        assert found(backbone.discriminator(shape), x) == halved[:3]
        z = torch.randn(1, B, 20)
        assert found(backbone.generator(shape), z) == [(4, 4), (2, 8), (1, 16), (1, 32)]

    def test_a_block_adds_a_tenth_of_what_its_layers_find(self):
        block, x = Block(3, 3), torch.randn(B, 3, 4, 4)
        one, two = block.convs
        bent = lambda x: torch.where(x > 0, x, 0.2 * x)  # noqa: E731
        torch.testing.assert_close(block(x), x + 0.1 * two(bent(one(bent(x)))))

    def test_nothing_is_normalised_by_the_batch(self):
        backbone, shape, x = ArxivSTL(width=2), (3, 32, 32), torch.randn(1, 6, 3, 32, 32)
        for net in (backbone.inverse(shape), backbone.discriminator(shape)):
            torch.testing.assert_close(net(x)[:, :2], net(x[:, :2]))


class TestMnistNet:
    """InfoGAN (Chen et al., 2016), appendix C.1; latent dimension 2."""

    def test_generator(self):
        linear = 2 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272
        expected = linear + 16 * 128 * 64 + 2 * 64 + 16 * 64 + 1
        assert size(MnistNet().generator, (1, 28, 28)) == expected == 6_571_393

    def test_discriminator_and_inverse(self):
        convs = 16 * 64 + 64 + 16 * 64 * 128 + 2 * 128
        trunk = convs + 6272 * 1024 + 2 * 1024
        assert size(MnistNet().discriminator, (1, 28, 28)) == trunk + 1024 + 1 == 6_558_017
        assert size(MnistNet().inverse, (1, 28, 28)) == trunk + 2 * (1024 + 1)

    def test_output_sizes(self):
        backbone, shape = MnistNet(width=1), (1, 28, 28)
        found = maps(backbone.discriminator(shape), torch.randn(1, B, *shape))
        assert found == [(1, 14), (2, 7)]
        found = maps(backbone.generator(shape), torch.randn(1, B, 2))
        assert found == [(2, 7), (1, 14), (1, 28)]


def maps(net, x):
    """Lists channels and side of what each layer but the head of D makes, once laid out."""
    found = []
    for part in net.modules():
        if isinstance(part, Conv2d | ConvTranspose2d | Spread):
            part.register_forward_hook(lambda part, x, y: found.append((y.shape[1], y.shape[2])))
    net(x)
    return found


def layers(net):
    return [part for part in net.modules() if isinstance(part, Conv2d | Dense)]


# What is refused.


def test_samples_of_an_mlp_do_not_depend_on_the_batch():
    net, z = MLP(latent=2, hidden=(5,)).generator((2,)), torch.randn(1, B, 2)
    assert torch.allclose(net(z)[:, :2], net(z[:, :2]), atol=1e-14)


REFUSED = {
    "dcgan-sn": (DCGANSN(), [(2,), (1, 28), (1, 32, 28)], "at least 16 pixels.*--arch mlp"),
    "dcgan-sn, small": (DCGANSN(), [(1, 15, 15)], "at least 16 pixels.*--arch dcgan"),
    "sngan-cnn": (SNGANCNN(), [(2,), (3, 4, 4)], "a multiple of 8 pixels.*--arch mlp"),
    "sngan-cnn, 28": (SNGANCNN(), [(1, 28, 28)], "a multiple of 8 pixels.*--arch dcgan"),
    "resnet": (ResNet(), [(3, 16, 16), (1, 28, 28)], "32 or 48 or 64 pixels.*--arch dcgan"),
    "arxiv-cifar": (ArxivCIFAR(), [(3, 30, 30)], "a multiple of 4 pixels.*--arch dcgan"),
    "arxiv-stl": (ArxivSTL(), [(3, 28, 28)], "a multiple of 8 pixels.*--arch dcgan"),
    "mnist-net": (MnistNet(), [(1, 30, 30)], "a multiple of 4 pixels.*--arch dcgan"),
    "dcgan": (DCGAN(), [(2,), (1, 28), (1, 28, 32), (1, 7, 7)], "at least 8 pixels.*--arch mlp"),
}


@pytest.mark.parametrize(("backbone", "shapes", "message"), REFUSED.values(), ids=REFUSED)
def test_samples_of_another_shape_are_refused(backbone, shapes, message):
    for shape in shapes:
        for name, make in NETS.items():
            if name != "latent":
                with pytest.raises(InputError, match=rf"square images of {message}"):
                    make(backbone, shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DCGAN(width=0), "width: 0 is too small; at least 1"),
        (lambda: DCGAN(latent=0), "latent: 0 is too small; at least 1"),
        (lambda: DCGAN(norm="bach"), "norm: unknown 'bach'; did you mean 'batch'?"),
        (lambda: MLP(latent=0), "latent: 0 is too small; at least 1"),
        (lambda: MLP(hidden=(10, 0)), r"hidden: \(10, 0\) has a width below 1"),
    ],
)
def test_fields_out_of_range(make, message):
    with pytest.raises(InputError, match=message):
        make()
