"""Directions of the latent space: what the generator amplifies most, and where classes are."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from iidgan.core import HasInputMatrix
from iidgan.errors import InputError
from iidgan.training.model import Model


def read_input_matrix(model: Model) -> Tensor:
    """Return the matrix A of the layer of G that reads z, A z + b, without columns of classes.

    The layer is found by what it reads when G generates a sample; if several layers read z, their
    rows follow each other.

    Arguments:
        model: The model; its layer has `input_matrix` (`iidgan.core.HasInputMatrix`), as those of
            all backbones of the package but `stylegan2`, which normalises z.

    Returns:
        The matrix, (outputs, M).

    Raises:
        InputError: No layer that reads z has `input_matrix`.
    """
    codes = model.sample_prior(1)
    latents, _ = model.split_codes(codes)
    matrices: list[Tensor] = []

    def record_reader(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, HasInputMatrix)
        layer_input = inputs[0].flatten().cpu()
        if any(torch.equal(layer_input, z.flatten()) for z in (codes, latents)):
            matrices.append(layer.input_matrix()[0, :, : model.latent].cpu())

    layers = [layer for layer in model.nets["G"].modules() if isinstance(layer, HasInputMatrix)]
    hooks = [layer.register_forward_pre_hook(record_reader) for layer in layers]
    try:
        model.generate(codes)
    finally:
        for hook in hooks:
            hook.remove()
    if not matrices:
        raise InputError(
            "directions: no layer of G that reads z is affine in it (stylegan2 normalises z), or "
            "has input_matrix, which a backbone of your own needs (iidgan.core.HasInputMatrix)"
        )
    return torch.cat(matrices)


def sefa_directions(matrix: Tensor, num: int) -> tuple[Tensor, Tensor]:
    """Compute the directions that change the output of a linear map most: SeFa.

    They are the eigenvectors of Aᵀ A with the largest eigenvalues, where the rows of A, the
    weights of one output each, are scaled to norm 1, as in the authors' code. The sign of an
    eigenvector is arbitrary: here its largest component is positive.

    Arguments:
        matrix: A, (outputs, M), such as that of `read_input_matrix`.
        num: Number of directions, at most M.

    Returns:
        Orthonormal directions (num, M), and their eigenvalues (num,), the largest first.

    Raises:
        InputError: The number is not between 1 and M.

    References:
        * Closed-Form Factorization of Latent Semantics in GANs (Shen and Zhou, 2021),
          https://arxiv.org/abs/2007.06600
        * https://github.com/genforce/sefa

    Examples:
        >>> matrix = torch.tensor([[0.0, 2.0], [0.0, -1.0], [5.0, 0.0]])
        >>> directions, eigenvalues = sefa_directions(matrix, 1)
        >>> directions.abs(), eigenvalues  # two outputs read the second input
        (tensor([[0., 1.]]), tensor([2.]))
    """
    num_latents = matrix.shape[1]
    if not 1 <= num <= num_latents:
        raise InputError(f"num: must be between 1 and {num_latents} latents, got {num}")
    rows = normalize(matrix.double(), dim=1)
    eigenvalues, eigenvectors = torch.linalg.eigh(rows.mT @ rows)
    directions = eigenvectors.mT.flip(0)[:num]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return (directions * largest.sign()).float(), eigenvalues.flip(0)[:num].float()


def class_directions(codes: Tensor, labels: Tensor) -> Tensor:
    """Compute the mean code of each class minus the mean of all codes.

    Arguments:
        codes: Codes F(x) of labelled samples, (n, M).
        labels: Labels of the samples, (n,).

    Returns:
        A direction for each label that occurs, in increasing order, (classes, M). They are not
        scaled.

    Examples:
        >>> class_directions(torch.tensor([[0.0], [2.0], [4.0]]), torch.tensor([0, 0, 1]))
        tensor([[-1.],
                [ 2.]])
    """
    means = [codes[labels == label].mean(0) for label in labels.unique()]
    return torch.stack(means) - codes.mean(0)
