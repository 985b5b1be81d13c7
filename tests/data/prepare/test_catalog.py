"""Data sets with a name."""

import pytest

from iidgan.data.prepare import DATASETS


@pytest.mark.parametrize(
    ("name", "size", "usual_name"),
    [
        ("mnist-64", 64, "mnist"),
        ("cifar10-64", 64, "cifar10"),
        ("stl10-32", 32, "stl10"),
        ("stl10-64", 64, "stl10"),
    ],
)
def test_datasets_of_other_sizes(name, size, usual_name):
    info, usual_info = DATASETS[name], DATASETS[usual_name]
    assert info.resize_rule.size == size
    assert info.reader is usual_info.reader
    assert (info.download_hint, info.hub_id) == (usual_info.download_hint, usual_info.hub_id)
    assert info.title.endswith(f", resized to {size} pixels")
