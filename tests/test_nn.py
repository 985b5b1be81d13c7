"""Layers for S seeds equal S ordinary layers; backbones have the shapes that they promise."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from iidgan.core import Headed, Refreshing
from iidgan.errors import InputError
from iidgan.nn import ARCHS, DCGAN, MLP
from iidgan.nn.conv import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    group,
    ungroup,
)
from iidgan.nn.linear import Linear, hidden_layers
from iidgan.nn.mlp import Perceptron
from iidgan.nn.weight import SpectralWeight, Weight

S, B = 3, 5

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def widen(module, seeds=S):
    """Gives every parameter and buffer random values for `seeds` seeds."""
    for part in module.modules():
        for name, value in part._parameters.items():
            if value is not None:
                part._parameters[name] = nn.Parameter(torch.randn(seeds, *value.shape[1:]))
        for name, value in part._buffers.items():
            part._buffers[name] = torch.rand(seeds, *value.shape[1:]) + 0.5
    return module


def grouped(module):
    """Lifts a layer in grouped layout to (S, B, C, H, W)."""
    return lambda x: ungroup(module(group(x)), len(x))


def assert_same_map(ours, parameters, twins, x, copy):
    """Compares values and all gradients of `ours` with those of one ordinary module per seed.

    Arguments:
        ours: Map of (S, B, ...).
        parameters: Our parameters by the name that the twins' have.
        twins: One ordinary module per seed.
        x: Inputs.
        copy: Turns one seed of our parameter `name` into what the twin has.
    """
    for seed, twin in enumerate(twins):
        with torch.no_grad():
            for name, value in parameters.items():
                twin.get_parameter(name).copy_(copy(name, value[seed]))
    x = x.requires_grad_()
    y = ours(x)
    weights = torch.randn_like(y)
    gradients = torch.autograd.grad((weights * y).sum(), [x, *parameters.values()])
    for seed, twin in enumerate(twins):
        theirs = twin(x[seed])
        assert torch.allclose(y[seed], theirs, rtol=1e-12, atol=1e-12)
        wanted = [x, *(twin.get_parameter(name) for name in parameters)]
        expected = torch.autograd.grad((weights[seed] * theirs).sum(), wanted)
        assert torch.allclose(gradients[0][seed], expected[0][seed], rtol=1e-12, atol=1e-12)
        for name, ours_, theirs_ in zip(parameters, gradients[1:], expected[1:]):
            assert torch.allclose(copy(name, ours_[seed]), theirs_, rtol=1e-11, atol=1e-11)


class TestLinear:
    def test_equals_one_linear_layer_per_seed(self):
        layer = widen(Linear(4, 6))
        assert_same_map(
            layer,
            {"weight": layer.weight.value, "bias": layer.bias},
            [nn.Linear(4, 6) for _ in range(S)],
            torch.randn(S, B, 4),
            lambda name, value: value.mT if name == "weight" else value[0],
        )

    def test_starts_like_an_ordinary_one(self):
        layer = Linear(100, 200)
        for value in (layer.weight.value, layer.bias):
            assert value.abs().max() <= 0.1
            assert value.abs().max() > 0.098
            assert value.mean().abs() < 0.02
        assert layer.weight.value.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.02)

    def test_perceptron_has_a_relu_after_each_layer_but_the_last(self):
        kinds = [type(layer) for layer in hidden_layers(2, (3, 4))]
        assert kinds == [Linear, nn.ReLU, Linear, nn.ReLU]
        for hidden, before in (((3, 4), kinds), ((), [])):
            net = Perceptron((2,), hidden, (5,))
            assert [type(layer) for layer in (*net.body, net.head.layer)] == [*before, Linear]


def as_is(name, value):
    return value


class TestGroupedLayers:
    def test_ungroup_undoes_group(self):
        x = torch.randn(S, B, 2, 4, 6)
        assert group(x).shape == (B, S * 2, 4, 6)
        assert torch.equal(ungroup(group(x), S), x)

    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 1, 0), (3, 1, 1)])
    def test_convolution_equals_one_per_seed(self, kernel, stride, padding, bias):
        layer = widen(Conv2d(2, 4, kernel, stride=stride, padding=padding, bias=bias))
        parameters = {"weight": layer.weight.value} | ({"bias": layer.bias} if bias else {})
        twins = [nn.Conv2d(2, 4, kernel, stride, padding, bias=bias) for _ in range(S)]
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 2, 7, 7), as_is)

    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize(
        ("kernel", "stride", "padding", "more"), [(4, 2, 1, 0), (4, 2, 1, 1), (3, 1, 0, 0)]
    )
    def test_transposed_convolution_equals_one_per_seed(self, kernel, stride, padding, more, bias):
        options = {"stride": stride, "padding": padding, "output_padding": more, "bias": bias}
        layer = widen(ConvTranspose2d(2, 4, kernel, **options))
        parameters = {"weight": layer.weight} | ({"bias": layer.bias} if bias else {})
        twins = [nn.ConvTranspose2d(2, 4, kernel, **options) for _ in range(S)]
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 2, 3, 3), as_is)

    def test_batch_norm_equals_one_per_seed_in_training(self):
        layer = widen(BatchNorm(4))
        parameters = {"weight": layer.weight, "bias": layer.bias}
        twins = [nn.BatchNorm2d(4) for _ in range(S)]
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 4, 3, 3), as_is)

    def test_batch_norm_equals_one_per_seed_in_evaluation(self):
        layer = widen(BatchNorm(4)).eval()
        twins = [nn.BatchNorm2d(4).eval() for _ in range(S)]
        for seed, twin in enumerate(twins):
            twin.running_mean.copy_(layer.mean[seed])
            twin.running_var.copy_(layer.var[seed])
        parameters = {"weight": layer.weight, "bias": layer.bias}
        assert_same_map(grouped(layer), parameters, twins, torch.randn(S, B, 4, 3, 3), as_is)

    def test_batch_norm_changes_nothing_in_a_forward_pass(self):
        layer = widen(BatchNorm(2))
        before = {name: value.clone() for name, value in layer.state_dict().items()}
        layer(torch.randn(B, S * 2, 3, 3))
        assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())

    def test_batch_norm_stands_on_its_moments(self):
        """With the moments of a batch it normalises that batch as in training."""
        layer, x = widen(BatchNorm(2)), 3 + 2 * torch.randn(B, S * 2, 4, 4)
        expected = layer(x)
        layer.stand(*layer.moments(x))
        assert torch.allclose(layer.eval()(x), expected, atol=1e-12)
        assert torch.allclose(layer.mean, x.mean((0, 2, 3)).view(S, 2))
        variance = x.var((0, 2, 3), correction=0).view(S, 2)
        assert torch.allclose(layer.var, variance, rtol=1e-10)

    def test_batch_norm_of_a_constant_is_finite(self):
        """In float32 the variance of a large constant rounds to less than zero."""
        layer, x = BatchNorm(1).float().eval(), torch.full((7, 1, 3, 3), 1234.567).float()
        mean, square = layer.moments(x)
        layer.stand(mean, square * (1 - 1e-6))
        assert (layer.var >= 0).all()
        assert layer(x).isfinite().all()

    @pytest.mark.parametrize("px", [8, 28])
    @pytest.mark.parametrize("role", ["generator", "discriminator"])
    def test_a_seed_that_is_not_finite_does_not_spread_in_float32(self, role, px):
        """Kernels may pad and block channels; what is not finite must stay in its group."""
        backbone, shape = DCGAN(latent=4, width=4, spectral_norm=True), (1, px, px)
        net = widen(getattr(backbone, role)(shape)).float()
        x = torch.randn(S, B, *((4,) if role == "generator" else shape)).float()
        healthy = net(x)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter[0] = torch.nan
        spoilt = net(x)
        assert spoilt[0].isnan().all()
        assert torch.equal(spoilt[1:], healthy[1:])
        gradients = torch.autograd.grad(spoilt.sum(), list(net.parameters()))
        assert all(gradient[1:].isfinite().all() for gradient in gradients)


class TestSpectralWeight:
    def test_sigma_tends_to_the_largest_singular_value_of_each_seed(self):
        layer = widen(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        norm = torch.linalg.matrix_norm(layer.value.flatten(2), ord=2)
        errors = []
        for _ in range(3):
            for _ in range(100):
                layer.iterate()
            sigma = torch.linalg.matrix_norm(layer().flatten(2), ord=2)
            errors.append((sigma - 1).abs().max().item())
        assert errors == sorted(errors, reverse=True)
        assert errors[-1] < 1e-6
        assert torch.allclose(layer.value / layer(), norm.view(S, 1, 1, 1, 1), rtol=1e-5)

    def test_sigma_is_never_more_than_the_largest_singular_value(self):
        layer = widen(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        layer.iterate()
        norm = torch.linalg.matrix_norm(layer.value.flatten(2), ord=2)
        sigma = (layer.value / layer())[:, 0, 0, 0, 0]
        assert (sigma <= norm + 1e-12).all()
        assert (sigma > 0).all()

    def test_vectors_are_unit_vectors_from_the_start(self):
        layer = SpectralWeight(torch.randn(1, 6, 2, 3, 3))
        for vector in (layer.u, layer.v):
            assert torch.allclose(vector.norm(dim=1), torch.ones(1, 1))

    def test_a_forward_pass_changes_nothing(self):
        layer = widen(SpectralWeight(torch.zeros(1, 6, 2, 3, 3)))
        before = layer.u.clone(), layer.v.clone()
        layer.train()()
        assert torch.equal(layer.u, before[0])
        assert torch.equal(layer.v, before[1])

    def test_equals_the_ordinary_one_with_the_same_vectors(self):
        layer = Conv2d(2, 6, 3, weight=SpectralWeight)
        widen(layer)
        for _ in range(3):
            layer.weight.iterate()
        for seed in range(S):
            twin = parametrizations.spectral_norm(nn.Conv2d(2, 6, 3)).eval()
            inner = twin.parametrizations.weight
            with torch.no_grad():
                inner.original.copy_(layer.weight.value[seed])
                inner[0]._u.copy_(layer.weight.u[seed, :, 0])
                inner[0]._v.copy_(layer.weight.v[seed, :, 0])
                twin.bias.copy_(layer.bias[seed])
            x = torch.randn(S, B, 2, 5, 5)
            ours, theirs = grouped(layer)(x)[seed], twin(x[seed])
            assert torch.allclose(ours, theirs, atol=1e-12)
            weights = torch.randn_like(theirs)
            gradient = torch.autograd.grad((weights * ours).sum(), layer.weight.value)[0]
            expected = torch.autograd.grad((weights * theirs).sum(), inner.original)[0]
            assert torch.allclose(gradient[seed], expected, atol=1e-12)
            assert not gradient[[s for s in range(S) if s != seed]].any()

    def test_refresh_is_one_power_iteration_per_seed(self):
        layer = widen(SpectralWeight(torch.zeros(1, 4, 3, 1, 1)))
        u = layer.u.clone()
        layer.iterate()
        for seed in range(S):
            matrix = layer.value[seed].flatten(1)
            v = matrix.T @ u[seed]
            v /= v.norm()
            expected = matrix @ v
            assert torch.allclose(layer.v[seed], v)
            assert torch.allclose(layer.u[seed], expected / expected.norm())


MLPS = [(MLP(latent=2, hidden=(7, 6)), (2,)), (MLP(latent=3, hidden=()), (5,))]
DCGANS = [
    (DCGAN(latent=6, width=2, spectral_norm=norm), (channels, px, px))
    for px in (28, 32)
    for channels in (1, 3)
    for norm in (False, True)
]


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS])
def test_backbones_map_to_the_shapes_that_they_promise(backbone, shape):
    z, x = torch.randn(S, B, backbone.latent), torch.randn(S, B, *shape)
    assert widen(backbone.generator(shape))(z).shape == x.shape
    assert widen(backbone.discriminator(shape))(x).shape == (S, B)
    assert widen(backbone.inverse(shape))(x).shape == z.shape
    assert widen(backbone.latent_discriminator())(z).shape == (S, B)


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS])
def test_other_networks_have_the_shapes_that_they_promise(backbone, shape):
    z, x = torch.randn(S, B, backbone.latent), torch.randn(S, B, *shape)
    assert widen(backbone.encoder(shape, 7))(x).shape == (S, B, 7)
    assert widen(backbone.joint_discriminator(shape))(x, z).shape == (S, B)
    assert widen(backbone.discriminator(shape, spectral=True))(x).shape == (S, B)
    hidden = widen(backbone.discriminator(shape)).features(x)
    assert hidden.shape[:2] == (S, B)
    assert widen(backbone.head(shape, 7))(hidden).shape == (S, B, 7)


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS])
def test_a_headed_network_is_its_head_of_its_features(backbone, shape):
    z, x = torch.randn(S, B, backbone.latent), torch.randn(S, B, *shape)
    nets = {
        "generator": (backbone.generator(shape), z),
        "discriminator": (backbone.discriminator(shape), x),
        "spectral": (backbone.discriminator(shape, spectral=True), x),
        "encoder": (backbone.encoder(shape, 7), x),
        "inverse": (backbone.inverse(shape), x),
    }
    for name, (net, inputs) in nets.items():
        assert isinstance(net, Headed), name
        widen(net)
        assert torch.equal(net(inputs), net.head(net.features(inputs))), name


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS])
def test_a_joint_discriminator_reads_both(backbone, shape):
    net = widen(backbone.joint_discriminator(shape))
    x = torch.randn(S, B, *shape, requires_grad=True)
    z = torch.randn(S, B, backbone.latent, requires_grad=True)
    for gradient in torch.autograd.grad(net(x, z).sum(), (x, z)):
        assert gradient.flatten(2).any(-1).all()


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS])
def test_an_encoder_is_a_head_on_the_features_of_a_discriminator(backbone, shape):
    """The layers are the same but for the end, which is that of a head made alone."""

    def layout(net):
        return {name: tuple(value.shape) for name, value in net.named_parameters()}

    encoder, head = backbone.encoder(shape, 7), backbone.head(shape, 7)
    discriminator = backbone.discriminator(shape)
    inner = {k: v for k, v in layout(encoder).items() if not k.startswith("head.")}
    assert inner == {k: v for k, v in layout(discriminator).items() if not k.startswith("head.")}
    assert layout(encoder.head) == layout(head)


def spectral_layers(net):
    return [part for part in net.modules() if isinstance(part, SpectralWeight)]


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS])
def test_a_spectral_discriminator_has_layers_of_norm_one(backbone, shape):
    net = widen(backbone.discriminator(shape, spectral=True))
    weights = spectral_layers(net)
    assert len(weights) == sum(isinstance(part, Linear | Conv2d) for part in net.modules())
    assert not any(isinstance(part, Weight) for part in net.modules())
    for weight in weights:
        for _ in range(400):
            weight.iterate()
        norms = torch.linalg.matrix_norm(weight().flatten(2), ord=2)
        assert torch.allclose(norms, torch.ones(S), atol=1e-4)


@pytest.mark.parametrize(("backbone", "shape"), [MLPS[0], DCGANS[0]])
def test_a_spectral_discriminator_starts_near_norm_one(backbone, shape):
    """Its layers are warm before the first move; from above, as estimates are from below."""
    for weight in spectral_layers(backbone.discriminator(shape, spectral=True)):
        norm = torch.linalg.matrix_norm(weight().flatten(2), ord=2).item()
        assert 1 - 1e-9 <= norm < 1.1


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS[:2]])
def test_spectral_is_off_unless_asked_for(backbone, shape):
    asked = isinstance(backbone, DCGAN) and backbone.spectral_norm
    assert bool(spectral_layers(backbone.discriminator(shape))) is asked


@pytest.mark.parametrize(("backbone", "shape"), [*MLPS, *DCGANS])
def test_every_parameter_and_buffer_starts_with_one_seed(backbone, shape):
    nets = [
        backbone.generator(shape),
        backbone.discriminator(shape),
        backbone.discriminator(shape, spectral=True),
        backbone.encoder(shape, 7),
        backbone.inverse(shape),
        backbone.joint_discriminator(shape),
        backbone.latent_discriminator(),
        backbone.head(shape, 7),
    ]
    for net in nets:
        assert all(len(value) == 1 for value in net.state_dict().values())
        assert list(net.parameters())


def size(net):
    return sum(parameter.numel() for parameter in net.parameters())


def test_parameters_of_the_paper_s_mlp():
    """2 -> 100 -> 200 -> 100 -> out, weights and biases."""
    hidden = (2 * 100 + 100) + (100 * 200 + 200) + (200 * 100 + 100)
    backbone = MLP()
    assert size(backbone.generator((2,))) == hidden + 100 * 2 + 2 == 40_802
    assert size(backbone.inverse((2,))) == 40_802
    assert size(backbone.discriminator((2,))) == hidden + 100 + 1 == 40_701
    assert size(backbone.latent_discriminator()) == 40_701


def test_parameters_of_dcgan():
    """At 28 pixels the innermost feature map is 3 x 3; kernels inside are 4 x 4."""
    backbone = DCGAN(latent=64, width=64)
    inside = 16 * (64 * 128 + 128 * 256)
    generator = 64 * 256 * 9 + inside + (16 * 64 + 1) + 2 * (256 + 128 + 64)
    assert size(backbone.generator((1, 28, 28))) == generator == 804_737
    trunk = (16 * 64 + 64) + inside + 2 * (128 + 256)
    assert size(backbone.discriminator((1, 28, 28))) == trunk + 256 * 9 + 1 == 659_521
    assert size(backbone.inverse((1, 28, 28))) == trunk + 64 * (256 * 9 + 1) == 804_736
    latent = (64 * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 + 1)
    assert size(backbone.latent_discriminator()) == latent


def test_dcgan_generates_pixels_between_minus_one_and_one():
    images = widen(DCGAN(latent=4, width=2).generator((3, 32, 32)))(10 * torch.randn(S, B, 4))
    assert images.abs().max() <= 1


def test_spectral_norm_spares_the_last_layer_of_the_inverse():
    backbone, shape = DCGAN(latent=4, width=2, spectral_norm=True), (1, 28, 28)
    discriminator, inverse = backbone.discriminator(shape), backbone.inverse(shape)
    for net in (discriminator, inverse):
        assert all(isinstance(conv.weight, SpectralWeight) for conv in net.trunk.convs)
    assert isinstance(discriminator.head.head.conv.weight, SpectralWeight)
    assert isinstance(inverse.head.conv.weight, Weight)
    assert not any(isinstance(part, Refreshing) for part in backbone.generator(shape).modules())


def test_no_spectral_norm_unless_asked_for():
    backbone = DCGAN(latent=4, width=2)
    for net in (backbone.discriminator((1, 28, 28)), backbone.inverse((1, 28, 28))):
        assert not any(isinstance(part, Refreshing) for part in net.modules())


def test_samples_of_an_mlp_do_not_depend_on_the_batch():
    net, z = widen(MLP(latent=2, hidden=(5,)).generator((2,))), torch.randn(S, B, 2)
    assert torch.allclose(net(z)[:, :2], net(z[:, :2]), atol=1e-14)


@pytest.mark.parametrize("shape", [(2,), (1, 28), (1, 28, 32), (1, 7, 7)])
def test_dcgan_refuses_what_is_no_square_image(shape):
    backbone = DCGAN()
    makers = (
        backbone.generator,
        backbone.discriminator,
        backbone.inverse,
        backbone.joint_discriminator,
        lambda shape: backbone.encoder(shape, 7),
        lambda shape: backbone.head(shape, 7),
    )
    for make in makers:
        with pytest.raises(InputError, match=r"square images of at least 8 pixels.*--arch mlp"):
            make(shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DCGAN(width=0), "width: 0 is too small; at least 1"),
        (lambda: DCGAN(latent=0), "latent: 0 is too small; at least 1"),
        (lambda: MLP(latent=0), "latent: 0 is too small; at least 1"),
        (lambda: MLP(hidden=(10, 0)), r"hidden: \(10, 0\) has a width below 1"),
    ],
)
def test_fields_out_of_range(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_every_backbone_is_a_value():
    for made in ARCHS.values():
        assert made() == made()
        assert hash(made()) == hash(made())
