"""Unrolled GAN, instance noise, and interventions on codes."""

import math
from dataclasses import replace

import pytest
import torch
from scipy import stats
from torch import nn
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.core import Arch, Batch, Nets, Regularised
from iidgan.errors import InputError
from iidgan.functional import adversarial, intervention, unroll
from iidgan.methods.gan import GAN
from iidgan.methods.iid_gan import iid_gan
from iidgan.methods.iv_gan import iv_gan
from iidgan.methods.unrolled import Unrolled
from iidgan.nn import DCGAN, MLP
from iidgan.terms import CodeNoise, CycleConsistency, GaussianConsistency
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.terms.intervention import Intervention
from iidgan.testing import check_method, check_term
from iidgan.testing.trial import ARCH, Trial, float64, fresh

IMAGES = Arch(DCGAN(latent=4, width=2), (1, 8, 8))


def noisy(**options):
    return Regularised(method=GAN(), terms=(InstanceNoise(**options),))


def ends_as(one, other):
    """Tells whether two methods lead to the same weights of the networks that both have."""
    with float64():
        ends = [Trial(method, ARCH).end.state.nets.state_dict() for method in (one, other)]
    names = ends[0].keys() & ends[1].keys()
    return all(torch.equal(ends[0][name], ends[1][name]) for name in names)


# The laws.


@pytest.mark.parametrize("arch", [ARCH, IMAGES], ids=["vectors", "images"])
@pytest.mark.parametrize(
    "method",
    [
        Unrolled(steps=2),
        Unrolled(steps=2, second_order=False),
        noisy(),
        noisy(until=None),
        Regularised(method=GAN(), terms=(CycleConsistency(), InstanceNoise(network="F"))),
        iv_gan(intervention=Intervention(e_steps=2)),
    ],
    ids=["unrolled", "first-order", "noise", "constant noise", "noise before F", "iv-gan"],
)
def test_laws(method, arch):
    check_method(method, arch)


@pytest.mark.parametrize(
    "term",
    [InstanceNoise(), Intervention(e_steps=1), Intervention(e_steps=1, e_sign="paper")],
    ids=["noise", "as in the code", "as in the paper"],
)
def test_laws_of_the_term(term):
    check_term(term)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Unrolled(steps=-1), "steps: -1 is too few; at least 0"),
        (lambda: Unrolled(lr=0.0), "lr: 0.0 is not a finite number above 0"),
        (lambda: Unrolled(betas=(0.5, 1.0)), r"betas: \(0.5, 1.0\) are not two numbers"),
        (lambda: InstanceNoise(std=-1.0), "std: -1.0 is out of range"),
        (lambda: InstanceNoise(until=0.0), "until: 0.0 is no share of the run"),
        (lambda: Intervention(blocks=1), "blocks: 1 is too few; at least 2"),
        (lambda: Intervention(e_steps=0), "e_steps: 0 is too few; at least 1"),
        (lambda: Intervention(classify=-0.5), "classify: -0.5 is out of range"),
        (lambda: Intervention(reconstruct=math.inf), "reconstruct: inf is out of range"),
        (lambda: Intervention(e_sign="cod"), "e_sign: unknown 'cod'; did you mean 'code'"),
        (
            lambda: Intervention(blocks=3).networks(ARCH),
            "blocks: 3 exceeds the 2 dimensions of the latent",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


# Unrolled.


@pytest.mark.parametrize("second_order", [True, False])
def test_looking_no_step_ahead_is_the_saturating_game(second_order):
    assert ends_as(Unrolled(steps=0, second_order=second_order, pace=1.0), GAN(loss="saturating"))
    assert not ends_as(Unrolled(steps=1), GAN(loss="saturating"))


def game():
    """Networks without kinks, for two seeds, and a batch."""
    with float64():
        torch.manual_seed(0)
        state = Trial(Unrolled(), Arch(MLP(latent=2, hidden=(3,)), (2,)), (0, 1)).start()
        batch = Batch(x=torch.randn(2, 5, 2), z=torch.randn(2, 5, 2), u=torch.rand(2, 5))
    for net in state.nets.values():
        net.body[1] = torch.nn.Tanh()
    return fresh(state), batch


def look_ahead(nets, batch, **options):
    """Computes what G minimises, and the gradient in G."""
    (loss,) = Unrolled(**options).loss_G(Nets(dict(nets)), batch).values()
    return loss.sum(), torch.autograd.grad(loss.sum(), [*nets["G"].parameters()])


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_gradient_in_g_is_that_of_finite_differences(steps):
    nets, batch = game()
    weights = [*nets["G"].parameters()]
    direction = [torch.randn_like(weight) for weight in weights]
    _, gradient = look_ahead(nets, batch, steps=steps, lr=0.05)
    values = []
    for shift in (1e-5, -2e-5):
        torch._foreach_add_([weight.data for weight in weights], direction, alpha=shift)
        values.append(look_ahead(nets, batch, steps=steps, lr=0.05)[0].item())
    expected = sum((g * d).sum().item() for g, d in zip(gradient, direction))
    assert (values[0] - values[1]) / 2e-5 == pytest.approx(expected, rel=1e-6)


def test_the_first_order_variant_takes_the_steps_for_constants():
    nets, batch = game()
    first_value, first = look_ahead(nets, batch, steps=3, lr=0.1, second_order=False)
    second_value, second = look_ahead(nets, batch, steps=3, lr=0.1)
    torch.testing.assert_close(first_value, second_value)
    assert (first[0] - second[0]).abs().max() > 1e-3

    def f(weights):
        real, fake = (functional_call(nets["D"], weights, (x,)) for x in (batch.x, fakes))
        return adversarial.discriminator(real, fake)

    fakes = nets.G(batch.z)
    there = unroll.adam(f, dict(nets["D"].named_parameters()), 3, 0.1)
    fixed = {name: value.detach() for name, value in there.items()}
    expected = torch.autograd.grad(-f(fixed).sum(), [*nets["G"].parameters()])
    torch.testing.assert_close(first, expected)


def test_adam_is_differentiable_in_where_it_starts_and_in_what_its_loss_depends_on():
    torch.manual_seed(0)
    start, scale = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))

    def there(start, scale):
        def loss(p):
            return (scale * p["a"] + p["a"].square()).tanh().sum(1)

        return unroll.adam(loss, {"a": start}, 3, 0.05, eps=0.3)["a"]

    assert torch.autograd.gradcheck(there, (start, scale))


def test_adam_is_that_of_torch():
    torch.manual_seed(0)
    start = {
        "a": torch.randn(2, 3, dtype=torch.float64),
        "b": torch.randn(2, 1, 4, dtype=torch.float64),
    }

    def loss(p):
        return (p["a"].square().sum(1) - p["a"][:, 0] * p["b"][:, 0, 1]).exp() + (
            p["b"].flatten(1) - 1
        ).square().sum(1)

    there = unroll.adam(loss, start, 6, 0.02, betas=(0.6, 0.97))
    theirs = {name: value.clone().requires_grad_() for name, value in start.items()}
    optimiser = torch.optim.Adam(theirs.values(), lr=0.02, betas=(0.6, 0.97), eps=1e-8)
    for _ in range(6):
        optimiser.zero_grad()
        loss(theirs).sum().backward()
        optimiser.step()
    for name, value in theirs.items():
        # eps stands elsewhere: a relative difference of eps over the gradient.
        torch.testing.assert_close(there[name], value.detach(), rtol=1e-7, atol=1e-7)
        assert not torch.equal(there[name], start[name])


def test_second_derivatives_are_finite_where_a_gradient_is_zero():
    scale = torch.ones(1, dtype=torch.float64, requires_grad=True)
    start = {"live": torch.tensor([[0.5]]).double(), "dead": torch.tensor([[-0.5]]).double()}

    def loss(p):
        return (scale * (p["live"] + p["dead"].relu())).square().sum(1)

    there = unroll.adam(loss, start, 3, 0.1)
    assert torch.equal(there["dead"], start["dead"])
    (slope,) = torch.autograd.grad(sum(value.sum() for value in there.values()), scale)
    assert slope.isfinite().all()


# Instance noise.


def test_no_noise_is_the_identity():
    assert ends_as(noisy(std=0.0), GAN())
    assert not ends_as(noisy(std=0.1), GAN())


@pytest.mark.parametrize(
    ("until", "t", "level"), [(1.0, 0.0, 0.2), (0.5, 0.25, 0.1), (0.5, 0.7, 0.0), (None, 0.9, 0.2)]
)
def test_the_noise_falls_on_a_line(until, t, level):
    term = InstanceNoise(std=0.2, until=until)
    x, noise = torch.randn(2, 3, 4).double(), torch.randn(2, 3, 4).double()
    nets = Nets({"D": torch.nn.Identity(), "G": torch.nn.Identity()})
    batch = Batch(x=x, z=x, u=x[..., 0], t=torch.tensor(t).double(), noise={"instance_D": noise})
    view = term.view(nets, batch)
    torch.testing.assert_close(view.D(x), x + level * noise)
    assert view.G(x) is x
    both, some = torch.cat([x, x], 1), x[:, :2]
    torch.testing.assert_close(view.D(both), both + level * torch.cat([noise, noise], 1))
    torch.testing.assert_close(view.D(some), some + level * noise[:, :2])


def test_noise_is_for_networks_that_read_data():
    with pytest.raises(InputError, match=r"network: unknown 'Q'; .*known: D, G"):
        check_method(noisy(network="Q"))
    with pytest.raises(InputError, match=r"network: 'G' reads samples of shape \(4,\); .* data"):
        check_method(noisy(network="G"), IMAGES)


# Interventions.


def test_substitution_cuts_as_tensor_split():
    codes, fresh_ones = torch.zeros(3, 2, 5), torch.ones(3, 2, 5)
    found = intervention.substitute(codes, fresh_ones, torch.tensor([0, 1, 2]), 3)
    expected = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])
    assert torch.equal(found, expected[:, None].expand(3, 2, 5).to(found))


def test_standardised_codes():
    codes = 3 + 2 * torch.randn(2, 50, 4, dtype=torch.float64)
    found = intervention.standardise(codes)
    torch.testing.assert_close(found.mean(1), torch.zeros(2, 4).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(
        found.square().mean(1), torch.ones(2, 4).double(), rtol=1e-4, atol=0
    )
    assert intervention.standardise(torch.ones(1, 3, 2)).eq(0).all()


def test_cross_entropy_of_one_label_per_seed():
    logits = torch.tensor([[[0.0, math.log(3)]], [[0.0, math.log(3)]]]).double()
    found = intervention.cross_entropy(logits, torch.tensor([0, 1]))
    torch.testing.assert_close(found, torch.tensor([4.0, 4 / 3]).double().log())


def test_cross_entropy_and_its_slope_pick_by_no_index():
    """A compiler guards each index, and a guard that fails takes a CUDA process with it."""

    def slope(logits, index):
        loss = intervention.cross_entropy(logits.requires_grad_(), index).sum()
        return torch.autograd.grad(loss, logits)

    graph = make_fx(slope)(torch.randn(2, 5, 3), torch.tensor([0, 2]))
    names = [str(node.target) for node in graph.graph.nodes if node.op == "call_function"]
    assert "aten._log_softmax.default" in names
    assert not [name for name in names if "nll" in name or "gather" in name or "index" in name]


class Summing(torch.nn.Module):
    """Adds up its features, which are its inputs."""

    head = torch.nn.Flatten(1)

    def features(self, x):
        return x

    def forward(self, x):
        return x.sum(-1)


def test_what_each_player_minimises():
    x = torch.tensor([[[3e3, -3e3], [-3e3, 3e3]]]).double()  # 3000 times its code
    z = torch.tensor([[[0.0, 5.0], [0.0, -3.0]]]).double()
    nets = Nets(
        {
            "G": torch.nn.Identity(),
            "F": torch.nn.Identity(),
            "D": Summing(),
            "C": torch.nn.Identity(),
        }
    )
    term = Intervention(classify=2.0, reconstruct=10.0, e_sign="paper")
    batch = Batch(x=x, z=z, u=torch.tensor([[0.7, 0.1]]).double())
    intervened = torch.tensor([[[1.0, 5.0], [-1.0, -3.0]]]).double()  # the second block
    guessed = -intervened.log_softmax(-1)[..., 1].mean(1)
    torch.testing.assert_close(term.loss_D(nets, batch)["intervention"], 2 * guessed)
    for_G, for_E = term.loss_G(nets, batch), term.loss_E(nets, batch)
    torch.testing.assert_close(for_G["intervention"], -2 * guessed)
    torch.testing.assert_close(for_E, for_G)
    helping = replace(term, e_sign="code").loss_E(nets, batch)
    torch.testing.assert_close(helping["intervention"], 2 * guessed)
    expected = torch.tensor([10 * (3e3 - 1)]).double()
    torch.testing.assert_close(for_G["intervention_x"], expected)
    assert for_G["intervention_z"].item() == 0


def test_who_trains_the_inverse():
    players = {player.name: player for player in iv_gan().players}
    assert {name: player.trains for name, player in players.items()} == {
        "D": ("D", "C"),
        "G": ("G",),
        "E": ("F",),
    }
    assert players["E"].repeat == 10
    owned = iv_gan(base=Regularised(method=GAN(), terms=(CycleConsistency(),)))
    assert [player.trains for player in owned.players] == [("D", "C"), ("G", "F"), ("F",)]


def test_square_fitting():
    """The closed form is that of densities summed on a grid that the squares fit."""
    cells = 20
    shifts = torch.arange(0, 2 * cells + 1).double() / cells
    one, all_four = intervention.square_fitting(shifts)
    for shift, of_two, of_four in zip(range(2 * cells + 1), one, all_four):
        grid = torch.zeros(4, 3 * cells, 2 * cells).double()
        near, far = slice(0, cells), slice(shift, shift + cells)
        low, high = slice(0, cells), slice(cells, 2 * cells)
        for density, x, y in zip(grid, (near, far, near, far), (low, high, high, low)):
            density[x, y] = 1
        for squares, value in ((grid[:2], of_two), (grid, of_four)):
            mixed = squares.mean(0)
            entropy = -torch.xlogy(mixed, mixed).sum() / cells**2  # that of each square is 0
            torch.testing.assert_close(value, entropy)
    assert all_four[0].item() == pytest.approx(math.log(2))
    assert all_four[-1].item() == pytest.approx(math.log(4))


def test_code_noise_of_no_size_changes_nothing():
    silent = Regularised(method=iid_gan(), terms=(CodeNoise(std=0.0, widening=1.0),))
    assert ends_as(iid_gan(), silent)
    assert not ends_as(iid_gan(), Regularised(method=iid_gan(), terms=(CodeNoise(),)))


def test_clouds_that_widen_have_the_same_share_of_the_prior_wherever_they_are():
    """The share is the prior's density times the cloud's area; beyond |z|^2 = 3 M it falls."""
    z = torch.randn(1, 500, 2).clamp(-1.7, 1.7).double()
    noise = torch.ones_like(z)
    batch = Batch(z, z, z[..., 0], noise={"code": noise})
    view = CodeNoise(std=0.15, widening=1.0).view(Nets({"F": nn.Identity()}), batch)
    std = view.F(z) - z
    share = (-z.square().sum(-1) / 2).exp() / (2 * math.pi) * std.prod(-1)
    torch.testing.assert_close(share, torch.full_like(share, 0.15**2 / (2 * math.pi)))
    far = torch.full_like(z, 40.0)
    torch.testing.assert_close(view.F(far) - far, 0.15 * math.exp(1.5) * noise)


def test_noise_with_tails_is_students_but_for_what_is_farthest():
    numbers = torch.Generator().manual_seed(0)
    z = torch.zeros(1, 20_000, 2)
    term = CodeNoise(std=0.5, tails=3)
    noise = {
        name: torch.randn(*z.shape[:2], *shape, generator=numbers)
        for name, shape in term.noise(ARCH).items()
    }
    seen = term.view(Nets({"F": nn.Identity()}), Batch(z, z, z[..., 0], noise=noise)).F(z)
    for drawn in (seen[0] / 0.5).T.numpy():
        assert (
            stats.kstest(drawn, stats.t(3).cdf).statistic < 0.012
        )  # the 1 % point: 1.63 / sqrt(n)
    assert seen.abs().max() <= 0.5 * 8 * noise["code"].abs().max()
    with pytest.raises(InputError, match=r"tails: 0 is too few; at least 1"):
        CodeNoise(tails=0)


def test_a_widening_cloud_does_not_pull_codes():
    z = torch.randn(1, 4, 2, requires_grad=True)
    batch = Batch(z.detach(), z.detach(), z[..., 0].detach(), noise={"code": torch.randn(1, 4, 2)})
    seen = CodeNoise(widening=1.0).view(Nets({"F": nn.Identity()}), batch).F(z)
    (slope,) = torch.autograd.grad(seen.sum(), z)
    torch.testing.assert_close(slope, torch.ones_like(z))


@pytest.mark.parametrize(("t", "factor"), [(0, 1), (0.25, 1), (0.625, 30**0.5), (1, 30)])
def test_weights_grow_from_a_quarter_of_the_run_on(t, factor):
    """That of x in the cycle, and that of the Gaussian loss; that of z falls as much."""
    x, z = torch.randn(2, 1, 50, 2)
    batch = Batch(x, z, z[..., 0], t=torch.tensor(float(t)))
    nets = Nets({"G": nn.Identity(), "F": nn.Tanh()})
    for term in (CycleConsistency(), GaussianConsistency()):
        there, here = term.loss(nets, batch), replace(term, growth=30.0).loss(nets, batch)
        for name, value in there.items():
            assert value > 0
            expected = value / factor if name == "cycle_z" else value * factor
            torch.testing.assert_close(here[name], expected)
    assert CycleConsistency(growth=1.0) == CycleConsistency()
    with pytest.raises(InputError, match=r"growth: 0.0 is not a finite number above 0"):
        GaussianConsistency(growth=0.0)


def test_code_noise_is_on_every_code_that_a_loss_sees():
    z, noise = torch.zeros(1, 4, 2), torch.randn(1, 4, 2)
    batch = Batch(z, z, z[..., 0], noise={"code": noise})
    view = CodeNoise(std=0.5).view(Nets({"F": nn.Identity()}), batch)
    torch.testing.assert_close(view.F(z), 0.5 * noise)
    x = torch.ones(1, 4, 2)
    torch.testing.assert_close(view.F(x), 1 + 0.5 * noise)


def test_code_noise_has_a_size():
    with pytest.raises(InputError, match=r"std: -1.0 is out of range"):
        CodeNoise(std=-1.0)
    with pytest.raises(InputError, match="code noise is for methods with an inverse F; add cycle"):
        check_term(CodeNoise())


def test_the_discriminator_of_unrolled_gan_has_a_pace_of_its_own():
    paces = {player.name: player.pace for player in Unrolled(pace=0.25).players}
    assert paces == {"D": 0.25, "G": 1.0}
    with pytest.raises(InputError, match="pace: 0"):
        Unrolled(pace=0.0)
