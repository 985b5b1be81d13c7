"""Differentiable steps of Adam."""

import torch

from iidgan.functional import unroll


def test_unrolled_adam_gradients():
    torch.manual_seed(0)
    start, scale = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))

    def unrolled(start, scale):
        def loss(p):
            return (scale * p["a"] + p["a"].square()).tanh().sum(1)

        return unroll.unrolled_adam(loss, {"a": start}, 3, 0.05, eps=0.3)["a"]

    assert torch.autograd.gradcheck(unrolled, (start, scale))


def test_unrolled_adam_equals_torch():
    torch.manual_seed(0)
    start = {
        "a": torch.randn(2, 3, dtype=torch.float64),
        "b": torch.randn(2, 1, 4, dtype=torch.float64),
    }

    def loss(p):
        return (p["a"].square().sum(1) - p["a"][:, 0] * p["b"][:, 0, 1]).exp() + (
            p["b"].flatten(1) - 1
        ).square().sum(1)

    unrolled = unroll.unrolled_adam(loss, start, 6, 0.02, betas=(0.6, 0.97))
    torch_parameters = {name: value.clone().requires_grad_() for name, value in start.items()}
    optimiser = torch.optim.Adam(torch_parameters.values(), lr=0.02, betas=(0.6, 0.97), eps=1e-8)
    for _ in range(6):
        optimiser.zero_grad()
        loss(torch_parameters).sum().backward()
        optimiser.step()
    for name, value in torch_parameters.items():
        # eps stands elsewhere: a relative difference of eps over the gradient.
        torch.testing.assert_close(unrolled[name], value.detach(), rtol=1e-7, atol=1e-7)
        assert not torch.equal(unrolled[name], start[name])


def test_unrolled_adam_at_zero_gradient():
    scale = torch.ones(1, dtype=torch.float64, requires_grad=True)
    start = {"live": torch.tensor([[0.5]]).double(), "dead": torch.tensor([[-0.5]]).double()}

    def loss(p):
        return (scale * (p["live"] + p["dead"].relu())).square().sum(1)

    unrolled = unroll.unrolled_adam(loss, start, 3, 0.1)
    assert torch.equal(unrolled["dead"], start["dead"])
    (slope,) = torch.autograd.grad(sum(value.sum() for value in unrolled.values()), scale)
    assert slope.isfinite().all()


def test_unrolled_adam_decay_multiplies_learning_rate():
    def loss(parameters):
        return (parameters["w"] - target).square().sum((1, 2))

    target, start = torch.randn(2, 3, 4), {"w": torch.zeros(2, 3, 4)}
    decayed = unroll.unrolled_adam(loss, start, 3, 0.1, decay=torch.tensor(0.25))
    expected = unroll.unrolled_adam(loss, start, 3, 0.025)
    torch.testing.assert_close(decayed, expected)
