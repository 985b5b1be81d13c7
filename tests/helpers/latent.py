"""Models whose networks are known maps."""

from torch import Tensor, nn

from iidgan.config.run import Run
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.methods import GAN
from iidgan.nn import MLP
from iidgan.nn.layers.linear import Linear
from iidgan.training.model import Model


def make_linear_layer(matrix: Tensor) -> Linear:
    """The layer z -> z @ matrix of one seed."""
    layer = Linear(*matrix.shape)
    layer.weight.value.data = matrix[None].clone()
    layer.bias.data.zero_()
    return layer.requires_grad_(False)


def make_linear_model(matrix: Tensor, inverse: Tensor | None = None) -> Model:
    """The model G(z) = z @ matrix, and F(x) = x @ inverse where that is given."""
    run = Run(method=GAN(), arch=MLP(latent=len(matrix)))
    nets = nn.ModuleDict({"G": make_linear_layer(matrix)})
    if inverse is not None:
        nets["F"] = make_linear_layer(inverse)
    point = EvaluationPoint(run, seeds=(0,), steps=(0,), diverged=(-1,))
    return Model(point, (matrix.shape[1],), nets)
