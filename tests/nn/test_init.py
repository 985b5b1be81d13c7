"""Initial weights."""

import torch

from iidgan.nn.init import orthogonal


def test_orthogonal_rows_or_columns():
    for shape in ((3, 7), (7, 3)):
        weight = orthogonal(1, *shape, gain=1.4)[0].double()
        product = weight @ weight.T if shape[0] < shape[1] else weight.T @ weight
        torch.testing.assert_close(product, 1.4**2 * torch.eye(3).double(), atol=1e-5, rtol=0)
