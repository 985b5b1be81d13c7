"""Laws of all backbones: shapes, independent seeds, heads, spectral norms."""

import pytest
import torch

from iidgan.core import Dataset, NetworkFactory
from iidgan.engine import inference as sample
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state
from iidgan.engine.step import TrainStep
from iidgan.methods import iid_gan
from iidgan.nn import BACKBONES, MLP
from iidgan.nn.backbones.r3gan import DiscriminativeBasis
from iidgan.nn.layers.conv import BatchNorm, Conv2d, Dense
from iidgan.nn.layers.linear import Linear
from iidgan.nn.layers.weight import Weight
from iidgan.testing import check_backbone
from tests.helpers.backbones import (
    BATCH_SIZE,
    BUILDERS,
    CASES,
    IMAGE_CASES,
    NUM_SEEDS,
    RECTANGLES,
    SMALLEST,
    count_parameters,
    draw_inputs,
    each_backbone,
    parameter_shapes,
    spectral_layers,
    stack_networks,
)

WEIGHTED_LAYERS = (Linear, Conv2d, Dense, DiscriminativeBasis)


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


@pytest.mark.slow
@each_backbone(CASES)
@pytest.mark.parametrize("name", BUILDERS)
def test_backbone_shapes_and_independent_seeds(name, backbone, shape):
    stacked_network, single_networks = stack_networks(lambda: BUILDERS[name](backbone, shape))
    inputs = draw_inputs(name, backbone, shape)
    outputs = stacked_network(*inputs)
    tail = {"generator": shape, "inverse": (backbone.latent,), "encoder": (7,), "head": (7,)}
    assert outputs.shape == (NUM_SEEDS, BATCH_SIZE, *tail.get(name, ()))
    for seed, net in enumerate(single_networks):
        expected = net(*(value[seed : seed + 1] for value in inputs))
        torch.testing.assert_close(outputs[seed : seed + 1], expected, rtol=1e-9, atol=1e-12)


@each_backbone(CASES)
def test_network_is_head_of_features(backbone, shape):
    for name in ("generator", "discriminator", "spectral", "encoder", "inverse"):
        net, inputs = BUILDERS[name](backbone, shape), draw_inputs(name, backbone, shape)
        x = inputs[0][:1]
        assert torch.equal(net(x), net.head(net.features(x))), name


@each_backbone(CASES)
def test_joint_discriminator_reads_both_inputs(backbone, shape):
    net, _ = stack_networks(lambda: backbone.build_joint_discriminator(shape))
    x = torch.randn(NUM_SEEDS, BATCH_SIZE, *shape, requires_grad=True)
    z = torch.randn(NUM_SEEDS, BATCH_SIZE, backbone.latent, requires_grad=True)
    for outputs in torch.autograd.grad(net(x, z).sum(), (x, z)):
        assert outputs.flatten(1).any(-1).all()


@each_backbone(CASES)
def test_encoder_shares_discriminator_layers(backbone, shape):
    """The layers are the same except the head, which equals a separately built head.

    Only D of StyleGAN2 reads a statistic of the batch besides.
    """
    encoder, head = (
        parameter_shapes(backbone.build_encoder(shape, 7)),
        backbone.build_head(shape, 7),
    )
    discriminator = parameter_shapes(backbone.build_discriminator(shape))
    inner = {k: v for k, v in encoder.items() if not k.startswith("head.")}
    shared = {k: v for k, v in discriminator.items() if not k.startswith("head.")}
    assert inner == {k: v for k, v in shared.items() if ".std_weight." not in k}
    assert parameter_shapes(backbone.build_encoder(shape, 7).head) == parameter_shapes(head)


@each_backbone(CASES)
def test_spectral_discriminator_has_unit_norms(backbone, shape):
    net = backbone.build_discriminator(shape, spectral=True)
    weights = spectral_layers(net)
    assert len(weights) == sum(isinstance(part, WEIGHTED_LAYERS) for part in net.modules())
    assert not any(isinstance(part, Weight | BatchNorm) for part in net.modules())
    for weight in weights:
        norm = torch.linalg.matrix_norm(weight().flatten(2), ord=2).item()
        assert (
            1 - 1e-9 <= norm < 1.25
        )  # warmed up before the first update; estimates are from below


@each_backbone(CASES)
def test_inverse_head_is_not_normalised(backbone, shape):
    """Otherwise its codes could not have variance 1."""
    assert not spectral_layers(backbone.build_inverse(shape).head)
    assert not spectral_layers(backbone.build_generator(shape))
    assert not spectral_layers(backbone.build_head(shape, 7))


@each_backbone(CASES)
def test_backbone_tensors_have_seed_axis(backbone, shape):
    for make in BUILDERS.values():
        net = make(backbone, shape)
        assert all(len(value) == 1 for value in net.state_dict().values())
        assert list(net.parameters())


@each_backbone(CASES)
def test_initial_outputs_have_moderate_scale(backbone, shape):
    """Outputs neither vanish nor explode at initialisation."""
    for name in ("generator", "inverse", "discriminator"):
        (x,) = draw_inputs(name, backbone, shape)
        outputs = BUILDERS[name](backbone, shape)(x[:1])
        assert 1e-7 < outputs.std() < 10, name


@each_backbone(IMAGE_CASES)
def test_generator_images_in_range(backbone, shape):
    net, _ = stack_networks(lambda: backbone.build_generator(shape))
    for part in net.parameters():
        part.data.mul_(3)
    images = net.eval()(10 * torch.randn(NUM_SEEDS, BATCH_SIZE, backbone.latent))
    assert images.abs().max() <= 1
    assert images.std() > 0


def test_all_backbones_have_cases():
    tried = {type(backbone) for backbone, _ in CASES.values()}
    assert tried >= set(BACKBONES.values()) - {BACKBONES["shrunk"]}
    assert {type(backbone) for backbone, _ in RECTANGLES.values()} == tried - {MLP}
    small = {type(backbone) for backbone, _ in SMALLEST.values()}
    assert small >= tried - {MLP}


@each_backbone(RECTANGLES)
def test_transposed_images_have_as_many_parameters(backbone, shape):
    """Nothing but the sides of feature maps depends on which side is longer."""
    transposed = (shape[0], shape[2], shape[1])
    for name, make in BUILDERS.items():
        count = count_parameters(make, backbone, shape)
        assert count == count_parameters(make, backbone, transposed), name


def test_backbones_equal_and_hashable():
    for make_backbone in BACKBONES.values():
        assert make_backbone() == make_backbone()
        assert hash(make_backbone()) == hash(make_backbone())


@pytest.mark.slow
@pytest.mark.usefixtures("narrow_latent_discriminators")
@each_backbone(SMALLEST)
def test_check_backbone_of_all_backbones(backbone, shape):
    check_backbone(backbone, shape)


@pytest.mark.slow
@each_backbone(SMALLEST)
def test_inference_networks_and_ema(backbone, shape):
    """With standing statistics a sample does not depend on those beside it; EMA lags behind."""
    arch = NetworkFactory(backbone, shape)
    state = init_state(iid_gan(), arch, Adam(), (0, 1), ema=0.5)
    data = Dataset(torch.randn(20, *shape).tanh())
    batches = DatasetStream(data, (0, 1), batch_size=6, latent_dim=arch.latent)
    train_step = TrainStep(iid_gan(), state, steps=10, ema=0.5)
    for step in range(3):
        train_step(batches.batches_at(step))
        state.step += 1
    nets = sample.inference_networks(state, batches, num_batches=3)
    z, x = torch.randn(2, 9, arch.latent), torch.randn(2, 9, *shape)
    for net, inputs in ((nets["G"], z), (nets["F"], x)):
        first_outputs, same_outputs = (
            sample.map_chunked(net, inputs)[:, :4],
            sample.map_chunked(net, inputs[:, :4]),
        )
        torch.testing.assert_close(first_outputs, same_outputs)
        assert first_outputs.isfinite().all()
    now, average = state.nets["G"].parameters(), state.ema_nets["G"].parameters()
    assert all((a - b).abs().max() > 0 for a, b in zip(now, average))
    inference_parameters = nets["G"].parameters()
    assert all(
        torch.equal(a, b) for a, b in zip(inference_parameters, state.ema_nets["G"].parameters())
    )
