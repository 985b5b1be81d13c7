"""Methods with an encoder: their laws, alone and with the IID terms, and answers by hand."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import logsigmoid

from iidgan.core import Arch, Batch, Nets, Regularised
from iidgan.errors import InputError
from iidgan.functional import likelihood
from iidgan.methods.aae import AAE
from iidgan.methods.bigan import BiGAN
from iidgan.methods.dist_gan import DistGAN
from iidgan.methods.gan import GAN
from iidgan.methods.mdgan import MDGAN
from iidgan.methods.mggan import MGGAN
from iidgan.methods.mrgan import MRGAN
from iidgan.methods.vae import VAE
from iidgan.methods.veegan import VEEGAN
from iidgan.nn import DCGAN, MLP
from iidgan.nn.backbones.mlp import Perceptron
from iidgan.terms import ZDiscriminator
from iidgan.testing import check_method

VECTORS = Arch(MLP(latent=2, hidden=(16, 16)), (3,))
IMAGES = Arch(DCGAN(latent=4, width=2), (1, 8, 8))
SEEDS, SAMPLES = 2, 7
METHODS = [
    AAE(),
    BiGAN(),
    DistGAN(),
    DistGAN(decoder=False),
    MDGAN(),
    MGGAN(),
    MRGAN(),
    VAE(),
    VAE(warm_up=0.5),
    VEEGAN(),
]


def name_of(method):
    return type(method).__name__


every = pytest.mark.parametrize("method", METHODS, ids=name_of)


@pytest.mark.parametrize("method", [DistGAN(decoder=False), VAE(warm_up=0.5)], ids=name_of)
def test_laws_of_what_is_not_the_default(method):
    check_method(method)


@every
def test_metrics_find_an_inverse_but_in_mggan(method):
    assert ("F" in method.networks(VECTORS)) is not isinstance(method, MGGAN)


@pytest.mark.parametrize(
    ("make", "field", "value"),
    [
        (VAE, "warm_up", -0.1),
        (VAE, "warm_up", 1.1),
        (MRGAN, "reconstruction", -0.1),
        (MRGAN, "modes", math.inf),
        (MDGAN, "manifold", math.nan),
        (DistGAN, "distance", -1.0),
        (DistGAN, "slope", -1.0),
        (MGGAN, "manifold", -1.0),
        (MGGAN, "corruption", -1.0),
        (MGGAN, "pretrain", 0.0),
        (MGGAN, "pretrain", 1.0),
    ],
)
def test_options_out_of_range(make, field, value):
    with pytest.raises(InputError, match=f"^{field}: {value} is out of range; .* 0"):
        make(**{field: value})


class Map(nn.Module):
    """A function as a network."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def known(**functions):
    return Nets({name: Map(function) for name, function in functions.items()})


def random(method, arch=VECTORS):
    """Creates networks of one seed and a batch, with weights and noise of their own."""
    torch.manual_seed(0)
    return Nets(method.networks(arch)), some_batch(method, arch, seeds=1)


def some_batch(method, arch=VECTORS, seeds=SEEDS, t=0.0):
    generator = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(seeds, SAMPLES, *shape, generator=generator)

    return Batch(
        x=normal(*arch.shape),
        z=normal(arch.latent),
        u=torch.rand(seeds, SAMPLES, generator=generator),
        t=torch.tensor(t),
        noise={name: normal(*shape) for name, shape in method.noise(arch).items()},
    )


def take_for_real(logits):
    return -logsigmoid(logits).mean(1)


def take_for_fake(logits):
    return -logsigmoid(-logits).mean(1)


def total(losses):
    return sum(losses.values())


def pull(value, network):
    """Computes the gradient for a network's parameters as one vector; zeros where it has none."""
    weights = list(network.parameters())
    found = torch.autograd.grad(
        value.sum(), weights, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return torch.cat([gradient.flatten() for gradient in found])


# Likelihoods.


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)])
def test_unit_normal_is_a_log_density(shape):
    torch.manual_seed(0)
    x, centre = torch.randn(2, SEEDS, SAMPLES, *shape)
    expected = -Normal(centre, 1.0).log_prob(x).flatten(2).sum(2).mean(1)
    torch.testing.assert_close(likelihood.unit_normal(x, centre), expected, rtol=1e-13, atol=0)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)])
def test_calibrated_normal_is_the_best_over_the_variance(shape):
    """Among many variances none does better, and the mean squared error does as well."""
    torch.manual_seed(0)
    x, centre = torch.randn(2, SEEDS, SAMPLES, *shape)
    best = (x - centre).square().flatten(1).mean(1)
    factors = torch.linspace(-1, 1, 401).exp()  # the middle one is 1
    deviation = (factors[:, None] * best).sqrt().view(401, SEEDS, *[1] * (x.dim() - 1))
    values = -Normal(centre, deviation).log_prob(x).flatten(3).sum(3).mean(2)
    found = likelihood.calibrated_normal(x, centre)
    torch.testing.assert_close(found, values.amin(0), rtol=1e-12, atol=0)
    assert values.argmin(0).tolist() == [200, 200]


@pytest.mark.usefixtures("float64")
def test_calibrated_normal_has_the_gradient_of_the_likelihood_at_the_best_variance():
    torch.manual_seed(0)
    x, centre = torch.randn(2, SEEDS, SAMPLES, 3)
    centre.requires_grad_()
    variance = likelihood.squared_error(x, centre).detach()[:, None, None]
    fixed = -Normal(centre, variance.sqrt()).log_prob(x).sum(2).mean(1)
    expected, found = (
        torch.autograd.grad(value.sum(), centre)[0]
        for value in (fixed, likelihood.calibrated_normal(x, centre))
    )
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_calibrated_normal_is_finite_where_nothing_is_left_to_explain():
    x = torch.ones(SEEDS, SAMPLES, 3, requires_grad=True)
    value = likelihood.calibrated_normal(x, torch.ones(SEEDS, SAMPLES, 3))
    assert value.isfinite().all()
    assert not torch.autograd.grad(value.sum(), x)[0].any()


@pytest.mark.usefixtures("float64")
def test_divergence_from_the_prior():
    torch.manual_seed(0)
    centre, log_variance = torch.randn(2, SEEDS, SAMPLES, 4)
    code = Normal(centre, (log_variance / 2).exp())
    expected = kl_divergence(code, Normal(0.0, 1.0)).sum(2).mean(1)
    found = likelihood.kl_to_prior(centre, log_variance)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)
    prior = torch.zeros(SEEDS, SAMPLES, 4)
    assert likelihood.kl_to_prior(prior, prior).tolist() == [0, 0]


# Methods on networks whose outputs are known.


@pytest.mark.usefixtures("float64")
def test_bigan_exchanges_the_labels():
    method = BiGAN()
    batch = some_batch(method)
    encoded, generated = batch.x.sum(2), 3 * batch.z.prod(2)
    nets = known(
        F=lambda x: x[..., :2] + 9,
        G=lambda z: z,
        D=lambda x, z: torch.where((z == x[..., :2] + 9).all(2), x.sum(2), 3 * z.prod(2)),
    )
    torch.testing.assert_close(
        total(method.loss_D(nets, batch)), take_for_real(encoded) + take_for_fake(generated)
    )
    torch.testing.assert_close(
        total(method.loss_G(nets, batch)), take_for_fake(encoded) + take_for_real(generated)
    )


@pytest.mark.usefixtures("float64")
def test_veegan_by_hand():
    method = VEEGAN()
    batch = some_batch(method)
    nets = known(F=lambda x: x[..., :2], G=lambda z: 2 * z, D=lambda x, z: (x[..., :2] * z).sum(2))
    eps = batch.noise["posterior"]
    encoded = (batch.x[..., :2] * (batch.x[..., :2] + eps)).sum(2)
    generated = 2 * batch.z.square().sum(2)
    torch.testing.assert_close(
        total(method.loss_D(nets, batch)), take_for_real(generated) + take_for_fake(encoded)
    )
    losses = method.loss_G(nets, batch)
    torch.testing.assert_close(losses["adversarial"], generated.mean(1))
    # F(G(z)) = 2 z, so that z lies at a distance of |z|: half its square, and log 2 pi for M = 2.
    expected = 0.5 * batch.z.square().sum(2).mean(1) + math.log(2 * math.pi)
    torch.testing.assert_close(losses["reconstruction"], expected)


def test_veegan_moves_the_reconstructor_by_the_likelihood_alone():
    nets, batch = random(VEEGAN())
    losses = VEEGAN().loss_G(nets, batch)
    assert not pull(losses["adversarial"], nets["F"]).any()
    assert pull(losses["reconstruction"], nets["F"]).any()
    assert pull(losses["adversarial"], nets["G"]).any()
    assert pull(losses["reconstruction"], nets["G"]).any()


@pytest.mark.usefixtures("float64")
def test_vae_by_hand():
    """The encoder has means x + 1 and variances e; the decoder is the identity."""
    arch = Arch(MLP(latent=3), (3,))
    batch = some_batch(VAE(), arch)
    nets = known(F=lambda x: x + 1, V=torch.ones_like, G=lambda z: z)
    losses = VAE().loss(nets, batch)
    error = (1 + math.sqrt(math.e) * batch.noise["posterior"]).square().flatten(1).mean(1)
    torch.testing.assert_close(
        losses["reconstruction"], 1.5 * (torch.log(2 * math.pi * error) + 1)
    )
    # Per dimension (mu^2 + e - 1 - 1) / 2.
    squares = (batch.x + 1).square().sum(2).mean(1)
    torch.testing.assert_close(losses["divergence"], (squares + 3 * (math.e - 2)) / 2)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("t", "weight"), [(0.0, 0.0), (0.1, 0.5), (0.2, 1.0), (0.9, 1.0)])
def test_vae_gains_the_divergence(t, weight):
    nets, _ = random(VAE())
    batch = some_batch(VAE(), seeds=1, t=t)
    plain, warmed = VAE().loss(nets, batch), VAE(warm_up=0.2).loss(nets, batch)
    torch.testing.assert_close(warmed["divergence"], weight * plain["divergence"])
    assert warmed["reconstruction"].equal(plain["reconstruction"])


def test_aae_moves_in_two_phases():
    assert [(p.name, p.trains) for p in AAE().players] == [
        ("autoencoder", ("F", "G")),
        ("Dz", ("Dz",)),
        ("F", ("F",)),
    ]


@pytest.mark.usefixtures("float64")
def test_aae_by_hand():
    batch = some_batch(AAE())
    nets = known(
        F=lambda x: x[..., :2], G=lambda z: z.repeat(1, 1, 2)[..., :3], Dz=lambda z: z[..., 0]
    )
    autoencoder, Dz, F = (player.loss(nets, batch) for player in AAE().players)
    # x comes back but for its third number, which becomes the first.
    error = (batch.x[..., 2] - batch.x[..., 0]).square().mean(1) / 3
    torch.testing.assert_close(total(autoencoder), error)
    prior, codes = batch.z[..., 0], batch.x[..., 0]
    torch.testing.assert_close(total(Dz), take_for_real(prior) + take_for_fake(codes))
    torch.testing.assert_close(total(F), take_for_real(codes))


def test_aae_has_no_room_for_a_second_discriminator_of_codes():
    method = Regularised(method=AAE(), terms=(ZDiscriminator(),))
    with pytest.raises(InputError, match="two players are named Dz"):
        method.players  # noqa: B018


@pytest.mark.usefixtures("float64")
def test_mrgan_by_hand():
    method = MRGAN(reconstruction=0.5, modes=0.25)
    batch = some_batch(method)
    nets = known(F=lambda x: 2 * x, G=lambda z: z, D=lambda x: x.sum(2))
    losses = method.loss_G(nets, batch)
    torch.testing.assert_close(losses["reconstruction"], 0.5 * batch.x.square().flatten(1).mean(1))
    torch.testing.assert_close(losses["modes"], 0.25 * take_for_real(2 * batch.x.sum(2)))
    torch.testing.assert_close(losses["adversarial"], take_for_real(batch.z.sum(2)))


def test_mrgan_without_weights_is_a_gan():
    method = MRGAN(reconstruction=0, modes=0)
    nets, batch = random(method)
    plain = {player.name: player.loss(nets, batch) for player in GAN().players}
    for player in method.players:
        assert total(player.loss(nets, batch)).equal(total(plain[player.name]))


def test_mrgan_makes_reconstructions_look_real():
    """A move of F down the addend raises D's logits of G(F(x))."""
    nets, batch = random(MRGAN())
    downwards = -pull(MRGAN().loss_G(nets, batch)["modes"], nets["F"])
    upwards = pull(nets.D(nets.G(nets.F(batch.x))), nets["F"])
    assert downwards @ upwards > 0


@pytest.mark.usefixtures("float64")
def test_mdgan_by_hand():
    method = MDGAN(manifold=0.5)
    batch = some_batch(method)
    nets = known(F=lambda x: 2 * x, G=lambda z: z, D=lambda x: x.sum(2), Dm=lambda x: x.prod(2))
    Dm, autoencoder, D, G = (player.loss(nets, batch) for player in method.players)
    x, z = batch.x, batch.z
    torch.testing.assert_close(total(Dm), take_for_real(x.prod(2)) + take_for_fake(8 * x.prod(2)))
    torch.testing.assert_close(
        total(autoencoder),
        0.5 * take_for_real(8 * x.prod(2)) + x.square().flatten(1).mean(1),
    )
    torch.testing.assert_close(total(D), take_for_real(2 * x.sum(2)) + take_for_fake(z.sum(2)))
    torch.testing.assert_close(total(G), take_for_real(z.sum(2)))


def test_mdgan_moves_in_the_order_of_the_paper():
    assert [(p.name, p.trains) for p in MDGAN().players] == [
        ("Dm", ("Dm",)),
        ("autoencoder", ("G", "F")),
        ("D", ("D",)),
        ("G", ("G",)),
    ]


def linear(weights):
    """Creates D(x) = w x, for one seed, whose features are x."""
    network = Perceptron((len(weights),), (), ())
    with torch.no_grad():
        for value in network.parameters():
            kernel = value.numel() == len(weights)
            value.copy_(torch.tensor(weights if kernel else [0.0]).view_as(value))
    return network


def dist_gan(D, t=0.0):
    """Creates F(x), the first two numbers, G(z), which appends their sum, and a batch."""
    G = Map(lambda z: torch.cat([z, z.sum(-1, keepdim=True)], -1))
    nets = Nets({"D": D, "F": Map(lambda x: 2 * x[..., :2]), "G": G})
    return nets, some_batch(DistGAN(), seeds=1, t=t)


@pytest.mark.usefixtures("float64")
def test_dist_gan_keeps_distances_in_features():
    """With features that are the data, everything can be computed on x and z."""
    nets, batch = dist_gan(linear([1.0, 1.0, 1.0]))
    losses = DistGAN(distance=0.5).loss(nets, batch)
    codes = 2 * batch.x[..., :2]
    cycled, fake = nets.G(codes), nets.G(batch.z)
    torch.testing.assert_close(
        losses["reconstruction"], (batch.x - cycled).square().flatten(1).mean(1)
    )
    gap = (cycled.mean() - fake.mean()) - math.sqrt(2 / 3) * (codes.mean() - batch.z.mean())
    torch.testing.assert_close(losses["distance"], 0.5 * gap.square()[None])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("t", "mu"), [(0.0, 0.0), (0.5, 0.0), (0.75, 0.025), (1.0, 0.05)])
def test_dist_gan_takes_reconstructions_for_real_less_and_less(t, mu):
    nets, batch = dist_gan(linear([0.0, 3.0, 4.0]), t)
    losses = DistGAN(slope=2.0).loss_D(nets, batch)
    x, cycled, fake = batch.x, nets.G(nets.F(batch.x)), nets.G(batch.z)
    real, again, other = (3 * a[..., 1] + 4 * a[..., 2] for a in (x, cycled, fake))
    torch.testing.assert_close(losses["real"], (0.95 + mu) * take_for_real(real))
    torch.testing.assert_close(losses["cycled"], (0.05 - mu) * take_for_real(again))
    torch.testing.assert_close(losses["fake"], take_for_fake(other))
    # The slope of D is |(0, 3, 4)| = 5 everywhere.
    torch.testing.assert_close(losses["slope"], torch.tensor([32.0]))


def test_dist_gan_survives_a_flat_discriminator():
    nets, batch = dist_gan(linear([0.0, 0.0, 0.0]))
    losses = DistGAN().loss_D(nets, batch)
    assert pull(total(losses), nets["D"]).isfinite().all()


@pytest.mark.usefixtures("float64")
def test_dist_gan_matches_average_verdicts():
    nets, batch = dist_gan(linear([0.0, 0.0, 1.0]))
    gap = batch.x[..., 2].sigmoid().mean() - batch.z.sum(2).sigmoid().mean()
    torch.testing.assert_close(total(DistGAN().loss_G(nets, batch)), gap.abs()[None])
    same = known(G=lambda z: batch.x.flip(1), D=lambda x: x.sum(2))
    assert total(DistGAN().loss_G(same, batch)) < 1e-15


@pytest.mark.parametrize("decoder", [True, False])
def test_dist_gan_reconstructs_with_or_without_the_decoder(decoder):
    autoencoder, *_ = DistGAN(decoder=decoder).players
    assert autoencoder.trains == (("F", "G") if decoder else ("F",))


def test_mggan_freezes_the_encoder_when_the_others_start():
    first, *others = MGGAN(pretrain=0.3).players
    assert (first.trains, first.during) == (("En", "De"), (0.0, 0.3))
    assert [p.trains for p in others] == [("D",), ("Dm",), ("G",)]
    assert {p.during for p in others} == {(0.3, 1.0)}


@pytest.mark.usefixtures("float64")
def test_mggan_by_hand():
    method = MGGAN(corruption=2.0, manifold=0.25)
    batch = some_batch(method)
    nets = known(
        G=lambda z: -z,
        D=lambda x: x.sum(2),
        Dm=lambda z: z.prod(2),
        En=lambda x: 3 * x[..., :2],
        De=lambda z: (z / 3).repeat(1, 1, 2)[..., :3],
    )
    autoencoder, D, Dm, G = (player.loss(nets, batch) for player in method.players)
    x, z, eps = batch.x, batch.z, batch.noise["corruption"]
    noisy = (x + 2 * eps)[..., [0, 1, 0]]
    torch.testing.assert_close(total(autoencoder), (noisy - x).abs().flatten(1).mean(1))
    torch.testing.assert_close(total(D), take_for_real(x.sum(2)) + take_for_fake(-z.sum(2)))
    real, fake = 9 * x[..., 0] * x[..., 1], 9 * z.prod(2)
    torch.testing.assert_close(total(Dm), take_for_real(real) + take_for_fake(fake))
    torch.testing.assert_close(total(G), take_for_real(-z.sum(2)) + 0.25 * take_for_real(fake))
