"""Optimiser options and learning-rate schedules."""

import pytest
import torch

from iidgan.engine.optim import SCHEDULES, Adam, AnnealedAdam, RMSProp
from tests.helpers.errors import raises_input_error

pytestmark = pytest.mark.usefixtures("float64")


class TestAdam:
    @pytest.mark.parametrize(
        ("schedule", "factors"),
        [
            ("constant", {0: 1, 25: 1, 50: 1, 100: 1}),
            ("linear", {0: 1, 25: 0.75, 50: 0.5, 99: 0.01, 100: 0}),
            ("cosine", {0: 1, 25: (2 + 2**0.5) / 4, 50: 0.5, 75: (2 - 2**0.5) / 4, 100: 0}),
        ],
    )
    def test_lr_at_follows_schedule(self, schedule, factors):
        optimiser = Adam(lr=0.3, schedule=schedule)
        for step, factor in factors.items():
            assert optimiser.lr_at(step, 100) == pytest.approx(0.3 * factor, abs=1e-15)

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_lr_at_never_rises(self, schedule):
        rates = [Adam(schedule=schedule).lr_at(step, 50) for step in range(51)]
        assert rates == sorted(rates, reverse=True)
        assert rates[0] == 2e-3

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("lr", 0.0),
            ("lr", float("nan")),
            ("lr", float("inf")),
            ("betas", (0.5, 1.0)),
            ("betas", (-0.1, 0.9)),
        ],
    )
    def test_adam_refuses_invalid_fields(self, field, value):
        with raises_input_error(field, value):
            Adam(**{field: value})

    def test_adam_at_interval_moves_as_far(self):
        """With a constant gradient g, updates by 4 g in every fourth step go as far."""
        always, lazy = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
        optimiser = Adam(lr=0.1, betas=(0.5, 0.999))
        options = optimiser.at_interval(4)
        every_step = optimiser.build([always], torch.tensor(optimiser.lr))
        every_fourth = options.build([lazy], torch.tensor(options.lr))
        for step in range(8):
            always.grad = torch.tensor([0.3])
            every_step.step()
            if step % 4 == 0:
                lazy.grad = torch.tensor([4 * 0.3])
                every_fourth.step()
        assert always.item() == pytest.approx(-0.8, rel=1e-6)
        assert lazy.item() == pytest.approx(-0.8, rel=1e-6)

    def test_adam_at_interval_forgets_as_fast(self):
        options = Adam(betas=(0.5, 0.9)).at_interval(3)
        assert options.betas == pytest.approx((0.5**3, 0.9**3))

    def test_adam_skips_parameters_without_gradient(self):
        parameter = torch.nn.Parameter(torch.ones(1))
        optimiser = Adam().build([parameter], torch.tensor(0.1))
        optimiser.step()
        assert parameter.item() == 1
        assert optimiser.state[parameter]["step"].item() == 0


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("eps", float("nan"), []),
        ("betas", (0.5, float("nan")), []),
        ("betas", (0.5,), []),
        ("schedule", "linar", ["'linear'"]),
    ],
)
def test_adam_options_out_of_range(field, value, words):
    with raises_input_error(field, *words):
        Adam(**{field: value})


class TestRMSProp:
    def test_rmsprop_equals_torch(self):
        generator = torch.Generator().manual_seed(0)
        start = [torch.randn(2, 3), torch.randn(4)]
        ours, theirs = ([torch.nn.Parameter(value.clone()) for value in start] for _ in range(2))
        lr = torch.tensor(0.03)
        optimiser = RMSProp(alpha=0.9, eps=1e-6).build(ours, lr)
        reference = torch.optim.RMSprop(theirs, lr=0.03, alpha=0.9, eps=1e-6)
        for step in range(5):
            lr.fill_(0.03 / (step + 1))
            reference.param_groups[0]["lr"] = 0.03 / (step + 1)
            for our, their in zip(ours, theirs):
                our.grad = torch.randn(our.shape, generator=generator)
                their.grad = our.grad.clone()
            optimiser.step()
            reference.step()
        torch.testing.assert_close(ours, theirs)
        averages = [reference.state[parameter]["square_avg"] for parameter in theirs]
        torch.testing.assert_close([optimiser.state[p]["square_avg"] for p in ours], averages)

    def test_rmsprop_defaults_are_those_of_wgan(self):
        """The script of its authors has 5e-5, and the other defaults of `torch.optim.RMSprop`."""
        options, theirs = RMSProp(), torch.optim.RMSprop([torch.zeros(1)]).defaults
        assert (options.lr_at(0, 100), options.lr_at(99, 100)) == (5e-5, 5e-5)
        assert (options.alpha, options.eps) == (theirs["alpha"], theirs["eps"])
        assert (theirs["momentum"], theirs["centered"]) == (0, False)

    def test_rmsprop_at_interval_moves_as_far(self):
        """With a constant gradient, v = g² (1 - αᵗ) after t steps of either."""
        options = RMSProp(lr=0.1, alpha=0.9)
        parameter = torch.nn.Parameter(torch.zeros(1))
        lazy = options.at_interval(3)
        optimiser = lazy.build([parameter], torch.tensor(lazy.lr))
        parameter.grad = torch.tensor([3 * 0.2])
        optimiser.step()
        assert parameter.item() == pytest.approx(-3 * 0.1 / (1 - 0.9**3) ** 0.5, rel=1e-6)

    def test_rmsprop_skips_parameters_without_gradient(self):
        parameter = torch.nn.Parameter(torch.ones(1))
        optimiser = RMSProp().build([parameter], torch.tensor(0.1))
        optimiser.step()
        assert parameter.item() == 1

    @pytest.mark.parametrize(("field", "value"), [("lr", 0.0), ("alpha", 1.0), ("eps", 0.0)])
    def test_rmsprop_refuses_invalid_fields(self, field, value):
        with raises_input_error(field, value):
            RMSProp(**{field: value})


class TestAnnealedAdam:
    def test_rate_and_beta2_follow_half_a_cosine(self):
        """Halfway both are at the middle of their ends."""
        optimiser = AnnealedAdam(lr=0.4, lr_end=0.1, betas=(0.0, 0.9), beta2_end=0.98)
        lr = torch.tensor(0.4)
        torch_optimiser = optimiser.build([torch.nn.Parameter(torch.zeros(1))], lr)
        for step, (rate, beta2) in {0: (0.4, 0.9), 5: (0.25, 0.94), 10: (0.1, 0.98)}.items():
            lr.fill_(optimiser.lr_at(step, 10))
            assert lr.item() == pytest.approx(rate)
            assert torch_optimiser._current_beta2().item() == pytest.approx(beta2)

    @pytest.mark.parametrize("factor", [1.0, 4.0])
    def test_constant_schedule_is_adam(self, factor):
        """A factor of the rate, such as that of a player, leaves beta2 as it is."""
        betas, gradients = (0.5, 0.9), torch.randn(5, 3)
        annealed, plain = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
        lr = torch.tensor(0.01 * factor)
        optimisers = [
            AnnealedAdam(lr=0.01, betas=betas, schedule="constant").build([annealed], lr),
            torch.optim.Adam([plain], lr=0.01 * factor, betas=betas),
        ]
        for gradient in gradients:
            for optimiser, parameter in zip(optimisers, (annealed, plain)):
                parameter.grad = gradient
                optimiser.step()
        torch.testing.assert_close(annealed, plain, rtol=1e-6, atol=1e-8)

    def test_average_of_squares_with_changing_beta2(self):
        """Equal squares g² have the average g² whatever beta2 was: steps of the rate's length."""
        optimiser = AnnealedAdam(lr=0.4, lr_end=0.1)
        parameter, lr = torch.nn.Parameter(torch.zeros(1)), torch.tensor(0.4)
        torch_optimiser, distance = optimiser.build([parameter], lr), 0.0
        for step in range(10):
            lr.fill_(optimiser.lr_at(step, 10))
            parameter.grad = torch.tensor([0.3])
            torch_optimiser.step()
            distance += optimiser.lr_at(step, 10)
        assert parameter.item() == pytest.approx(-distance, rel=1e-6)

    def test_at_interval_keeps_the_ends(self):
        lazy = AnnealedAdam(lr=0.02, lr_end=0.01, betas=(0.5, 0.9)).at_interval(2)
        assert (lazy.lr, lazy.lr_end) == (0.04, 0.02)
        assert lazy.betas == pytest.approx((0.25, 0.81))
        assert lazy.beta2_end == pytest.approx(0.99**2)

    @pytest.mark.parametrize(
        ("field", "value"), [("lr_end", 2e-4), ("lr_end", -1.0), ("beta2_end", 1.0)]
    )
    def test_options_out_of_range(self, field, value):
        with raises_input_error(field, value):
            AnnealedAdam(**{field: value})
