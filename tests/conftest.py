"""What the tests share: one thread, and float64 where a closed form is the reference."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def float64():
    """Makes float64 the default for one test."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
