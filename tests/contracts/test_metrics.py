"""Laws of all registered metrics."""

import pytest

from iidgan.metrics import METRICS
from iidgan.testing import check_metric


@pytest.mark.parametrize("name", METRICS)
def test_check_metric_of_registered(name):
    check_metric(METRICS[name]())
