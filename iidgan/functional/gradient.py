"""Gradients of networks with respect to their inputs, themselves differentiable."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from iidgan.functional.reduce import mean_per_seed


def input_gradient(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute the gradient of sum_j f(x)_j with respect to x, differentiable in all f depends on.

    Arguments:
        f: Map of samples to one number each, (S, B, ...) -> (S, B).
        x: Samples, with shape (S, B, ...). No gradient flows back to them.

    Returns:
        The gradient of each sample, with the shape of `x`.

    Examples:
        >>> x = torch.tensor([[[3.0, 4.0]]])
        >>> input_gradient(lambda x: x.square().sum(-1), x).detach()  # 2 x
        tensor([[[6., 8.]]])
    """
    return gradient_per_value(f, x).reshape_as(x)


def gradient_per_value(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute one flat gradient per value of f, with respect to all samples of that value.

    Arguments:
        f: Map of samples to one number each, or to one for every m consecutive samples,
            (S, m B, ...) -> (S, B).
        x: Samples, with shape (S, m B, ...). No gradient flows back to them.

    Returns:
        One gradient for each value, with shape (S, B, N).

    Examples:
        >>> pairs = torch.ones(1, 6, 2)  # three pairs of points, as D of PacGAN reads them
        >>> f = lambda x: x.reshape(1, 3, 4).sum(-1)
        >>> gradient_per_value(f, pairs).shape
        torch.Size([1, 3, 4])
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        values = f(x)
        (gradients,) = torch.autograd.grad(values.sum(), x, create_graph=True)
    return gradients.reshape(*values.shape, -1)


def path_lengths(samples: Tensor, codes: Tensor, directions: Tensor) -> Tensor:
    """Compute ‖Jᵀ y‖ of each sample, with the Jacobian J of samples by their codes.

    Arguments:
        samples: Samples, (S, B, *shape), a differentiable function of the codes.
        codes: Codes (S, B, M), or (S, B, L, M) of L layers, over which ‖·‖² is averaged.
        directions: Directions y, with the shape of the samples.

    Returns:
        Lengths, (S, B), differentiable in all that the samples depend on.

    References:
        Analyzing and Improving the Image Quality of StyleGAN (Karras et al., 2020),
        https://arxiv.org/abs/1912.04958, section 3.2

    Examples:
        >>> codes = torch.ones(1, 1, 2, requires_grad=True)
        >>> path_lengths(3 * codes, codes, torch.tensor([[[3.0, 4.0]]])).detach()
        tensor([[15.]])
    """
    products = (samples * directions).sum()
    (gradients,) = torch.autograd.grad(products, codes, create_graph=True)
    num_layers = gradients[0, 0].numel() // gradients.shape[-1]
    return sample_norms(gradients) / num_layers**0.5


def sample_norms(values: Tensor) -> Tensor:
    """Compute the Euclidean norm of each sample, with gradient 0 at 0.

    Arguments:
        values: Samples, with shape (S, B, ...).

    Returns:
        Norms, with shape (S, B).

    Examples:
        >>> sample_norms(torch.tensor([[[3.0, 4.0], [0.0, 0.0]]]))
        tensor([[5., 0.]])
    """
    norms: Tensor = torch.linalg.vector_norm(values.flatten(2), dim=2)
    return norms


def interpolate_samples(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """Compute x + w (y - x), with one weight w per sample.

    Arguments:
        x: Samples, with shape (S, B, *shape).
        y: Samples of the same shape.
        weights: Weights w, with shape (S, B): 0 gives x, and 1 gives y.

    Returns:
        Samples of the same shape.

    Examples:
        >>> x, y = torch.zeros(1, 3, 1), torch.full((1, 3, 1), 10.0)
        >>> interpolate_samples(x, y, torch.tensor([[0.0, 0.5, 1.0]])).flatten()
        tensor([ 0.,  5., 10.])
    """
    return torch.lerp(x, y, weights.view(*weights.shape, *[1] * (x.dim() - 2)))


def gradient_norm_penalty(
    f: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, weights: Tensor, target_norm: float = 1.0
) -> Tensor:
    """Penalise gradient norms of f, other than a target c, between two batches of samples.

        E (‖∇f(x̂)‖ - c)², with x̂ = x + w (y - x)

    Arguments:
        f: Map of samples to one number each, (S, B, *shape) -> (S, B).
        x: Samples at the weight 0, with shape (S, B, *shape).
        y: Samples at the weight 1, with the same shape.
        weights: Weights w, with shape (S, B), usually uniform in [0, 1).
        target_norm: The norm c.

    Returns:
        One value per seed, with shape (S,).

    References:
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017),
        https://arxiv.org/abs/1704.00028

    Examples:
        >>> f = lambda x: x @ torch.tensor([3.0, 4.0])  # slope 5 everywhere
        >>> x, y = torch.zeros(1, 8, 2), torch.ones(1, 8, 2)
        >>> gradient_norm_penalty(f, x, y, torch.full((1, 8), 0.5)).detach()
        tensor([16.])
    """
    gradient_norms = sample_norms(gradient_per_value(f, interpolate_samples(x, y, weights)))
    return mean_per_seed((gradient_norms - target_norm).square())


def mean_squared_gradient_norm(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute E ‖∇f(x)‖², the average over a batch.

    Arguments:
        f: Map of samples to one number each, (S, B, *shape) -> (S, B).
        x: Samples, with shape (S, B, *shape).

    Returns:
        One value per seed, with shape (S,).

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin,
        2018), https://arxiv.org/abs/1801.04406

    Examples:
        >>> f = lambda x: x @ torch.tensor([3.0, 4.0])  # slope 5 everywhere
        >>> mean_squared_gradient_norm(f, torch.zeros(1, 8, 2)).detach()
        tensor([25.])
    """
    return mean_per_seed(gradient_per_value(f, x).square().sum(-1))
