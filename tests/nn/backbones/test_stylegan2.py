"""The networks of StyleGAN2: the papers' numbers of parameters, styles, noise and statistics."""

import pytest
import torch

from iidgan.core import Batch, NetworkFactory
from iidgan.methods import GAN, iid_gan
from iidgan.nn import StyleGAN2
from iidgan.nn.backbones.stylegan2 import MappingNetwork
from iidgan.nn.layers.minibatch_std import MinibatchStdConv
from iidgan.testing import check_compiled
from iidgan.testing.mini_run import MiniRun
from tests.helpers.backbones import count_parameters

SMALL = StyleGAN2(latent=6, width=4, mapping_layers=2)
SHAPE = (3, 16, 16)


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


def draw_generator():
    """A generator whose noise has an effect, and latents."""
    G = SMALL.build_generator(SHAPE)
    for conv in G.convs:
        conv.noise_strength.data.fill_(0.5)
    return G, torch.randn(1, 5, 6)


class TestParameterCounts:
    """Analyzing and Improving the Image Quality of StyleGAN, section 4.1, at 1,024 pixels.

    Twice as many channels of large feature maps, configuration F, increase the parameters of G
    from 25 to 30 million, and those of D from 24 to 29 million.
    """

    @pytest.mark.parametrize(("width", "generator", "discriminator"), [(16, 25, 24), (32, 30, 29)])
    def test_parameter_counts_of_the_paper(self, width, generator, discriminator):
        backbone, shape = StyleGAN2(width=width), (3, 1024, 1024)
        for build, millions in (
            (backbone.build_generator, generator),
            (backbone.build_discriminator, discriminator),
        ):
            assert round(count_parameters(build, shape) / 1e6) == millions

    def test_generator_at_32_pixels_layer_by_layer(self):
        backbone = StyleGAN2(latent=8, width=2, max_width=8, mapping_layers=3)
        mapping = 3 * (8 * 8 + 8)
        convs = [(8, 8), (8, 8), (8, 8), (8, 4), (4, 4), (4, 2), (2, 2)]
        styled = sum((8 + 1) * i + 9 * i * o + o + 1 for i, o in convs)
        to_rgb = sum((8 + 1) * i + 3 * i + 3 for i in (8, 8, 4, 2))
        assert (
            count_parameters(backbone.build_generator, (3, 32, 32))
            == mapping + 8 * 4 * 4 + styled + to_rgb
        )

    def test_stages_of_28_pixels_start_at_seven(self):
        G = SMALL.build_generator((1, 28, 28))
        assert G.constant.shape == (1, 16, 7, 7)
        assert G.num_styles == 6
        assert G.layer_noise_shape == (7 * 7 + 2 * 14 * 14 + 2 * 28 * 28,)


class TestStyles:
    def test_styles_ignore_the_length_of_latents(self):
        G, z = draw_generator()
        torch.testing.assert_close(G.styles(3 * z), G.styles(z), rtol=1e-6, atol=1e-6)

    def test_generator_reads_styles_in_place_of_latents(self):
        G, z = draw_generator()
        assert torch.equal(G(G.styles(z)), G(z))

    def test_last_style_changes_the_last_image_alone(self):
        """The image of the last stage is added to those of smaller stages."""
        G, z = draw_generator()
        styles = G.styles(z).clone()
        styles[:, :, -1] = 0
        features, changed_features = G.features(z), G.features(styles)
        assert torch.equal(features[:, :, -3:], changed_features[:, :, -3:])
        assert not torch.allclose(features[:, :, :-3], changed_features[:, :, :-3])

    def test_mean_style_follows_styles_in_training(self):
        G, z = draw_generator()
        batch = Batch(x=torch.zeros(1, 5, *SHAPE), z=z, u=torch.zeros(1, 5))
        mean = G.mapping(z).mean(1)
        for _ in range(2):
            G.mapping.post_update(batch)
        torch.testing.assert_close(G.mapping.mean_style, (1 - 0.995**2) * mean)

    def test_truncation_draws_styles_to_their_mean(self):
        G, z = draw_generator()
        G.mapping.mean_style.copy_(torch.randn(1, 6))
        styles, mean = G.styles(z), G.mapping.mean_style[:, None, None]
        torch.testing.assert_close(G.truncate(styles, 1.0), styles)
        torch.testing.assert_close(G.truncate(styles, 0.0), mean.expand_as(styles))
        halfway = (styles + mean) / 2
        torch.testing.assert_close(G.truncate(styles, 0.5), halfway)


class TestLayerNoise:
    def test_noise_is_scaled_by_its_strength(self):
        G, z = draw_generator()
        noise = torch.randn(1, 5, *G.layer_noise_shape)
        assert not torch.allclose(G(z, noise), G(z, 2 * noise))
        for conv in G.convs:
            conv.noise_strength.data.zero_()
        assert torch.equal(G(z, noise), G(z, 2 * noise))

    def test_fixed_noise_in_place_of_none(self):
        G, z = draw_generator()
        fixed_noise = G.fixed_noise[:, None].expand(-1, 5, -1)
        torch.testing.assert_close(G(z), G(z, fixed_noise))

    def test_noise_is_repeated_for_larger_batches(self):
        G, z = draw_generator()
        noise = torch.randn(1, 2, *G.layer_noise_shape)
        samples = G(z, noise)
        torch.testing.assert_close(samples[:, 3:], G(z[:, 3:], noise.flip(1)))

    def test_training_draws_noise_for_each_sample(self):
        """The noise is part of the batch, so that a step is a function of seed and step."""
        mini_run = MiniRun(GAN(), NetworkFactory(SMALL, SHAPE))
        (batch,) = mini_run.draw_batches()[0]
        noise = batch.noise["layers_G"]
        assert noise.shape == (*batch.z.shape[:2], 4 * 4 + 2 * 8 * 8 + 2 * 16 * 16)
        assert torch.equal(noise, mini_run.draw_batches()[0][0].noise["layers_G"])
        assert mini_run.trajectory.state.nets["G"].convs[0].noise_strength.all()


class TestDiscriminator:
    def test_only_the_discriminator_reads_the_variety_of_a_batch(self):
        x = torch.randn(1, 4, *SHAPE)
        for network, is_alone in (
            (SMALL.build_discriminator(SHAPE), False),
            (SMALL.build_discriminator(SHAPE, spectral=True), True),
            (SMALL.build_inverse(SHAPE), True),
        ):
            outputs, first_outputs = network(x)[:, :1], network(x[:, :1])
            assert torch.allclose(outputs, first_outputs, rtol=1e-9) is is_alone
            has_statistic = any(isinstance(m, MinibatchStdConv) for m in network.modules())
            assert has_statistic is not is_alone


def test_initial_features_have_unit_scale():
    """Activations neither shrink nor grow from layer to layer, in G, D and F."""
    backbone = StyleGAN2(latent=32, width=32, max_width=32)
    G, D = backbone.build_generator(SHAPE), backbone.build_discriminator(SHAPE)
    hidden = G.features(torch.randn(1, 16, 32))[:, :, :-3]
    assert hidden.square().mean().item() == pytest.approx(1, rel=0.5)
    # Of one colour each, as filters keep no noise.
    x = torch.randn(1, 16, 3, 1, 1).expand(-1, -1, *SHAPE)
    assert 0.3 < D.features(x).square().mean() < 3
    assert 0.1 < backbone.build_inverse(SHAPE)(x).var() < 3


def test_initial_styles_have_unit_scale():
    """A LeakyReLU of slope 0.2 keeps (1 + 0.2²) / 2 of a normal variable's square, times 2."""
    mapping = MappingNetwork(256, num_layers=4)
    mean_square = mapping(torch.randn(1, 64, 256)).square().mean().item()
    assert mean_square == pytest.approx(1.04**4, rel=0.2)


def test_samples_are_clamped_in_evaluation_mode_alone():
    G, z = draw_generator()
    samples = G(z)
    assert samples.abs().max() > 1
    assert torch.equal(G.eval()(z), samples.clamp(-1, 1))


@pytest.mark.slow
def test_check_compiled_captures_stylegan2():
    check_compiled(iid_gan(), NetworkFactory(SMALL, (1, 8, 8)), seeds=(0, 1), generate=False)
