"""Several generators and their discriminator."""

import pytest
import torch
from torch.nn.functional import cross_entropy, logsigmoid

from iidgan.methods.gan import GAN
from iidgan.methods.mad_gan import MADGAN
from iidgan.testing.mini_run import ARCH
from tests.helpers.networks import IMAGES
from tests.helpers.training_runs import adversarial_losses, start_networks

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("arch", [ARCH, IMAGES], ids=["vectors", "images"])
def test_generator_heads_alternate(arch):
    nets, batch = start_networks(MADGAN(generators=3), arch)
    head, hidden = nets["G"].head, nets["G"].features(batch.z)
    head_samples = [generator(hidden) for generator in head.heads]
    all_samples = head.sample_all(hidden)
    for j in range(batch.z.shape[1]):
        assert torch.equal(nets.G(batch.z)[:, j], head_samples[j % 3][:, j])
        for i in range(3):
            assert torch.equal(all_samples[:, 3 * j + i], head_samples[i][:, j])
    assert torch.allclose(all_samples, nets.G(batch.z.repeat_interleave(3, 1)))
    assert nets.G(batch.z[:, :2]).shape == (3, 2, *arch.shape)  # fewer samples than generators


def test_mad_gan_losses_by_hand():
    method = MADGAN(generators=3)
    nets, batch = start_networks(method)
    D, hidden = nets["D"], nets["G"].features(batch.z)
    samples = [batch.x] + [generator(hidden) for generator in nets["G"].head.heads]
    losses = adversarial_losses(method, nets, batch)
    for seed in range(3):
        logits = [D.head.classes(D.features(x))[seed] for x in samples]
        labels = torch.arange(4).repeat_interleave(batch.x.shape[1])
        assert torch.isclose(losses["D"][seed], cross_entropy(torch.cat(logits), labels))
        fooled = [-head_samples.log_softmax(-1)[:, 0] for head_samples in logits[1:]]
        assert torch.isclose(losses["G"][seed], torch.cat(fooled).mean())


def test_real_log_odds_is_logit():
    nets, batch = start_networks(MADGAN())
    classes = nets["D"].head.classes(nets["D"].features(batch.x))
    assert torch.allclose(logsigmoid(nets.D(batch.x)), classes.log_softmax(-1)[..., 0])


def test_mad_gan_of_one_is_gan():
    nets, batch = start_networks(MADGAN(generators=1))
    single_losses, gan_losses = (
        adversarial_losses(MADGAN(generators=1), nets, batch),
        adversarial_losses(GAN(), nets, batch),
    )
    assert torch.allclose(
        2 * single_losses["D"], gan_losses["D"]
    )  # the mean over both batches, not their sum
    assert torch.allclose(single_losses["G"], gan_losses["G"])


def test_generator_heads_have_own_gradients():
    nets, batch = start_networks(MADGAN(generators=2))
    first, second = nets["G"].head.heads
    own = nets.G(batch.z)[:, 0].sum()
    to_first, to_second = (
        torch.autograd.grad(own, list(head.parameters()), allow_unused=True, retain_graph=True)
        for head in (first, second)
    )
    assert all(gradient.any() for gradient in to_first)
    assert not any(gradient is not None and gradient.any() for gradient in to_second)
