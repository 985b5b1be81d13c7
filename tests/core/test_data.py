"""Data sets in memory."""

import numpy as np
import torch

from iidgan.core import (
    Dataset,
)
from iidgan.core import data as core_data
from iidgan.engine.sampling import DatasetStream


def test_dataset_without_view():
    x = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    data = Dataset(torch.from_numpy(x))
    assert (len(data), data.shape) == (4, (3,))
    assert torch.equal(data.take_samples(torch.tensor([2, 0])), data.x[[2, 0]])


def test_to_moves_data_that_fit(monkeypatch):
    """The device `meta` stands for one that states its free memory."""
    x = torch.zeros(10, 3, 4, 4, dtype=torch.uint8)
    dataset = Dataset(x, torch.zeros(10, dtype=torch.int64))
    monkeypatch.setattr(
        core_data, "_free_memory", lambda device: x.nbytes / core_data.MAX_MEMORY_SHARE
    )
    moved = dataset.to("meta")
    assert (moved.x.device.type, moved.y.device.type) == ("meta", "meta")
    monkeypatch.setattr(
        core_data, "_free_memory", lambda device: x.nbytes / core_data.MAX_MEMORY_SHARE - 1
    )
    streamed = dataset.to("meta")
    assert (streamed.x.device.type, streamed.y.device.type) == ("cpu", "cpu")
    assert streamed.device.type == "meta"
    index = torch.zeros(2, 5, dtype=torch.int64)
    assert streamed.take_samples(index).device.type == "meta"
    assert streamed.take_labels(index).device.type == "meta"


def test_to_streams_batches_to_device(monkeypatch):
    monkeypatch.setattr(core_data, "_free_memory", lambda device: 0)
    dataset = Dataset(torch.zeros(10, 3, 4, 4, dtype=torch.uint8), flip=True).to("meta")
    stream = DatasetStream(dataset, (0, 1), batch_size=4, latent_dim=2, noise_shapes={"n": (3,)})
    (batch,) = stream.batches_at(3)
    assert {part.device.type for part in batch.to_tensors().values()} == {"meta"}


class TestDataset:
    def test_take_samples_scales_images(self):
        pixels = torch.tensor([0, 255, 51], dtype=torch.uint8).reshape(3, 1, 1, 1)
        data = Dataset(pixels, torch.tensor([3, 4, 5]))
        samples = data.take_samples(torch.tensor([[0, 1], [2, 2]]))
        assert samples.shape == (2, 2, 1, 1, 1)
        assert samples.dtype == torch.float32
        expected = torch.tensor([[-1.0, 1.0], [-0.6, -0.6]])
        assert torch.allclose(samples.reshape(2, 2), expected, atol=1e-6)
        assert data.take_labels(torch.tensor([2, 0])).tolist() == [5, 3]
        assert data.is_image
        assert data.shape == (1, 1, 1)

    def test_take_samples_keeps_vectors(self):
        data = Dataset(torch.tensor([[1.5, 2.5], [3.5, 4.5]]))
        assert data.take_samples(torch.tensor([1])).tolist() == [[3.5, 4.5]]
        assert data.take_labels(torch.tensor([1])) is None
        assert not data.is_image
        assert (len(data), data.shape) == (2, (2,))

    def test_dataset_to_device(self):
        data = Dataset(torch.ones(2, 1), torch.zeros(2), labels=("a",)).to("meta")
        assert data.x.device.type == data.y.device.type == "meta"
        assert data.labels == ("a",)
