"""A cluster of two cores on this machine, started once for the tests of this folder."""

import pytest

from tests.helpers.ray_cluster import start_cluster


@pytest.fixture(scope="package")
def cluster():
    with start_cluster():
        yield
